import {
  MiniMap,
  type MiniMapNodeProps,
  type Node,
  type NodeProps,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import {
  createContext,
  type KeyboardEvent,
  memo,
  useCallback,
  useContext,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import type { StepState } from "../bindings";
import { IconButton } from "../shared/Button";
import { SearchIcon, UnzoomIcon, ZoomIcon } from "../shared/icons";
import {
  ChainIcon,
  CriticalIcon,
  FitIcon,
  FollowIcon,
  MapIcon,
} from "./canvas-icons";
import { chainsOf } from "./chains";
import { criticalPath } from "./critical";
import { looksOfModel, nodeOfGraph, useFlows } from "./flow-store";
import { STATE_SHAPES, StepIcon } from "./icons";
import { type LaidEdge, type Layout, pathOf } from "./layout";
import { layoutOf, layoutPlace } from "./layout-client";
import type { EdgeLook } from "./looks";
import { isTerminal } from "./run-model";
import { StepCard } from "./StepCard";

export interface FlowCanvasProps {
  /** Which of the held runs, or plans, is drawn. */
  model: string;
  onStep: (step: string) => void;
}

interface Canvas {
  model: string;
  /** Begins the names of what the picture refers to: there may be several on the page. */
  name: string;
  critical: ReadonlySet<string>;
  found: ReadonlySet<string>;
  expand: (chain: string) => void;
}

const none: ReadonlySet<string> = new Set();

const CanvasContext = createContext<Canvas>({
  model: "",
  name: "",
  critical: none,
  found: none,
  expand: () => {},
});

type StepNode = Node<Record<string, never>, "step" | "chain">;

const nodeTypes = { step: memo(StepNodeView), chain: memo(ChainNodeView) };
/** The smallest scale at which a step can be read. */
const READABLE = 0.6;
/** Below this scale a step is a patch of its state's colour: what could not be read is not drawn. */
const FAR = 0.32;
/** Below this many nodes all are drawn, wherever they are. */
const FEW = 60;

/**
 * A run as a graph. Where things are follows from the flow; how they look follows from the run: what happens in it draws
 * the cards and edges that it is about, and never the canvas.
 */
export const FlowCanvas = memo(function FlowCanvas(props: FlowCanvasProps) {
  return (
    <ReactFlowProvider>
      <InnerCanvas {...props} />
    </ReactFlowProvider>
  );
});

function InnerCanvas({ model: key, onStep }: FlowCanvasProps) {
  const graph = useFlows((state) => state.models[key]?.graph);
  const [collapsed, setCollapsed] = useState(false);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(none);
  const [criticalOn, setCriticalOn] = useState(false);
  const [following, setFollowing] = useState(false);
  const [map, setMap] = useState<boolean | null>(null);
  const [query, setQuery] = useState("");
  const layout = useLayout(key, collapsed, expanded);
  const flow = useReactFlow();
  const moved = useRef(false);

  const nodes = useMemo<StepNode[]>(
    () =>
      Object.entries(layout?.nodes ?? {}).map(([id, box]) => ({
        id,
        type: id.startsWith("chain:") ? "chain" : "step",
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        measured: { width: box.width, height: box.height },
        data: {},
        focusable: false,
      })),
    [layout],
  );
  const found = useMemo(() => {
    const wanted = query.trim().toLowerCase();
    if (wanted === "" || !graph) return none;
    return new Set(
      graph.nodes
        .filter((node) => node.id.toLowerCase().includes(wanted))
        .map((node) => node.id),
    );
  }, [graph, query]);
  const critical = useCritical(key, criticalOn);
  const name = useId().replace(/[^\w]/g, "");
  const canvas = useMemo<Canvas>(
    () => ({
      model: key,
      name,
      critical,
      found,
      expand: (chain) => setExpanded((before) => new Set([...before, chain])),
    }),
    [key, name, critical, found],
  );

  /** The node that stands for a step: itself, or its chain. */
  const nodeOf = useCallback(
    (step: string): string | null => {
      if (layout?.nodes[step]) return step;
      if (!graph) return null;
      const chain = chainsOf(graph).find((one) => one.steps.includes(step));
      return chain && layout?.nodes[chain.id] ? chain.id : null;
    },
    [layout, graph],
  );
  const goTo = useCallback(
    (step: string, zoom?: number) => {
      const id = nodeOf(step);
      const box = id === null ? undefined : layout?.nodes[id];
      if (!box) return;
      moved.current = true;
      void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, {
        zoom: zoom ?? Math.max(flow.getZoom(), 0.7),
        duration: reducedMotion() ? 0 : 200,
      });
    },
    [layout, flow, nodeOf],
  );
  useFollow(key, following, goTo);

  // Each new function would be told to every node there is.
  const onNodeClick = useCallback(
    (_: unknown, node: StepNode) => {
      if (node.type === "step") onStep(node.id);
    },
    [onStep],
  );
  const onMoveStart = useCallback((event: unknown) => {
    // A person who moves the canvas wants to look elsewhere.
    if (!event) return;
    moved.current = true;
    setFollowing(false);
  }, []);

  const searched = useRef(0);
  function search(event: KeyboardEvent<HTMLInputElement>) {
    if (event.key === "Escape") {
      setQuery("");
      event.currentTarget.blur();
    }
    if (event.key !== "Enter" || found.size === 0) return;
    const hits = [...found];
    const step =
      hits[
        (searched.current + (event.shiftKey ? hits.length - 1 : 0)) %
          hits.length
      ];
    searched.current += event.shiftKey ? hits.length - 1 : 1;
    if (step !== undefined) {
      goTo(step);
      onStep(step);
    }
  }

  function fit() {
    moved.current = false;
    void flow.fitView({
      padding: 0.08,
      maxZoom: 1,
      duration: reducedMotion() ? 0 : 200,
    });
  }
  // Until the person moves it, the whole is shown in whatever place there is.
  const fitted = useRef<Layout | null>(null);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const far = useStore((state) => state.transform[2] < FAR);
  useEffect(() => {
    if (!layout || width === 0 || height === 0) return;
    if (fitted.current === layout && moved.current) return;
    fitted.current = layout;
    showWhole(flow, layout, width, height);
  }, [layout, width, height, flow]);
  // What is picked stays in view, beside what opened because of it.
  const picked = useFlows(({ picked }) =>
    picked?.run === key ? picked.step : null,
  );
  useEffect(() => {
    const id = picked === null ? null : nodeOf(picked);
    const box = id === null ? undefined : layout?.nodes[id];
    if (!box || width === 0 || height === 0) return;
    const { x, y, zoom } = flow.getViewport();
    const left = box.x * zoom + x;
    const top = box.y * zoom + y;
    const inside =
      left >= 0 &&
      top >= 0 &&
      left + box.width * zoom <= width &&
      top + box.height * zoom <= height;
    if (!inside && picked !== null) goTo(picked);
  }, [picked, width, height, layout, flow, nodeOf, goTo]);

  if (!graph || !layout)
    return <p className="canvas-empty">Drawing the graph…</p>;
  const many = nodes.length > FEW;
  return (
    <CanvasContext.Provider value={canvas}>
      <section
        className="canvas"
        aria-label={`Graph of ${graph.name}`}
        data-testid="flow-canvas"
        data-steps={graph.nodes.length}
        data-far={far}
        data-laid-out={layoutPlace()}
      >
        <div className="canvas-tools" role="toolbar" aria-label="Canvas">
          <label className="canvas-search">
            <SearchIcon size={13} />
            <input
              aria-label="Find a step"
              placeholder="Find a step"
              value={query}
              data-testid="find-step"
              onChange={(event) => {
                searched.current = 0;
                setQuery(event.target.value);
              }}
              onKeyDown={search}
            />
            {query !== "" && <span className="faint">{found.size}</span>}
          </label>
          <IconButton label="Fit the whole graph" onClick={fit}>
            <FitIcon size={14} />
          </IconButton>
          <IconButton label="Closer" onClick={() => void flow.zoomIn()}>
            <ZoomIcon size={14} />
          </IconButton>
          <IconButton label="Further away" onClick={() => void flow.zoomOut()}>
            <UnzoomIcon size={14} />
          </IconButton>
          <IconButton
            label="Follow what runs"
            aria-pressed={following}
            onClick={() => setFollowing((on) => !on)}
          >
            <FollowIcon size={14} />
          </IconButton>
          <IconButton
            label="Show what took longest"
            aria-pressed={criticalOn}
            data-testid="critical-path"
            onClick={() => setCriticalOn((on) => !on)}
          >
            <CriticalIcon size={14} />
          </IconButton>
          <IconButton
            label="Draw long chains as one"
            aria-pressed={collapsed}
            onClick={() => {
              setExpanded(none);
              setCollapsed((on) => !on);
            }}
          >
            <ChainIcon size={14} />
          </IconButton>
          <IconButton
            label="Map"
            aria-pressed={map ?? many}
            onClick={() => setMap((on) => !(on ?? many))}
          >
            <MapIcon size={14} />
          </IconButton>
        </div>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: one stop for the Tab key, whose arrows move between the steps inside */}
        <div
          className="canvas-body"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
          tabIndex={0}
          onKeyDown={(event) => moveBetween(event, layout, goTo, onStep)}
        >
          <ReactFlow
            nodes={nodes}
            nodeTypes={nodeTypes}
            onNodeClick={onNodeClick}
            onMoveStart={onMoveStart}
            onlyRenderVisibleElements={many}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            elevateNodesOnSelect={false}
            panOnScroll
            zoomOnDoubleClick={false}
            deleteKeyCode={null}
            selectionKeyCode={null}
            multiSelectionKeyCode={null}
            disableKeyboardA11y
            minZoom={0.04}
            maxZoom={2}
          >
            <ViewportPortal>
              <Frames layout={layout} />
              <Edges layout={layout} />
            </ViewportPortal>
            {(map ?? many) && (
              <MiniMap<StepNode>
                className="canvas-map"
                pannable
                zoomable
                nodeComponent={MiniStep}
                ariaLabel="Map of the graph"
                maskColor="var(--canvas-mask)"
                bgColor="var(--ground)"
              />
            )}
          </ReactFlow>
        </div>
      </section>
    </CanvasContext.Provider>
  );
}

function reducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Shows all of a graph, unless that would make it too small to read: then its beginning. */
function showWhole(
  flow: ReturnType<typeof useReactFlow>,
  layout: Layout,
  width: number,
  height: number,
): void {
  const whole = Math.min(width / layout.width, height / layout.height, 1);
  const zoom = Math.max(whole, READABLE);
  void flow.setViewport({
    zoom,
    x: (width - layout.width * zoom) / 2,
    y: zoom > whole ? 0 : Math.max((height - layout.height * zoom) / 2, 0),
  });
}

function useLayout(
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

function useCritical(key: string, on: boolean): ReadonlySet<string> {
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
function useFollow(
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

/** Arrows go to the nearest step in their direction. */
function moveBetween(
  event: KeyboardEvent<HTMLElement>,
  layout: Layout,
  goTo: (step: string) => void,
  onStep: (step: string) => void,
): void {
  const ways: Record<string, [number, number]> = {
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  };
  const way = ways[event.key];
  const target = event.target as HTMLElement;
  const current = target.closest<HTMLElement>("[data-step]")?.dataset.step;
  if (event.key === "Enter" && current === undefined) {
    const first = nearest(layout, null, [0, 1]);
    if (first !== null) focusStep(first, goTo);
    return;
  }
  if ((event.key === "Enter" || event.key === " ") && current !== undefined) {
    event.preventDefault();
    if (!current.startsWith("chain:")) onStep(current);
    else target.click();
    return;
  }
  if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const next = nearest(layout, current ?? null, way);
  if (next !== null) focusStep(next, goTo);
}

function focusStep(step: string, goTo: (step: string) => void): void {
  goTo(step);
  // A step that was out of view is drawn once the canvas has moved.
  let tries = 20;
  const focus = () => {
    const element = document.querySelector<HTMLElement>(
      `.canvas [data-step="${CSS.escape(step)}"]`,
    );
    if (element) element.focus({ preventScroll: true });
    else if (tries-- > 0) requestAnimationFrame(focus);
  };
  requestAnimationFrame(focus);
}

/** The nearest node in a direction; the first one when there is none to begin from. */
export function nearest(
  layout: Layout,
  from: string | null,
  [dx, dy]: [number, number],
): string | null {
  const start = from === null ? undefined : layout.nodes[from];
  let best: { id: string; distance: number } | null = null;
  for (const [id, box] of Object.entries(layout.nodes)) {
    if (id === from) continue;
    const x = start ? box.x - start.x : box.x;
    const y = start ? box.y - start.y : box.y;
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    if (start && along < 8) continue;
    const distance = start ? along + across * 2 : y * 4 + x;
    if (!best || distance < best.distance) best = { id, distance };
  }
  return best?.id ?? null;
}

function StepNodeView({ id }: NodeProps<StepNode>) {
  const { model, critical, found } = useContext(CanvasContext);
  const node = useFlows((state) => nodeOfGraph(state.models[model]?.graph, id));
  const step = useFlows((state) => state.models[model]?.steps[id]);
  const look = useFlows((state) => {
    const of = state.models[model];
    return of ? (looksOfModel(of).nodes[id] ?? "open") : "open";
  });
  const picked = useFlows(
    ({ picked }) => picked?.run === model && picked.step === id,
  );
  if (!node) return null;
  return (
    <StepCard
      node={node}
      step={step}
      look={look}
      critical={critical.has(id)}
      picked={picked}
      found={found.has(id)}
    />
  );
}

/** Several steps drawn as one: how many, and the state that matters most among them. */
function ChainNodeView({ id }: NodeProps<StepNode>) {
  const { model, expand, found } = useContext(CanvasContext);
  const graph = useFlows((state) => state.models[model]?.graph);
  const chain = useMemo(
    () => (graph ? chainsOf(graph).find((one) => one.id === id) : undefined),
    [graph, id],
  );
  const summary = useFlows((state) =>
    chain
      ? chainSummary(
          chain.steps.map(
            (step) => state.models[model]?.steps[step]?.state ?? "pending",
          ),
        )
      : "",
  );
  if (!chain) return null;
  const [state = "pending", words = ""] = summary.split("|") as [
    StepState,
    string,
  ];
  const label = `${chain.steps.length} steps, ${chain.steps[0]} to ${chain.steps.at(-1)}: ${words}`;
  return (
    <button
      type="button"
      className={`step-card chain ${state === "skipped" ? "dimmed" : state === "pending" ? "open" : "lit"} ${chain.steps.some((step) => found.has(step)) ? "found" : ""}`}
      data-state={state}
      data-step={id}
      aria-label={`${label}. Shows them`}
      tabIndex={-1}
      onClick={() => expand(id)}
    >
      <span className="step-kind">
        <ChainIcon size={16} />
      </span>
      <span className="step-text">
        <span className="step-name">
          {chain.steps[0]} … {chain.steps.at(-1)}
        </span>
        <span className="step-note">{words}</span>
      </span>
      <span className="step-side">
        <StepIcon state={state} size={15} />
      </span>
    </button>
  );
}

const MATTERS: StepState[] = [
  "awaiting_approval",
  "failed",
  "timed_out",
  "rejected",
  "running",
  "retry_wait",
  "queued",
  "cancelled",
  "pending",
  "skipped",
  "succeeded",
];

/** The state that matters most, and how many steps are done: `running|3 of 8 done`. */
export function chainSummary(states: StepState[]): string {
  const worst = MATTERS.find((state) => states.includes(state)) ?? "pending";
  const done = states.filter(isTerminal).length;
  return `${worst}|${done} of ${states.length} done`;
}

function MiniStep({ id, x, y, width, height }: MiniMapNodeProps) {
  const { model } = useContext(CanvasContext);
  const state = useFlows(
    (flows) => flows.models[model]?.steps[id]?.state ?? "pending",
  );
  return (
    <rect
      className="mini-step"
      data-state={state}
      x={x}
      y={y}
      width={width}
      height={height}
      rx={6}
    />
  );
}

const Frames = memo(function Frames({ layout }: { layout: Layout }) {
  return layout.frames.map((frame) => (
    <BatchFrame key={frame.batch} batch={frame.batch} box={frame.box} />
  ));
});

function BatchFrame({
  batch,
  box,
}: {
  batch: string;
  box: Layout["frames"][number]["box"];
}) {
  const { model } = useContext(CanvasContext);
  const words = useFlows((state) => {
    const of = state.models[model];
    const members = of?.graph.batches.find((one) => one.name === batch);
    if (!of || !members) return "";
    return batchWords(
      members.steps.map((id) => of.steps[id]?.state ?? "pending"),
      members.max_concurrent,
    );
  });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a frame on a canvas is no <fieldset>
    <div
      className="batch-frame"
      role="group"
      aria-label={`Batch ${batch}: ${words}`}
      data-testid={`batch-${batch}`}
      style={{
        transform: `translate(${box.x}px, ${box.y}px)`,
        width: box.width,
        height: box.height,
      }}
    >
      <span className="batch-name">{batch}</span>
      <span className="batch-words">{words}</span>
    </div>
  );
}

/** `2 of 3 running, limit 2`; once all have ended, how many did. */
export function batchWords(states: StepState[], limit: number): string {
  const running = states.filter((state) => state === "running").length;
  const ended = states.filter(isTerminal).length;
  if (running === 0 && ended === states.length)
    return `${ended} of ${states.length} ended, limit ${limit}`;
  return `${running} of ${states.length} running, limit ${limit}`;
}

const Edges = memo(function Edges({ layout }: { layout: Layout }) {
  const { name } = useContext(CanvasContext);
  return (
    <svg
      className="edges"
      width={layout.width}
      height={layout.height}
      aria-label="What waits for what"
    >
      <defs>
        {(["open", "lit", "bad", "dimmed", "critical"] as const).map((look) => (
          <marker
            key={look}
            id={`${name}-${look}`}
            className={`arrow ${look}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M1 1 7 4 1 7" />
          </marker>
        ))}
      </defs>
      {layout.edges.map((edge) => (
        <EdgeView key={edge.key} edge={edge} />
      ))}
    </svg>
  );
});

const ARROWS: Record<EdgeLook, string> = {
  open: "open",
  ahead: "lit",
  lit: "lit",
  flowing: "lit",
  bad: "bad",
  dimmed: "dimmed",
};

const EdgeView = memo(function EdgeView({ edge }: { edge: LaidEdge }) {
  const { model, name, critical } = useContext(CanvasContext);
  const look = useFlows((state): EdgeLook => {
    const of = state.models[model];
    if (!of || edge.kind === "goto") return "open";
    const known = looksOfModel(of).edges[edge.key];
    if (known) return known;
    return throughChain(of, edge);
  });
  const path = useMemo(() => pathOf(edge), [edge]);
  const label = edge.labels.join(" · ");
  const onPath = critical.has(edge.from) && critical.has(edge.to);
  const arrow = onPath
    ? "critical"
    : edge.kind === "goto"
      ? "open"
      : ARROWS[look];
  const classes = ["edge", look, edge.kind, onPath && "critical"]
    .filter(Boolean)
    .join(" ");
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: an edge is a picture with a name
    <g
      className={classes}
      role="img"
      aria-label={edgeLabel(edge, look)}
      data-edge={edge.key}
      data-look={look}
    >
      {/* WebKit goes on drawing the arrowhead that a path had first: another arrowhead is another path. */}
      <path key={arrow} d={path} markerEnd={`url(#${name}-${arrow})`} />
      {look === "flowing" && <path d={path} className="flow" />}
      {edge.labelAt && label !== "" && (
        <EdgeLabel at={edge.labelAt} label={label} look={look} />
      )}
    </g>
  );
});

/** An edge that begins or ends in a chain that is drawn as one node. */
function throughChain(
  of: NonNullable<ReturnType<typeof useFlows.getState>["models"][string]>,
  edge: LaidEdge,
): EdgeLook {
  const chains = chainsOf(of.graph);
  const end = (id: string, side: "first" | "last") => {
    const chain = chains.find((one) => one.id === id);
    if (!chain) return id;
    return (side === "first" ? chain.steps[0] : chain.steps.at(-1)) ?? id;
  };
  return (
    looksOfModel(of).edges[
      `${end(edge.from, "last")}→${end(edge.to, "first")}`
    ] ?? "open"
  );
}

function EdgeLabel({
  at,
  label,
  look,
}: {
  at: { x: number; y: number };
  label: string;
  look: EdgeLook;
}) {
  const shown = label.length > 24 ? `${label.slice(0, 23)}…` : label;
  const taken = look === "lit" || look === "flowing";
  const width = shown.length * 6.6 + (taken ? 28 : 14);
  return (
    <g className="edge-label" transform={`translate(${at.x} ${at.y})`}>
      <title>{label}</title>
      <rect x={-width / 2} y={-9} width={width} height={18} rx={9} />
      {taken && (
        <path
          className="edge-tick"
          transform={`translate(${-width / 2 + 6} -6) scale(.75)`}
          d={STATE_SHAPES.succeeded.path}
        />
      )}
      <text x={taken ? 6 : 0} dy="0.34em">
        {shown}
      </text>
    </g>
  );
}

const LOOK_WORDS: Record<EdgeLook, string> = {
  open: "",
  ahead: "the way ahead",
  lit: "taken",
  flowing: "under way",
  bad: "a failure came this way",
  dimmed: "not taken",
};

export function edgeLabel(
  edge: Pick<LaidEdge, "from" | "to" | "kind" | "labels">,
  look: EdgeLook,
): string {
  const way =
    edge.kind === "goto"
      ? `${edge.from} goes back to ${edge.to} when it is rejected`
      : edge.labels.length > 0
        ? `${edge.from}, case ${edge.labels.join(" or ")}, to ${edge.to}`
        : `${edge.from} to ${edge.to}`;
  const words = LOOK_WORDS[look];
  return words === "" ? way : `${way}: ${words}`;
}
