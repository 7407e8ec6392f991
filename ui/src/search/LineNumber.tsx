import type { LineId } from "../bindings";
import { isFullScreen } from "./lines-window";

/** A line's number, from 1; what a full-screen program showed has none. */
export function LineNumber({ line }: { line: LineId }) {
  return isFullScreen(line) ? (
    <span
      className="result-number"
      title="From a full-screen program: what its screen showed"
    >
      screen
    </span>
  ) : (
    <span className="result-number">{line + 1}</span>
  );
}
