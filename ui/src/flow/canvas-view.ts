import { useReactFlow, useStore } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { FlowGraph } from "../bindings";
import { reducedMotion } from "../shared/motion";
import { useTextScale } from "../shared/settings-store";
import { none } from "./canvas-context";
import { chainsOf } from "./chains";
import { criticalPath } from "./critical";
import { firstView } from "./first-view";
import { useFlows } from "./flow-store";
import type { Box, Layout } from "./layout";
import { layoutOf } from "./layout-client";
import { stepOfFile } from "./lists";

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
    if (asks !== undefined) return stepOfFile(asks);
    const at = model.order.findLast(
      (id) => model.steps[id]?.state === "running",
    );
    return at === undefined ? null : stepOfFile(at);
  });
  useEffect(() => {
    if (!on) last.current = null;
    if (!on || running === null || running === last.current) return;
    last.current = running;
    goTo(running);
  }, [on, running, goTo]);
}

/** The steps whose name has these letters. */
export function useFound(
  graph: FlowGraph | undefined,
  query: string,
): ReadonlySet<string> {
  return useMemo(() => {
    const wanted = query.trim().toLowerCase();
    if (wanted === "" || !graph) return none;
    const ids = graph.nodes.map((node) => node.id);
    return new Set(ids.filter((id) => id.toLowerCase().includes(wanted)));
  }, [graph, query]);
}

/** What a person sees of the canvas, and how they get elsewhere. */
export interface CanvasView {
  /** Puts a step into the middle. */
  goTo: (step: string, zoom?: number) => void;
  fit: () => void;
  /** The canvas is the person's from now on: it stays where they put it. */
  leave: () => void;
}

/** Shows the whole until the person moves it, and then what is picked. */
export function useView(
  key: string,
  layout: Layout | null,
  graph: FlowGraph | undefined,
): CanvasView {
  const flow = useReactFlow();
  const moved = useRef(false);
  const fitted = useRef<Layout | null>(null);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const scale = useTextScale();

  /** Where a step is: its own place, or that of its chain. */
  const boxOf = useCallback(
    (step: string): Box | undefined => {
      const own = layout?.nodes[step];
      if (own || !graph) return own;
      const chain = chainsOf(graph).find((one) => one.steps.includes(step));
      return chain && layout?.nodes[chain.id];
    },
    [layout, graph],
  );
  const leave = useCallback(() => {
    moved.current = true;
  }, []);
  const goTo = useCallback(
    (step: string, zoom?: number) => {
      const box = boxOf(step);
      if (!box) return;
      moved.current = true;
      void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, {
        zoom: zoom ?? Math.max(flow.getZoom(), 0.7),
        duration: reducedMotion() ? 0 : 200,
      });
    },
    [flow, boxOf],
  );
  const fit = useCallback(() => {
    moved.current = false;
    const duration = reducedMotion() ? 0 : 200;
    void flow.fitView({ padding: 0.08, maxZoom: scale, duration });
  }, [flow, scale]);

  // Until the person moves it, the whole is shown in whatever place there is.
  useEffect(() => {
    if (!layout || width === 0 || height === 0) return;
    if (fitted.current === layout && moved.current) return;
    fitted.current = layout;
    const { x, y, zoom } = firstView(layout, width / scale, height / scale);
    void flow.setViewport({ x: x * scale, y: y * scale, zoom: zoom * scale });
  }, [layout, width, height, scale, flow]);

  // Where the person has moved it, it stays, and becomes larger or smaller around its middle.
  const scaled = useRef(scale);
  useEffect(() => {
    const by = scale / scaled.current;
    scaled.current = scale;
    if (by !== 1 && moved.current) void flow.zoomTo(flow.getZoom() * by);
  }, [scale, flow]);

  // What is picked stays in view, beside what opened because of it.
  const picked = useFlows(({ picked }) =>
    picked?.run === key ? picked.step : null,
  );
  useEffect(() => {
    const box = picked === null ? undefined : boxOf(picked);
    if (picked === null || !box || width === 0 || height === 0) return;
    const { x, y, zoom } = flow.getViewport();
    const left = box.x * zoom + x;
    const top = box.y * zoom + y;
    const inside =
      left >= 0 &&
      top >= 0 &&
      left + box.width * zoom <= width &&
      top + box.height * zoom <= height;
    if (!inside) goTo(picked);
  }, [picked, width, height, flow, boxOf, goTo]);
  return { goTo, fit, leave };
}
