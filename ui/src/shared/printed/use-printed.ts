import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type RefObject,
  useLayoutEffect,
  useMemo,
  useRef,
} from "react";
import { useTheme } from "../settings-store";
import { terminalTheme } from "../terminal-themes";

/** The colours that a program names by number, in their order. */
const PALETTE = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
  "brightBlack",
  "brightRed",
  "brightGreen",
  "brightYellow",
  "brightBlue",
  "brightMagenta",
  "brightCyan",
  "brightWhite",
] as const;

/** The rows of a view of printed lines: which of them are drawn, and how to go to one. */
export interface Printed {
  list: Virtualizer<HTMLDivElement, Element>;
  scroller: RefObject<HTMLDivElement | null>;
  /** The theme's colours, for what is inside. */
  colours: CSSProperties;
}

/**
 * Makes a view of `count` rows, all of one height or each as high as `height` says. `outer` is the element that scrolls, where somebody else
 * has to reach it.
 */
export function usePrinted(
  count: number,
  height: number | ((index: number) => number),
  outer?: RefObject<HTMLDivElement | null>,
): Printed {
  const own = useRef<HTMLDivElement>(null);
  const scroller = outer ?? own;
  const list = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: typeof height === "number" ? () => height : height,
    overscan: 20,
  });
  // Rows that were measured keep their height until it is said that they have another.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what has changed
  useLayoutEffect(() => list.measure(), [list, height]);
  const theme = useTheme();
  const colours = useMemo(() => {
    const told = terminalTheme(theme);
    return Object.fromEntries(
      PALETTE.map((name, index) => [`--c${index}`, told[name]]),
    );
  }, [theme]);
  return { list, scroller, colours };
}
