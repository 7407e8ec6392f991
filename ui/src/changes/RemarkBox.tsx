import type { Remark } from "../bindings";
import { changeRemarks, isUnsent, standingOf, waits, whereOf } from "./remarks";

/** A remark as it stands below its lines, or by itself where these are others. */
export function RemarkBox({
  worktree,
  remark,
  apart = false,
  onEdit,
}: {
  worktree: string;
  remark: Remark;
  /** Its lines are not above it. */
  apart?: boolean;
  /** Where it can be changed. */
  onEdit?: (remark: Remark) => void;
}) {
  const change = (to: "answered" | "gone") =>
    void changeRemarks(worktree, [remark], { change: to });
  return (
    <div
      className="changes-remark"
      data-testid="remark"
      data-state={
        remark.answered_ms !== null ? "answered" : remark.sent ? "sent" : "new"
      }
    >
      <p className="changes-remark-head">
        <span className="faint">
          {standingOf(remark)}
          {apart && ` · ${remark.about.path}, ${whereOf(remark.about)}`}
        </span>
        {onEdit && isUnsent(remark) && (
          <button
            type="button"
            className="link-button"
            data-testid="remark-edit"
            onClick={() => onEdit(remark)}
          >
            Change
          </button>
        )}
        {waits(remark) && (
          <button
            type="button"
            className="link-button"
            data-testid="remark-answered"
            onClick={() => change("answered")}
          >
            It is answered
          </button>
        )}
        <button
          type="button"
          className="link-button"
          data-testid="remark-gone"
          onClick={() => change("gone")}
        >
          Remove
        </button>
      </p>
      <p className="changes-remark-text">{remark.text}</p>
    </div>
  );
}
