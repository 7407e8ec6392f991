import { useEffect } from "react";
import { HistoryView } from "../search/HistoryView";
import { SearchPanel } from "../search/SearchPanel";
import { useSearch } from "../search/search-store";
import { useParams } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { usePanes } from "../terminal/pane-store";
import { paneOfParams } from "../terminal/pane-tabs";
import { leaveAside } from "./aside";
import {
  followMarks,
  goToMatch,
  HISTORY,
  labelOf,
  learnClosedPanes,
  readsAt,
  reopenHistory,
  searchCommands,
} from "./search-in-panes";

function SearchAside() {
  return (
    <SearchPanel labelOf={labelOf} onMatch={goToMatch} onClose={leaveAside} />
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

export const searchFeature: Feature = {
  name: "search",
  commands: searchCommands(),
  views: { [HISTORY]: { view: HistoryPanel, reopen: reopenHistory } },
  asides: { search: SearchAside },
  start: followMarks,
};
