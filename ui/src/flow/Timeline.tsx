import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { StepView } from "../bindings";
import { formatDuration } from "../shared/durations";
import { showStep } from "./actions";
import { useFlows } from "./flow-store";
import { StepIcon } from "./icons";
import { hasEnded, type RunModel } from "./run-model";
import { useNow } from "./StepCard";
import { type Segment, segmentsOf, tickOf } from "./timeline";
import { STATE_WORDS } from "./words";

const ROW = 26;
const WORDS: Record<Segment["kind"], string> = {
  queued: "queued",
  running: "at work",
  retry: "waits to retry",
  approval: "waits for a person",
};

/** When each step of a run was queued, at work, waiting to retry, or for a person. */
export function Timeline({ run }: { run: string }) {
  const model = useFlows((state) => state.models[run]);
  const ended = model ? hasEnded(model.run.state) : true;
  const now = useNow(!ended);
  const holder = useRef<HTMLDivElement>(null);
  const order = useMemo(() => (model ? byBeginning(model) : []), [model]);
  const rows = useVirtualizer({
    count: order.length,
    getScrollElement: () => holder.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  if (!model) return null;
  const start = model.run.started_at;
  const end = ended ? (model.run.ended_at ?? now) : now;
  const span = Math.max(end - start, 50) * 1.02;
  const tick = tickOf(span);
  const ticks = Array.from(
    { length: Math.floor(span / tick) + 1 },
    (_, index) => index * tick,
  );
  return (
    <section
      className="timeline"
      aria-label={`Timeline of ${model.run.flow}`}
      data-testid="timeline"
    >
      <div className="timeline-head" aria-hidden="true">
        <span className="timeline-name" />
        <span className="timeline-scale">
          {ticks.map((at) => (
            <span key={at} style={{ left: `${(at / span) * 100}%` }}>
              {at === 0 ? "0" : formatDuration(at)}
            </span>
          ))}
        </span>
      </div>
      <div className="timeline-rows" ref={holder}>
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((item) => {
            const id = order[item.index] ?? "";
            return (
              <button
                type="button"
                key={id}
                className="timeline-row"
                data-state={model.steps[id]?.state}
                data-testid={`timeline-${id}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => showStep(run, id)}
              >
                <TimelineRow
                  id={id}
                  step={model.steps[id]}
                  start={start}
                  span={span}
                  now={now}
                />
              </button>
            );
          })}
        </div>
      </div>
      <ul className="timeline-legend" aria-label="What the bars mean">
        {(["queued", "running", "retry", "approval"] as const).map((kind) => (
          <li key={kind}>
            <span className={`segment ${kind}`} data-state="succeeded" />
            {WORDS[kind]}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The steps of a run, in the order in which they began. */
function byBeginning(model: RunModel): string[] {
  const begin = (id: string) => {
    const step = model.steps[id];
    const first = step?.attempts[0];
    return (
      first?.queued_at ??
      first?.started_at ??
      step?.queued_at ??
      Number.POSITIVE_INFINITY
    );
  };
  return [...model.order].sort((a, b) => {
    const by = begin(a) - begin(b);
    return Number.isNaN(by) ? 0 : by;
  });
}

/** What one step did when, on a scale that begins at `start` and is `span` long, both in milliseconds. */
function TimelineRow({
  id,
  step,
  start,
  span,
  now,
}: {
  id: string;
  step: StepView | undefined;
  start: number;
  span: number;
  now: number;
}) {
  const own = step ? segmentsOf(step) : [];
  const percent = (length: number) => `${(length / span) * 100}%`;
  return (
    <>
      <span className="timeline-name">
        {step && <StepIcon state={step.state} size={13} />}
        <span>{id}</span>
      </span>
      <span className="timeline-track">
        {own.length === 0 && (
          <span className="timeline-none">
            {step && STATE_WORDS[step.state]}
          </span>
        )}
        {own.map((segment) => {
          const to = segment.to ?? Math.max(now, segment.from);
          const words = wordsOf(segment, to);
          return (
            <span
              key={`${segment.kind}${segment.from}${segment.attempt}`}
              className={`segment ${segment.kind}`}
              data-state={segment.state ?? "running"}
              role="img"
              aria-label={words}
              title={words}
              style={{
                left: percent(segment.from - start),
                width: `max(${percent(to - segment.from)}, 2px)`,
              }}
            />
          );
        })}
      </span>
    </>
  );
}

function wordsOf({ kind, attempt, from, state }: Segment, to: number): string {
  const again = attempt > 1 ? `, attempt ${attempt}` : "";
  const came = state && kind === "running" ? `, ${STATE_WORDS[state]}` : "";
  return `${WORDS[kind]}${again}: ${formatDuration(to - from)}${came}`;
}
