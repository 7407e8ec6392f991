import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { LineId, PaneId } from "../bindings";
import { type Printed, usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import { useHistoryStretch } from "./history-stretch";
import { holds, indexOfLine, type LinesWindow } from "./lines-window";

/** No line has this id: it stands for the one after the last. */
const NEWEST = Number.POSITIVE_INFINITY;
const ROW = 18;

export interface HistoryPlace {
  pane: PaneId;
  /** The line to show; none: the newest. */
  line: LineId | null;
  /** Counts up when the same line is asked for again. */
  visit: number;
  /** Told which line is in the middle. */
  onPlace?: ((line: LineId) => void) | undefined;
}

export interface History {
  window: LinesWindow;
  failure: string | null;
  printed: Printed;
  /** The line that one went to last. */
  target: LineId | null;
  /** The row that is seen first. */
  firstSeen: number;
  /** Scrolls to a line, and reads the stretch around it where it is not in view. */
  goTo: (line: LineId) => void;
}

/** A pane's history as it is scrolled through: what is read, where one is, and the line that one came for. */
export function useHistory(place: HistoryPlace): History {
  const { pane, line, visit, onPlace } = place;
  const stretch = useHistoryStretch(pane);
  const { window, failure, readOn, takePrepended } = stretch;
  const [target, setTarget] = useState<LineId | null>(line);
  const wanted = useRef<LineId | null>(null);

  const rowHeight = Math.round(ROW * useTextScale());
  const printed = usePrinted(window.lines.length, rowHeight);
  const { list, scroller } = printed;

  const { show: showStretch } = stretch;
  const show = useCallback(
    (id: LineId | null) => {
      setTarget(id);
      wanted.current = id ?? NEWEST;
      void showStretch(id);
    },
    [showStretch],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another visit asks for the same line again
  useEffect(() => {
    show(line);
  }, [show, line, visit]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (wanted.current !== null && window.lines.length > 0) {
      const index = Math.min(
        indexOfLine(window, wanted.current),
        window.lines.length - 1,
      );
      wanted.current = null;
      takePrepended();
      list.scrollToIndex(index, { align: "center" });
    } else {
      // The view moves by as much as was put before it, so that it seems not to.
      element.scrollTop += takePrepended() * rowHeight;
    }
  }, [window, list, scroller, rowHeight, takePrepended]);

  const items = list.getVirtualItems();
  const firstSeen = items[0]?.index ?? 0;
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => readOn(firstSeen, lastSeen), [firstSeen, lastSeen, readOn]);

  const middle = window.lines[Math.round((firstSeen + lastSeen) / 2)]?.id;
  useEffect(() => {
    // Before the line that is asked for is scrolled to, the view is somewhere else.
    if (middle !== undefined && wanted.current === null) onPlace?.(middle);
  }, [middle, onPlace]);

  // A mark far to the right comes into view, too.
  useEffect(() => {
    if (target === null || window.lines.length === 0) return;
    const frame = requestAnimationFrame(() =>
      scroller.current
        ?.querySelector('[data-target="true"] mark')
        ?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    );
    return () => cancelAnimationFrame(frame);
  }, [target, window, scroller]);

  const goTo = (id: LineId) => {
    if (!holds(window, id)) {
      show(id);
      return;
    }
    setTarget(id);
    list.scrollToIndex(indexOfLine(window, id), { align: "center" });
  };

  return { window, failure, printed, target, firstSeen, goTo };
}
