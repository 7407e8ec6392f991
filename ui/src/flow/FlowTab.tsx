import { usePanel, useParams } from "../shared/dock/panel";
import { PanelTab } from "../shared/dock/Tab";
import { useDrafts } from "../shared/drafts";
import { draftOfFlow } from "./flow-file";

/** The tab of a flow's file: its name, and whether all that was written in it is saved. */
export function FlowTab() {
  const { id, title, close } = usePanel();
  const { path } = useParams();
  const unsaved = useDrafts(
    ({ drafts }) => drafts[draftOfFlow(String(path))] !== undefined,
  );
  return (
    <PanelTab name={title} data-testid={`tab-${id}`} onClose={close}>
      {unsaved && (
        <span className="tab-unsaved" role="img" aria-label="Not saved:" />
      )}
      <span className="tab-title">{title}</span>
    </PanelTab>
  );
}
