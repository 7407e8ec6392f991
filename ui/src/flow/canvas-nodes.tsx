import type { MiniMapNodeProps, Node, NodeProps } from "@xyflow/react";
import { memo, useContext, useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import type { GraphNode, StepView } from "../bindings";
import { CanvasContext, FarContext } from "./canvas-context";
import { ChainIcon } from "./canvas-icons";
import { type Chain, chainSummary, chainsOf, isChain } from "./chains";
import { looksOfModel, nodeOfGraph, useFlows } from "./flow-store";
import { StepIcon } from "./icons";
import type { Box, Frame, Layout } from "./layout";
import { listWords } from "./lists";
import type { NodeLook } from "./looks";
import { roundMarks } from "./rounds";
import { asksForPerson } from "./run-model";
import { StepCard } from "./StepCard";
import { frameWords, stepLabel } from "./words";

export type StepNode = Node<Record<string, never>, "step" | "chain">;

/** What React Flow draws for each kind of node. */
export const nodeTypes = {
  step: memo(function StepNodeView({ id }: NodeProps<StepNode>) {
    return useContext(FarContext) ? null : <StepOnCanvas id={id} />;
  }),
  chain: memo(function ChainNodeView({ id }: NodeProps<StepNode>) {
    return useContext(FarContext) ? null : <ChainOnCanvas id={id} />;
  }),
};

interface StepSeen {
  node: GraphNode | undefined;
  step: StepView | undefined;
  look: NodeLook;
  list: string | null;
  picked: boolean;
}

/** All that a step is drawn from; a step that nothing happened to is not drawn again. */
function useStep(id: string): StepSeen {
  const { model } = useContext(CanvasContext);
  return useFlows(
    useShallow(({ models, picked }): StepSeen => {
      const of = models[model];
      const node = nodeOfGraph(of?.graph, id);
      return {
        node,
        list: of && node?.foreach ? listWords(of, node) : null,
        step: of?.steps[id],
        look: (of && looksOfModel(of).nodes[id]) ?? "open",
        picked: picked?.run === model && picked.step === id,
      };
    }),
  );
}

function StepOnCanvas({ id }: { id: string }) {
  const { critical, found } = useContext(CanvasContext);
  const { node, ...seen } = useStep(id);
  if (!node) return null;
  return (
    <StepCard
      node={node}
      {...seen}
      critical={critical.has(id)}
      found={found.has(id)}
    />
  );
}

interface ChainSeen {
  chain: Chain;
  label: string;
  state: StepView["state"];
  words: string;
  found: boolean;
}

/** Several steps drawn as one: how many, and the state that matters most among them. */
function useChain(id: string): ChainSeen | null {
  const { model, found } = useContext(CanvasContext);
  const graph = useFlows((state) => state.models[model]?.graph);
  const chain = useMemo(
    () => (graph ? chainsOf(graph).find((one) => one.id === id) : undefined),
    [graph, id],
  );
  const { state, words } = useFlows(
    useShallow(({ models }) =>
      chainSummary(
        (chain?.steps ?? []).map(
          (step) => models[model]?.steps[step]?.state ?? "pending",
        ),
      ),
    ),
  );
  if (!chain) return null;
  return {
    chain,
    label: `${chain.steps.length} steps, ${chain.steps[0]} to ${chain.steps.at(-1)}: ${words}. Shows them`,
    state,
    words,
    found: chain.steps.some((step) => found.has(step)),
  };
}

function ChainOnCanvas({ id }: { id: string }) {
  const seen = useChain(id);
  if (!seen) return null;
  const { chain, label, state, words, found } = seen;
  const look =
    state === "skipped" ? "dimmed" : state === "pending" ? "open" : "lit";
  return (
    <button
      type="button"
      className={`step-card chain ${look} ${found ? "found" : ""}`}
      data-state={state}
      data-step={id}
      aria-label={label}
      tabIndex={-1}
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

/**
 * The steps from far away: patches of their states' colours, with the names and the clicks of their cards. Shapes of
 * one picture cost a fraction of as many elements with text and borders in them.
 */
export const FarSteps = memo(function FarSteps({ layout }: { layout: Layout }) {
  return (
    <svg
      className="far-steps"
      width={layout.width}
      height={layout.height}
      aria-label="Steps"
    >
      {Object.entries(layout.nodes).map(([id, box]) =>
        isChain(id) ? (
          <FarChain key={id} id={id} box={box} />
        ) : (
          <FarStep key={id} id={id} box={box} />
        ),
      )}
    </svg>
  );
});

const FarStep = memo(function FarStep({ id, box }: { id: string; box: Box }) {
  const { critical, found } = useContext(CanvasContext);
  const { node, step, look, picked } = useStep(id);
  if (!node) return null;
  return (
    <Patch
      id={id}
      box={box}
      label={stepLabel(node, step)}
      state={step?.state ?? "pending"}
      asks={step !== undefined && asksForPerson(step) !== null}
      marks={[
        look,
        critical.has(id) && "critical",
        found.has(id) && "found",
        picked && "picked",
      ]}
    />
  );
});

const FarChain = memo(function FarChain({ id, box }: { id: string; box: Box }) {
  const seen = useChain(id);
  if (!seen) return null;
  return (
    <Patch
      id={id}
      box={box}
      label={seen.label}
      state={seen.state}
      asks={false}
      marks={["chain", seen.found && "found"]}
    />
  );
});

function Patch({
  id,
  box,
  label,
  state,
  asks,
  marks,
}: {
  id: string;
  box: Box;
  label: string;
  state: StepView["state"];
  asks: boolean;
  marks: (string | false)[];
}) {
  const { open } = useContext(CanvasContext);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a shape of a picture can't be a <button>
    <rect
      role="button"
      className={["far-step", ...marks].filter(Boolean).join(" ")}
      data-state={state}
      data-asks={asks || undefined}
      data-step={id}
      aria-label={label}
      tabIndex={-1}
      x={box.x}
      y={box.y}
      width={box.width}
      height={box.height}
      onClick={() => open(id)}
    >
      <title>{label}</title>
    </rect>
  );
}

/** A node on the map. */
export function MiniStep({ id, x, y, width, height }: MiniMapNodeProps) {
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

/** The frames around the members of batches, and around what is done in rounds. */
export const Frames = memo(function Frames({ layout }: { layout: Layout }) {
  return layout.frames.map((frame) => (
    <FrameView key={`${frame.kind}:${frame.name}`} frame={frame} />
  ));
});

function FrameView({ frame }: { frame: Frame }) {
  const { model } = useContext(CanvasContext);
  const words = useFlows((state) => {
    const of = state.models[model];
    return of ? frameWords(of, frame) : "";
  });
  const marks = useFlows((state) => {
    const of = state.models[model];
    const node = of && nodeOfGraph(of.graph, frame.name);
    const step = of?.steps[frame.name];
    return node && step ? roundMarks(node, step).join(" ") : "";
  });
  const { kind, name, box } = frame;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a frame on a canvas is no <fieldset>
    <div
      className="batch-frame"
      role="group"
      aria-label={`${kind === "batch" ? "Batch" : "Rounds of"} ${name}: ${words}`}
      data-kind={kind}
      data-testid={`${kind}-${name}`}
      style={{
        transform: `translate(${box.x}px, ${box.y}px)`,
        width: box.width,
        height: box.height,
      }}
    >
      <span className="batch-name">{name}</span>
      <span className="batch-words">{words}</span>
      {kind === "rounds" && marks !== "" && (
        <span className="round-marks" aria-hidden="true">
          {marks.split(" ").map((mark, index) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: a round is known by its place alone
              key={index}
              className="round-mark"
              data-round={mark}
            />
          ))}
        </span>
      )}
    </div>
  );
}
