import { memo, useEffect, useState } from "react";
import type { GraphNode, StepView } from "../bindings";
import { formatDuration, formatTicking } from "../shared/durations";
import { KIND_PATHS, Shape, StepIcon } from "./icons";
import type { NodeLook } from "./looks";
import { asksForPerson, isTerminal, lastAttempt } from "./run-model";
import { KIND_WORDS, stepDuration, stepLabel, stepWordsAt } from "./words";

export interface StepCardProps {
  node: GraphNode;
  step: StepView | undefined;
  look: NodeLook;
  /** Of a step with a list: how many items came to what. */
  list?: string | null;
  critical?: boolean;
  picked?: boolean;
  found?: boolean;
}

/**
 * A step on the canvas: its kind, its name, what happened to it. The shape of the icon and the words say what the
 * colours say.
 */
export const StepCard = memo(function StepCard({
  node,
  step,
  look,
  list = null,
  critical = false,
  picked = false,
  found = false,
}: StepCardProps) {
  // While its items are at work, so is a step with a list.
  const waits = step?.state ?? "pending";
  const state = list !== null && waits === "pending" ? "running" : waits;
  const className = [
    "step-card",
    look,
    critical && "critical",
    picked && "picked",
    found && "found",
  ]
    .filter(Boolean)
    .join(" ");
  const attempts = step?.attempts.length ?? 0;
  return (
    <button
      type="button"
      className={className}
      data-kind={node.kind}
      data-state={state}
      data-asks={(step && asksForPerson(step) !== null) || undefined}
      data-step={node.id}
      data-list={node.foreach ? "" : undefined}
      data-testid={`step-${node.id}`}
      aria-label={
        list === null
          ? stepLabel(node, step)
          : `${stepLabel(node, step)}, ${list}`
      }
      aria-pressed={picked}
      title={node.description ?? undefined}
      // The canvas has one stop for the Tab key; arrows move within it.
      tabIndex={-1}
    >
      <span className="step-kind" title={KIND_WORDS[node.kind]}>
        <Shape path={KIND_PATHS[node.kind]} size={16} />
      </span>
      <span className="step-text">
        <span className="step-name">{node.id}</span>
        <span className="step-note">
          {list ?? (step ? stepWordsAt(node, step) : KIND_WORDS[node.kind])}
        </span>
      </span>
      <span className="step-side">
        <span className="step-marks">
          {attempts > 1 && !node.repeat && (
            <span className="step-attempts" title={`${attempts} attempts`}>
              ×{attempts}
            </span>
          )}
          {step && (
            <StepIcon
              state={asksForPerson(step) === null ? state : "awaiting_approval"}
              size={15}
            />
          )}
        </span>
        {step && !node.repeat && !node.foreach && <Elapsed step={step} />}
      </span>
    </button>
  );
});

/** How long a step took; it counts while the step is at work. Only such steps ever tick. */
export function Elapsed({ step }: { step: StepView }) {
  const last = lastAttempt(step);
  const ticking =
    step.state === "running" || step.state === "awaiting_approval";
  const retrying = step.state === "retry_wait" && last?.due != null;
  const now = useNow(ticking || retrying);
  if (retrying && last?.due != null)
    return (
      <span className="step-time">in {formatTicking(last.due - now)}</span>
    );
  const duration = stepDuration(step, ticking ? now : undefined);
  if (duration === null || (!ticking && !isTerminal(step.state))) return null;
  return (
    <span className="step-time">
      {ticking ? formatTicking(duration) : formatDuration(duration)}
    </span>
  );
}

const listeners = new Set<(now: number) => void>();
let ticker: ReturnType<typeof setInterval> | null = null;

/** The time in whole seconds while `on`; everything on screen ticks at once. */
export function useNow(on: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    listeners.add(setNow);
    ticker ??= setInterval(() => {
      const time = Date.now();
      for (const listener of listeners) listener(time);
    }, 1000);
    return () => {
      listeners.delete(setNow);
      if (listeners.size === 0 && ticker !== null) {
        clearInterval(ticker);
        ticker = null;
      }
    };
  }, [on]);
  return now;
}
