import { useEffect } from "react";
import { HistoryView } from "../search/HistoryView";
import { SearchPanel } from "../search/SearchPanel";
import { useSearch } from "../search/search-store";
import { TranscriptView } from "../search/TranscriptView";
import { useParams } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { usePanes } from "../terminal/pane-store";
import { paneOfParams } from "../terminal/pane-tabs";
import { leaveAside } from "./aside";
import {
  followMarks,
  goToMatch,
  goToSaid,
  HISTORY,
  hitOfParams,
  labelOf,
  learnClosedPanes,
  readsAt,
  reopenHistory,
  searchCommands,
  TRANSCRIPT,
} from "./search-in-panes";

function SearchAside() {
  return (
    <SearchPanel
      labelOf={labelOf}
      onMatch={goToMatch}
      onSaid={goToSaid}
      onClose={leaveAside}
    />
  );
}

function HistoryPanel() {
  const shown = useParams();
  usePanes((state) => state.panes);
  useSearch((state) => state.places);
  const pane = paneOfParams(shown);
  // One that was restored with the window may be of a pane that nobody has asked for yet.
  useEffect(() => {
    void learnClosedPanes();
  }, []);
  if (pane === null) return null;
  return (
    <HistoryView
      pane={pane}
      line={typeof shown.line === "number" ? shown.line : null}
      visit={typeof shown.visit === "number" ? shown.visit : 0}
      label={labelOf(pane)}
      onPlace={(at) => readsAt(pane, at)}
    />
  );
}

function TranscriptPanel() {
  const shown = useParams();
  const hit = hitOfParams(shown);
  if (hit === null) return null;
  const { visit } = shown;
  return (
    <TranscriptView hit={hit} visit={typeof visit === "number" ? visit : 0} />
  );
}

export const searchFeature: Feature = {
  name: "search",
  commands: searchCommands(),
  views: {
    [HISTORY]: { view: HistoryPanel, reopen: reopenHistory },
    [TRANSCRIPT]: { view: TranscriptPanel },
  },
  asides: { search: SearchAside },
  start: followMarks,
};
