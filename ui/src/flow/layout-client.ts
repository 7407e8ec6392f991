import { type Layout, type LayoutRequest, layOut } from "./layout";

type Answer =
  | { id: number; layout: Layout; error?: undefined }
  | { id: number; layout?: undefined; error: string };

const known = new Map<string, Promise<Layout>>();
/** How many layouts are remembered: of the flows that a person goes back and forth between. */
const REMEMBERED = 16;

let worker: Worker | null | undefined;
let next = 1;
const waiting = new Map<
  number,
  { request: LayoutRequest; answer: (layout: Layout) => void }
>();

/** Where the steps of a flow are drawn. The same flow is laid out once. */
export function layoutOf(request: LayoutRequest): Promise<Layout> {
  const key = JSON.stringify([
    request.graph.nodes.map((node) => [node.id, node.batch]),
    request.graph.edges,
    request.graph.batches,
    request.chains,
  ]);
  const before = known.get(key);
  if (before) return before;
  const answer = ask(request);
  known.set(key, answer);
  const oldest = known.keys().next();
  if (known.size > REMEMBERED && !oldest.done) known.delete(oldest.value);
  return answer;
}

function ask(request: LayoutRequest): Promise<Layout> {
  const there = theWorker();
  if (!there) return Promise.resolve(layOut(request));
  return new Promise((answer) => {
    const id = next++;
    waiting.set(id, { request, answer });
    there.postMessage({ id, request });
  });
}

/** Where layouts are made: beside the page, unless it may not have workers. */
export function layoutPlace(): "worker" | "page" {
  return theWorker() ? "worker" : "page";
}

function theWorker(): Worker | null {
  if (worker !== undefined) return worker;
  if (typeof Worker === "undefined") {
    worker = null;
    return worker;
  }
  try {
    worker = new Worker(new URL("./layout-worker.ts", import.meta.url), {
      type: "module",
    });
  } catch {
    worker = null;
    return worker;
  }
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (!asked) return;
    if (data.layout) asked.answer(data.layout);
    else asked.answer(layOut(asked.request));
  };
  // A page that may not have workers lays out by itself: later, but the same.
  worker.onerror = (event) => {
    console.warn("the layout worker did not start", event.message);
    worker?.terminate();
    worker = null;
    const left = [...waiting.values()];
    waiting.clear();
    for (const { request, answer } of left) answer(layOut(request));
  };
  return worker;
}
