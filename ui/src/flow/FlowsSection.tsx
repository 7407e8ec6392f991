import { useEffect, useMemo, useState } from "react";
import type { FlowFile, RunInfo } from "../bindings";
import { IconButton } from "../shared/Button";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { useDock } from "../shared/dock/dock";
import { useDrafts } from "../shared/drafts";
import { HistoryIcon, PlayIcon } from "../shared/icons";
import { saidInLetters } from "../shared/said-parts";
import { walk } from "../shared/walk";
import { openSample, RUN, showFlow, showRun, showRuns } from "./actions";
import { draftOfFlow } from "./flow-file";
import { namesakes } from "./flow-places";
import { useFlows } from "./flow-store";
import { RunIcon, Shape } from "./icons";
import { RunMenu } from "./RunMenu";
import { hasEnded } from "./run-model";
import { askToStart } from "./StartDialog";
import "./run.css";
import { formatWhen, RUN_WORDS } from "./words";

/** How many runs the sidebar shows before it points to all of them. */
const SHOWN = 6;

/** For so long a run that has ended stays where it was: its outcome is what one looks for. */
const FRESH_MS = 10 * 60_000;

/** What goes on comes first, and with it what has ended just now; then the rest. Each newest first. */
export function inOrder(runs: RunInfo[], now: number): RunInfo[] {
  const onTop = (run: RunInfo) =>
    !hasEnded(run.state) ||
    (run.ended_at !== null && now - run.ended_at < FRESH_MS);
  return [
    ...runs.filter(onTop),
    ...runs
      .filter((run) => !onTop(run))
      .sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0)),
  ];
}

/** The time, as soon as a run has been over for long enough. */
function useFreshness(runs: RunInfo[]): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const at = Date.now();
    const ends = runs.map((run) => (run.ended_at ?? 0) + FRESH_MS);
    const next = Math.min(...ends.filter((end) => end > at));
    setNow(at);
    if (!Number.isFinite(next)) return;
    const timer = setTimeout(() => setNow(Date.now()), next - at);
    return () => clearTimeout(timer);
  }, [runs]);
  return now;
}

/** Flows and their runs in the sidebar. */
export function FlowsSection() {
  const runs = useFlows((state) => state.runs);
  const files = useFlows((state) => state.files);
  const searched = useFlows((state) => state.searched);
  const where = useMemo(() => namesakes(files), [files]);
  const [open, setOpen] = useState(true);
  const activeId = useDock((state) => state.activeId);
  const shown = inOrder(runs, useFreshness(runs)).slice(0, SHOWN);
  return (
    <section className="flows" aria-label="Flows" data-testid="flows">
      <header className="sidebar-heading">
        <h2>
          <button
            type="button"
            className="section-toggle"
            aria-expanded={open}
            onClick={() => setOpen((on) => !on)}
          >
            Flows
          </button>
        </h2>
        <span className="spacer" />
        <IconButton label="All runs" onClick={showRuns}>
          <HistoryIcon size={14} />
        </IconButton>
      </header>
      {open && (
        // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside
        <div onKeyDown={walk}>
          {shown.length > 0 && (
            <ul>
              {shown.map((run) => (
                <RunRow
                  key={run.id}
                  run={run}
                  active={activeId === `${RUN}-${run.id}`}
                />
              ))}
            </ul>
          )}
          {runs.length > SHOWN && (
            <button
              type="button"
              data-walk
              className="flows-more"
              onClick={showRuns}
            >
              {runs.length - SHOWN} more
            </button>
          )}
          {files.length > 0 && (
            <ul className="flow-files">
              {files.map((file) => (
                <FileRow
                  key={file.path}
                  file={file}
                  where={where.get(file.path)}
                />
              ))}
            </ul>
          )}
          {files.length === 0 && (
            <p className="empty">
              {searched && "No flow was found here. "}
              <button
                type="button"
                className="link-button"
                onClick={() => void openSample()}
              >
                Try a sample
              </button>
            </p>
          )}
        </div>
      )}
    </section>
  );
}

function RunRow({ run, active }: { run: RunInfo; active: boolean }) {
  const asks = run.asks.length > 0 && !hasEnded(run.state);
  return (
    <RunMenu run={run}>
      <li className="pane-row" data-active={active}>
        <button
          type="button"
          className="pane-button"
          data-walk
          data-testid={`sidebar-run-${run.id}`}
          aria-current={active}
          title={`${run.flow}, run ${run.id}`}
          onClick={() => showRun(run.id)}
        >
          <RunIcon state={run.state} size={14} />
          <span className="pane-text">
            <span className="pane-title">
              {run.flow}
              <span className="pane-command">
                {hasEnded(run.state)
                  ? formatWhen(run.started_at)
                  : `${run.done} of ${run.steps}`}
              </span>
            </span>
          </span>
          <span className={asks ? "pane-state run-asks-you" : "pane-state"}>
            {asks ? "needs you" : RUN_WORDS[run.state]}
          </span>
        </button>
      </li>
    </RunMenu>
  );
}

function FileRow({
  file,
  where,
}: {
  file: FlowFile;
  /** What tells it from others of its name. */
  where: string | undefined;
}) {
  const unsaved = useDrafts(
    ({ drafts }) => drafts[draftOfFlow(file.path)] !== undefined,
  );
  const items = () => [
    [
      { title: "Open the flow", run: () => showFlow(file.path) },
      file.problem === null && {
        title: "Start a run…",
        run: () => askToStart(file.path),
      },
    ],
    [copying("Copy its path", file.path)],
  ];
  return (
    <ContextMenu items={items}>
      <li className="pane-row">
        <button
          type="button"
          className="pane-button"
          data-walk
          data-testid={`flow-${file.name}`}
          title={`${file.path}${file.problem ? `\n${saidInLetters(file.problem)}` : ""}`}
          onClick={() => showFlow(file.path)}
        >
          <span className="flow-file-icon">
            <Shape
              path="M4.5 2.5h5l2.5 2.5v8.5h-7.5ZM6.5 7.5h4M6.5 10h4"
              size={14}
            />
          </span>
          <span className="pane-text">
            <span className="pane-title">
              {file.name}
              {where !== undefined && (
                <span className="pane-command">{where}</span>
              )}
            </span>
          </span>
          {file.problem !== null && (
            <span className="flow-problem">can't run</span>
          )}
          {unsaved && <span className="flow-dirty">not saved</span>}
        </button>
        {file.problem === null && (
          <IconButton
            label={`Start ${file.name}${where === undefined ? "" : ` in ${where}`}`}
            data-testid={`start-${file.name}`}
            onClick={() => askToStart(file.path)}
          >
            <PlayIcon size={14} />
          </IconButton>
        )}
      </li>
    </ContextMenu>
  );
}
