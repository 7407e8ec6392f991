import { backend } from "../backend/backend";
import type { Snapshot } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Since } from "../shared/Since";
import { restore } from "./acting";
import { useTouches } from "./touched-store";
import { useAnswer } from "./use-answer";

/** What was discarded in a worktree, whenever that was, and the way back. */
export function SnapshotsDialog({
  worktree,
  onClose,
}: {
  worktree: string;
  onClose: () => void;
}) {
  const tick = useTouches(worktree);
  const listed = useAnswer(worktree, tick, () =>
    backend.listSnapshots(worktree),
  );
  return (
    <Dialog
      title="What was discarded"
      description="It is kept for a month, outside of the repository. What stands in its place now is kept in turn when it is given back."
      onClose={onClose}
      testId="snapshots"
    >
      {listed.failed !== null && (
        <p className="form-problem" role="alert">
          {listed.failed}
        </p>
      )}
      {listed.data?.length === 0 && (
        <p className="faint" data-testid="snapshots-none">
          Nothing that was discarded here is kept.
        </p>
      )}
      <ul className="changes-snapshots">
        {listed.data?.map((one) => (
          <li
            key={one.id}
            className="changes-snapshot"
            data-testid="snapshot"
            data-reason={one.reason}
          >
            <div>
              <p title={one.files.join("\n")}>{named(one)}</p>
              <p className="faint">
                {REASONS[one.reason]} · <Since at={one.taken_ms} />
              </p>
            </div>
            <Button
              data-testid="snapshot-restore"
              onClick={() => void restore(worktree, one.id)}
            >
              Give back
            </Button>
          </li>
        ))}
      </ul>
      <div className="dialog-buttons">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

const REASONS: Record<Snapshot["reason"], string> = {
  discarded: "Discarded",
  restored: "Stood there before something was given back",
  removed: "Not committed when a worktree here was removed",
};

/** The first files of a snapshot, and how many more there are. */
function named({ files, count }: Snapshot): string {
  const first = files.slice(0, 3);
  const more = count - first.length;
  return more > 0 ? `${first.join(", ")} and ${more} more` : first.join(", ");
}
