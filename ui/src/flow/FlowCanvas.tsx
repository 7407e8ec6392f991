import {
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import {
  type KeyboardEvent,
  memo,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { IconButton } from "../shared/Button";
import { SearchIcon, UnzoomIcon, ZoomIcon } from "../shared/icons";
import { type Canvas, CanvasContext, FarContext, none } from "./canvas-context";
import { Edges } from "./canvas-edges";
import {
  ChainIcon,
  CriticalIcon,
  FitIcon,
  FollowIcon,
  MapIcon,
} from "./canvas-icons";
import { moveBetween } from "./canvas-keys";
import {
  FarSteps,
  Frames,
  MiniStep,
  nodeTypes,
  type StepNode,
} from "./canvas-nodes";
import {
  reducedMotion,
  useCritical,
  useFollow,
  useLayout,
} from "./canvas-view";
import { chainsOf, isChain } from "./chains";
import { firstView } from "./first-view";
import { useFlows } from "./flow-store";
import type { Layout } from "./layout";
import { layoutPlace } from "./layout-client";
import "@xyflow/react/dist/base.css";
import "./canvas.css";

export interface FlowCanvasProps {
  /** Which of the held runs, or plans, is drawn. */
  model: string;
  onStep: (step: string) => void;
}

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
        type: isChain(id) ? "chain" : "step",
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
  const open = useCallback(
    (node: string) => {
      if (isChain(node)) setExpanded((before) => new Set([...before, node]));
      else onStep(node);
    },
    [onStep],
  );
  const canvas = useMemo<Canvas>(
    () => ({
      model: key,
      name,
      critical,
      found,
      open,
    }),
    [key, name, critical, found, open],
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
    (_: unknown, node: StepNode) => open(node.id),
    [open],
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
    void flow.setViewport(firstView(layout, width, height));
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
  // From far away there is little beyond the canvas that a map could show.
  const mapped = map ?? (many && !far);
  return (
    <CanvasContext value={canvas}>
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
            aria-pressed={mapped}
            onClick={() => setMap(!mapped)}
          >
            <MapIcon size={14} />
          </IconButton>
        </div>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: one stop for the Tab key, whose arrows move between the steps inside */}
        <div
          className="canvas-body"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
          tabIndex={0}
          onKeyDown={(event) => moveBetween(event, layout, goTo, open)}
        >
          <FarContext value={far}>
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
                {far && <FarSteps layout={layout} />}
              </ViewportPortal>
              {mapped && (
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
          </FarContext>
        </div>
      </section>
    </CanvasContext>
  );
}
