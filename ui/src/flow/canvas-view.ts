import { useEffect, useMemo, useRef, useState } from "react";
import { none } from "./canvas-context";
import { chainsOf } from "./chains";
import { criticalPath } from "./critical";
import { useFlows } from "./flow-store";
import type { Layout } from "./layout";
import { layoutOf } from "./layout-client";

export function reducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Where things are; the last picture stays until the next one is laid out. */
export function useLayout(
  key: string,
  collapsed: boolean,
  expanded: ReadonlySet<string>,
): Layout | null {
  const graph = useFlows((state) => state.models[key]?.graph);
  const [layout, setLayout] = useState<Layout | null>(null);
  useEffect(() => {
    if (!graph) return;
    let wanted = true;
    const chains = collapsed
      ? chainsOf(graph).filter((chain) => !expanded.has(chain.id))
      : [];
    void layoutOf({ graph, chains }).then((made) => {
      if (wanted) setLayout(made);
    });
    return () => {
      wanted = false;
    };
  }, [graph, collapsed, expanded]);
  return layout;
}

/** The steps that the run waited for longest; none when they are not asked for. */
export function useCritical(key: string, on: boolean): ReadonlySet<string> {
  const model = useFlows((state) => (on ? state.models[key] : undefined));
  return useMemo(
    () =>
      model
        ? new Set(criticalPath(model.graph, model.steps, Date.now()))
        : none,
    [model],
  );
}

/** Keeps what runs in view. */
export function useFollow(
  key: string,
  on: boolean,
  goTo: (step: string) => void,
): void {
  const last = useRef<string | null>(null);
  const running = useFlows((state) => {
    const model = on ? state.models[key] : undefined;
    if (!model) return null;
    const asks = model.run.asks[0];
    if (asks !== undefined) return asks;
    return (
      model.order.findLast((id) => model.steps[id]?.state === "running") ?? null
    );
  });
  useEffect(() => {
    if (!on) last.current = null;
    if (!on || running === null || running === last.current) return;
    last.current = running;
    goTo(running);
  }, [on, running, goTo]);
}
