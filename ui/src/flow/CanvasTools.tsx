import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { IconButton } from "../shared/Button";
import { SearchIcon, UnzoomIcon, ZoomIcon } from "../shared/icons";
import { FitIcon } from "./canvas-icons";

/** Something about the canvas that is on or off. */
export interface CanvasToggle {
  label: string;
  icon: ReactNode;
  on: boolean;
  testId?: string;
  onToggle: () => void;
}

export interface CanvasToolsProps {
  query: string;
  /** The steps that the query finds. */
  found: ReadonlySet<string>;
  onQuery: (query: string) => void;
  /** The person goes to a step that was found. */
  onFound: (step: string) => void;
  onFit: () => void;
  onCloser: () => void;
  onFurther: () => void;
  toggles: CanvasToggle[];
}

/** The bar above a graph: to find a step, to come closer, and what else to show. */
export function CanvasTools(props: CanvasToolsProps) {
  const { onFit, onCloser, onFurther, toggles } = props;
  return (
    <div className="canvas-tools" role="toolbar" aria-label="Canvas">
      <StepSearch {...props} />
      <IconButton label="Fit the whole graph" onClick={onFit}>
        <FitIcon size={14} />
      </IconButton>
      <IconButton label="Closer" onClick={onCloser}>
        <ZoomIcon size={14} />
      </IconButton>
      <IconButton label="Further away" onClick={onFurther}>
        <UnzoomIcon size={14} />
      </IconButton>
      {toggles.map(({ label, icon, on, testId, onToggle }) => (
        <IconButton
          key={label}
          label={label}
          aria-pressed={on}
          data-testid={testId}
          onClick={onToggle}
        >
          {icon}
        </IconButton>
      ))}
    </div>
  );
}

function StepSearch({
  query,
  found,
  onQuery,
  onFound,
}: Pick<CanvasToolsProps, "query" | "found" | "onQuery" | "onFound">) {
  const next = useRef(0);
  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (event.key === "Escape") {
      onQuery("");
      event.currentTarget.blur();
    }
    if (event.key !== "Enter" || found.size === 0) return;
    const hits = [...found];
    const back = hits.length - 1;
    const step =
      hits[(next.current + (event.shiftKey ? back : 0)) % hits.length];
    next.current += event.shiftKey ? back : 1;
    if (step !== undefined) onFound(step);
  }
  return (
    <label className="canvas-search">
      <SearchIcon size={13} />
      <input
        aria-label="Find a step"
        placeholder="Find a step"
        value={query}
        data-testid="find-step"
        onChange={(event) => {
          next.current = 0;
          onQuery(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      {query !== "" && <span className="faint">{found.size}</span>}
    </label>
  );
}
