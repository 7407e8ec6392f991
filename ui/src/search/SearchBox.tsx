import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import "./search.css";
import { IconButton } from "../shared/Button";
import { useWindowState } from "../shared/window-state";
import { keepPattern, type Place, setQuery, usePlace } from "./search-store";

export interface SearchBoxProps {
  place: Place;
  label: string;
  placeholder: string;
  testId: string;
  /** Enter (`1`) and Shift+Enter (`-1`). */
  onStep: (step: 1 | -1) => void;
  onClose?: () => void;
  /** Arrow down leaves the box for the results. */
  onLeave?: () => void;
}

const CASES = {
  smart: "Case matters when the pattern has a capital",
  match: "Case matters",
  ignore: "Case does not matter",
} as const;

const NEXT_CASE = { smart: "match", match: "ignore", ignore: "smart" } as const;

/** The box of a search with its toggles, and below it what is wrong with the pattern, where it is wrong. */
export function SearchBox({
  place,
  label,
  placeholder,
  testId,
  onStep,
  onClose,
  onLeave,
}: SearchBoxProps) {
  const { query, search, focus } = usePlace(place);
  const history = useWindowState((state) => state.searches);
  const input = useRef<HTMLInputElement>(null);
  const [recall, setRecall] = useState<number | null>(null);

  useEffect(() => {
    if (focus === 0) return;
    input.current?.focus();
    input.current?.select();
  }, [focus]);

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing) return;
    switch (event.key) {
      case "Enter":
        event.preventDefault();
        keepPattern(place);
        setRecall(null);
        onStep(event.shiftKey ? -1 : 1);
        return;
      case "Escape":
        if (!onClose) return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
        return;
      case "ArrowUp": {
        // The searches before, as in a shell.
        const next = recall === null ? 0 : recall + 1;
        const pattern = history[next];
        if (pattern === undefined) return;
        event.preventDefault();
        setRecall(next);
        setQuery(place, { pattern });
        return;
      }
      case "ArrowDown": {
        event.preventDefault();
        if (recall === null) {
          onLeave?.();
          return;
        }
        const next = recall - 1;
        setRecall(next < 0 ? null : next);
        setQuery(place, { pattern: next < 0 ? "" : (history[next] ?? "") });
        return;
      }
    }
  }

  const failed = search.status === "failed" ? search : null;
  const errorId = `${place}-error`;
  return (
    <search className="search-box">
      <div className="search-field" data-failed={failed !== null}>
        <input
          ref={input}
          type="text"
          spellCheck={false}
          autoComplete="off"
          aria-label={label}
          aria-invalid={failed !== null}
          aria-describedby={failed ? errorId : undefined}
          placeholder={placeholder}
          value={query.pattern}
          data-testid={testId}
          onChange={(event) => {
            setRecall(null);
            setQuery(place, { pattern: event.target.value });
          }}
          onKeyDown={onKeyDown}
        />
        <Toggles place={place} testId={testId} />
      </div>
      {failed && <Mistake id={errorId} pattern={query.pattern} {...failed} />}
    </search>
  );
}

/** How the pattern is read. */
function Toggles({ place, testId }: Pick<SearchBoxProps, "place" | "testId">) {
  const { query } = usePlace(place);
  return (
    <>
      <IconButton
        label={CASES[query.case]}
        aria-pressed={query.case !== "ignore"}
        data-testid={`${testId}-case`}
        onClick={() => setQuery(place, { case: NEXT_CASE[query.case] }, 0)}
      >
        <span className="toggle" data-case={query.case}>
          {query.case === "smart" ? "Aa" : query.case === "match" ? "AA" : "aa"}
        </span>
      </IconButton>
      <IconButton
        label="Whole words"
        aria-pressed={query.wholeWord}
        data-testid={`${testId}-word`}
        onClick={() => setQuery(place, { wholeWord: !query.wholeWord }, 0)}
      >
        <span className="toggle underlined">ab</span>
      </IconButton>
      <IconButton
        label="Regular expression"
        aria-pressed={query.regex}
        data-testid={`${testId}-regex`}
        onClick={() => setQuery(place, { regex: !query.regex }, 0)}
      >
        <span className="toggle">.*</span>
      </IconButton>
    </>
  );
}

/** What is wrong with the pattern, below the place where it is. */
function Mistake({
  id,
  pattern,
  position,
  message,
}: {
  id: string;
  pattern: string;
  position: number | null;
  message: string;
}) {
  return (
    <div className="search-error" id={id} role="alert">
      {position !== null && (
        <pre aria-hidden="true">
          {`${pattern}\n${" ".repeat(columnsBefore(pattern, position))}^`}
        </pre>
      )}
      <p data-testid="search-error">{message}</p>
    </div>
  );
}

/** How many columns of a fixed font lie before a position, which counts characters. */
function columnsBefore(pattern: string, position: number): number {
  return [...pattern].slice(0, position).length;
}
