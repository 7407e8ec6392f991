import { memo, useContext, useMemo } from "react";
import { CanvasContext } from "./canvas-context";
import { chainsOf } from "./chains";
import { looksOfModel, useFlows } from "./flow-store";
import { STATE_SHAPES } from "./icons";
import { type LaidEdge, type Layout, pathOf } from "./layout";
import type { EdgeLook } from "./looks";
import type { RunModel } from "./run-model";
import { leadsBack } from "./ways";

/** The ways between the steps, each with its label and its name. */
export const Edges = memo(function Edges({ layout }: { layout: Layout }) {
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
    if (!of || leadsBack(edge.kind)) return "open";
    const known = looksOfModel(of).edges[edge.key];
    if (known) return known;
    return throughChain(of, edge);
  });
  const path = useMemo(() => pathOf(edge), [edge]);
  const label = edge.labels.join(" · ");
  const onPath = critical.has(edge.from) && critical.has(edge.to);
  const arrow = onPath
    ? "critical"
    : leadsBack(edge.kind)
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
function throughChain(of: RunModel, edge: LaidEdge): EdgeLook {
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

/** An edge in words: whence, whither, and whether the run went that way. */
export function edgeLabel(
  edge: Pick<LaidEdge, "from" | "to" | "kind" | "labels">,
  look: EdgeLook,
): string {
  const way =
    edge.kind === "goto"
      ? `${edge.from} goes back to ${edge.to} when it is rejected`
      : edge.kind === "repeat"
        ? `another round of ${edge.from} begins with ${edge.to}`
        : edge.labels.length > 0
          ? `${edge.from}, case ${edge.labels.join(" or ")}, to ${edge.to}`
          : `${edge.from} to ${edge.to}`;
  const words = LOOK_WORDS[look];
  return words === "" ? way : `${way}: ${words}`;
}
