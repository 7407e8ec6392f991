import { Graph, layout as runDagre } from "@dagrejs/dagre";
import type { FlowGraph, GraphEdgeKind } from "../bindings";
import type { Chain } from "./chains";
import { leadsBack } from "./ways";

export interface Point {
  x: number;
  y: number;
}

export interface Box extends Point {
  width: number;
  height: number;
}

/** An edge with its way. Two edges between the same steps are one. */
export interface LaidEdge {
  key: string;
  from: string;
  to: string;
  kind: GraphEdgeKind;
  labels: string[];
  points: Point[];
  labelAt: Point | null;
}

export interface Frame {
  /** Around the members of a batch, or around steps that are done in rounds. */
  kind: "batch" | "rounds";
  /** The name of the batch, or of the step that repeats. */
  name: string;
  /** What stands in it. */
  steps: string[];
  box: Box;
}

/** Where everything is. It follows from the flow alone, so what happens in a run moves nothing. */
export interface Layout {
  nodes: Record<string, Box>;
  edges: LaidEdge[];
  frames: Frame[];
  width: number;
  height: number;
}

export interface LayoutRequest {
  graph: FlowGraph;
  /** Chains that are drawn as one node each. */
  chains: Chain[];
}

export const NODE_WIDTH = 216;
export const NODE_HEIGHT = 50;
const MARGIN = 24;
const FRAME_SIDE = 14;
/** The way back of a round has its place there. */
const ROUNDS_SIDE = 28;
const FRAME_TOP = 30;

