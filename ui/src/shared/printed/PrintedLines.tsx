import type { HTMLAttributes, ReactNode } from "react";
import "./printed.css";
import type { Printed } from "./use-printed";

/** Up to so many rows all are drawn; of more, those in view. */
const FEW = 200;

export interface PrintedLinesProps extends HTMLAttributes<HTMLDivElement> {
  printed: Printed;
  /** Draws one row. */
  row: (index: number) => ReactNode;
  /** What is shown in place of no rows. */
  empty?: ReactNode;
}

/** Printed lines to read, to select and to scroll through, however many they are. */
export function PrintedLines({
  printed: { list, scroller, colours },
  row,
  empty,
  className = "",
  style,
  ...attributes
}: PrintedLinesProps) {
  const { count } = list.options;
  const all = count <= FEW;
  const drawn = all
    ? Array.from({ length: count }, (_, index) => index)
    : list.getVirtualItems();
  return (
    <div
      {...attributes}
      ref={scroller}
      className={`printed ${className}`}
      style={{ ...colours, ...style }}
    >
      {count === 0 ? (
        empty
      ) : (
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {drawn.map((item) =>
            typeof item === "number" ? (
              <div
                key={item}
                className="printed-row"
                style={{ height: list.options.estimateSize(item) }}
              >
                {row(item)}
              </div>
            ) : (
              <div
                key={item.key}
                className="printed-row placed"
                style={{
                  height: item.size,
                  transform: `translateY(${item.start}px)`,
                }}
              >
                {row(item.index)}
              </div>
            ),
          )}
        </div>
      )}
    </div>
  );
}
