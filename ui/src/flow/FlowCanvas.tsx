import {
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import { memo, useCallback, useId, useMemo, useState } from "react";
import { ContextMenu } from "../shared/ContextMenu";
import { type CanvasToggle, CanvasTools } from "./CanvasTools";
import { type Canvas, CanvasContext, FarContext, none } from "./canvas-context";
import { Edges } from "./canvas-edges";
import { ChainIcon, CriticalIcon, FollowIcon, MapIcon } from "./canvas-icons";
import { moveBetween } from "./canvas-keys";
import {
  FarSteps,
  Frames,
  MiniStep,
  nodeTypes,
  type StepNode,
} from "./canvas-nodes";
import {
  useCritical,
  useFollow,
  useFound,
  useLayout,
  useView,
} from "./canvas-view";
import { isChain } from "./chains";
import { pick, useFlows } from "./flow-store";
import type { Layout } from "./layout";
import { layoutPlace } from "./layout-client";
import { stepMenu } from "./step-menu";

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
  const flow = useReactFlow();
  const layout = useLayout(key, collapsed, expanded);
  const { goTo, fit, leave } = useView(key, layout, graph);
  const found = useFound(graph, query);
  const critical = useCritical(key, criticalOn);
  const followTo = useCallback(
    (step: string) => {
      goTo(step);
      // The step that is shown in full is the one that is followed.
      if (useFlows.getState().picked?.run === key) pick({ run: key, step });
    },
    [key, goTo],
  );
  useFollow(key, following, followTo);
  const name = useId().replace(/[^\w]/g, "");
  const open = useCallback(
    (node: string) => {
      if (isChain(node)) setExpanded((before) => new Set([...before, node]));
      else onStep(node);
    },
    [onStep],
  );
  const canvas = useMemo<Canvas>(
    () => ({ model: key, name, critical, found, open }),
    [key, name, critical, found, open],
  );
  const onMove = useCallback(() => {
    leave();
    setFollowing(false);
  }, [leave]);
  const far = useStore((state) => state.transform[2] < FAR);

  if (!graph || !layout)
    return <p className="canvas-empty">Drawing the graph…</p>;
  // From far away there is little beyond the canvas that a map could show.
  const mapped = map ?? (Object.keys(layout.nodes).length > FEW && !far);
  const critically = toggle(
    "Show what took longest",
    CriticalIcon,
    criticalOn,
    setCriticalOn,
  );
  const toggles = [
    toggle("Follow what runs", FollowIcon, following, setFollowing),
    { ...critically, testId: "critical-path" },
    toggle("Draw long chains as one", ChainIcon, collapsed, (on) => {
      setExpanded(none);
      setCollapsed(on);
    }),
    toggle("Map", MapIcon, mapped, setMap),
  ];
  return (
    <CanvasContext value={canvas}>
      <ContextMenu
        items={(on) => {
          const { step } =
            on.closest<HTMLElement>("[data-step]")?.dataset ?? {};
          const model = useFlows.getState().models[key];
          return step === undefined ? [] : stepMenu(model, step, onStep);
        }}
      >
        <section
          className="canvas"
          aria-label={`Graph of ${graph.name}`}
          data-testid="flow-canvas"
          data-steps={graph.nodes.length}
          data-far={far}
          data-laid-out={layoutPlace()}
        >
          <CanvasTools
            query={query}
            found={found}
            onQuery={setQuery}
            onFound={(step) => {
              goTo(step);
              onStep(step);
            }}
            onFit={fit}
            onCloser={() => void flow.zoomIn()}
            onFurther={() => void flow.zoomOut()}
            toggles={toggles}
          />
          <div
            className="canvas-body"
            role="application"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: one stop for the Tab key, whose arrows move between the steps inside
            tabIndex={0}
            aria-label="Steps; the arrow keys go from one to the next"
            onKeyDown={(event) => moveBetween(event, layout, goTo, open)}
          >
            <FarContext value={far}>
              <Drawing
                layout={layout}
                far={far}
                mapped={mapped}
                onNode={open}
                onMove={onMove}
              />
            </FarContext>
          </div>
        </section>
      </ContextMenu>
    </CanvasContext>
  );
}

function toggle(
  label: string,
  Icon: typeof MapIcon,
  on: boolean,
  set: (on: boolean) => void,
): CanvasToggle {
  return { label, icon: <Icon size={14} />, on, onToggle: () => set(!on) };
}

/** What is drawn, and can be moved and scaled. */
function Drawing({
  layout,
  far,
  mapped,
  onNode,
  onMove,
}: {
  layout: Layout;
  far: boolean;
  mapped: boolean;
  onNode: (node: string) => void;
  onMove: () => void;
}) {
  const nodes = useMemo<StepNode[]>(
    () =>
      Object.entries(layout.nodes).map(([id, box]) => ({
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
  // Each new function would be told to every node there is.
  const onNodeClick = useCallback(
    (_: unknown, node: StepNode) => onNode(node.id),
    [onNode],
  );
  const onMoveStart = useCallback(
    (event: unknown) => {
      // A person who moves the canvas wants to look elsewhere.
      if (event) onMove();
    },
    [onMove],
  );
  return (
    <ReactFlow
      nodes={nodes}
      nodeTypes={nodeTypes}
      onNodeClick={onNodeClick}
      onMoveStart={onMoveStart}
      onlyRenderVisibleElements={nodes.length > FEW}
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
  );
}