/** Lays a flow out from top to bottom. Pure; a worker calls it. */
export function layOut({ graph, chains }: LayoutRequest): Layout {
  const inChain = new Map<string, string>();
  for (const chain of chains)
    for (const step of chain.steps) inChain.set(step, chain.id);
  const place = (id: string) => inChain.get(id) ?? id;

  const dagre = new Graph({ compound: true });
  dagre.setGraph({
    rankdir: "TB",
    nodesep: 32,
    ranksep: 42,
    edgesep: 18,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  dagre.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes)
    if (!inChain.has(node.id))
      dagre.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const chain of chains)
    dagre.setNode(chain.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const framed = framesOf(graph);
  for (const { kind, name, steps } of framed) {
    const frame = `${kind}:${name}`;
    dagre.setNode(frame, {});
    for (const step of steps) dagre.setParent(place(step), frame);
  }

  const edges = new Map<string, LaidEdge>();
  for (const edge of graph.edges) {
    const from = place(edge.from);
    const to = place(edge.to);
    if (from === to) continue;
    const key = `${from}→${to}${leadsBack(edge.kind) ? "!" : ""}`;
    const known = edges.get(key);
    if (known) {
      if (edge.label) known.labels.push(edge.label);
      if (edge.kind === "case") known.kind = "case";
    } else {
      edges.set(key, {
        key,
        from,
        to,
        kind: edge.kind,
        labels: edge.label ? [edge.label] : [],
        points: [],
        labelAt: null,
      });
    }
  }
  for (const edge of edges.values()) {
    if (leadsBack(edge.kind)) continue;
    const label = edge.labels.join(" · ");
    dagre.setEdge(
      edge.from,
      edge.to,
      label === ""
        ? {}
        : { width: labelWidth(label), height: 18, labelpos: "c" },
    );
  }
  runDagre(dagre);

  const nodes: Record<string, Box> = {};
  for (const id of dagre.nodes()) {
    if (/^(batch|rounds):/.test(id)) continue;
    const { x = 0, y = 0 } = dagre.node(id) as Partial<Point>;
    nodes[id] = {
      x: Math.round(x - NODE_WIDTH / 2),
      y: Math.round(y - NODE_HEIGHT / 2),
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
    };
  }
  let right = 0;
  let bottom = 0;
  for (const box of Object.values(nodes)) {
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  const rounds = new Map(
    graph.nodes.map((node) => [node.id, node.repeat?.steps ?? []]),
  );
  for (const edge of edges.values()) {
    if (edge.kind === "repeat") {
      // Beside the steps of the round, within their frame.
      const round = [edge.from, ...(rounds.get(edge.from) ?? [])];
      const boxes = round.flatMap((step) => nodes[place(step)] ?? []);
      const beside = Math.max(...boxes.map((box) => box.x + box.width));
      edge.points = backWay(nodes[edge.from], nodes[edge.to], beside - 12);
      continue;
    }
    if (edge.kind === "goto") {
      edge.points = backWay(nodes[edge.from], nodes[edge.to], right);
      right = Math.max(right, ...edge.points.map((point) => point.x));
      continue;
    }
    const laid = dagre.edge(edge.from, edge.to) as {
      points?: Point[];
      x?: number;
      y?: number;
    };
    edge.points = ends(laid.points ?? [], nodes[edge.from], nodes[edge.to]);
    if (edge.labels.length > 0 && laid.x !== undefined && laid.y !== undefined)
      edge.labelAt = { x: laid.x, y: laid.y };
  }
  const frames: Frame[] = [];
  for (const { kind, name, steps } of framed) {
    const side = kind === "rounds" ? ROUNDS_SIDE : FRAME_SIDE;
    const boxes = steps.flatMap((step) => nodes[place(step)] ?? []);
    if (boxes.length === 0) continue;
    const x = Math.min(...boxes.map((box) => box.x)) - side;
    const y = Math.min(...boxes.map((box) => box.y)) - FRAME_TOP;
    const width = Math.max(...boxes.map((box) => box.x + box.width)) + side - x;
    const height =
      Math.max(...boxes.map((box) => box.y + box.height)) + FRAME_SIDE - y;
    frames.push({ kind, name, steps, box: { x, y, width, height } });
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return {
    nodes,
    edges: [...edges.values()],
    frames,
    width: right + MARGIN,
    height: bottom + MARGIN,
  };
}

/** What a frame is drawn around: batches, and rounds none of whose steps has a frame already. */
function framesOf(graph: FlowGraph): Omit<Frame, "box">[] {
  const frames: Omit<Frame, "box">[] = graph.batches
    .filter((batch) => batch.steps.length > 0)
    .map(({ name, steps }) => ({ kind: "batch", name, steps }));
  const inBatch = new Set(frames.flatMap((frame) => frame.steps));
  for (const { id, repeat } of graph.nodes)
    if (repeat && !repeat.steps.some((step) => inBatch.has(step)))
      frames.push({ kind: "rounds", name: id, steps: [...repeat.steps, id] });
  return frames;
}

function labelWidth(label: string): number {
  return Math.min(label.length * 7 + 18, 180);
}

/** The way of an edge begins at the middle of a node's lower side and ends at the middle of another's upper side. */
function ends(points: Point[], from?: Box, to?: Box): Point[] {
  if (!from || !to) return points;
  const start = { x: from.x + from.width / 2, y: from.y + from.height };
  const end = { x: to.x + to.width / 2, y: to.y };
  return [start, ...points.slice(1, -1), end];
}

/** A way back: around all that ends at `right`. */
function backWay(
  from: Box | undefined,
  to: Box | undefined,
  right: number,
): Point[] {
  if (!from || !to) return [];
  const x = right + 28;
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const end = { x: to.x + to.width, y: to.y + to.height / 2 };
  return [start, { x, y: start.y }, { x, y: end.y }, end];
}

/** An edge as an SVG path: down out of a node, bent towards the next point, down into the other. */
export function pathOf(edge: Pick<LaidEdge, "points" | "kind">): string {
  const [first, ...rest] = edge.points;
  if (!first) return "";
  if (leadsBack(edge.kind)) return rounded(edge.points);
  let path = `M${at(first)}`;
  let before = first;
  for (const point of rest) {
    const middle = (before.y + point.y) / 2;
    path +=
      Math.abs(before.x - point.x) < 1
        ? `L${at(point)}`
        : `C${at({ x: before.x, y: middle })} ${at({ x: point.x, y: middle })} ${at(point)}`;
    before = point;
  }
  return path;
}

function rounded(points: Point[]): string {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return "";
  const radius = 10;
  const way = c.y < b.y ? -1 : 1;
  return [
    `M${at(a)}`,
    `L${at({ x: b.x - radius, y: b.y })}`,
    `Q${at(b)} ${at({ x: b.x, y: b.y + radius * way })}`,
    `L${at({ x: c.x, y: c.y - radius * way })}`,
    `Q${at(c)} ${at({ x: c.x - radius, y: c.y })}`,
    `L${at(d)}`,
  ].join("");
}

function at({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
