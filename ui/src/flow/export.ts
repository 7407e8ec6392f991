import { backend } from "../backend/backend";
import { formatDuration } from "../shared/durations";
import { notify, reportFailure } from "../shared/notices";
import { looksOfModel } from "./flow-store";
import { KIND_PATHS, STATE_SHAPES } from "./icons";
import { type Layout, pathOf } from "./layout";
import { layoutOf } from "./layout-client";
import type { EdgeLook } from "./looks";
import type { RunModel } from "./run-model";
import { leadsBack } from "./ways";
import { frameWords, stepDuration, stepWordsAt } from "./words";

/** The colours of a picture, which is looked at without the window around it. */
export interface Ink {
  ground: string;
  card: string;
  text: string;
  dim: string;
  line: string;
  accent: string;
  done: string;
  failed: string;
  needs: string;
}

const TOKENS: Record<keyof Ink, string> = {
  ground: "--pane",
  card: "--raised",
  text: "--text",
  dim: "--text-dim",
  line: "--text-faint",
  accent: "--accent",
  done: "--done",
  failed: "--failed",
  needs: "--needs",
};

function inkOfPage(): Ink {
  const style = getComputedStyle(document.documentElement);
  const ink = {} as Ink;
  for (const [name, token] of Object.entries(TOKENS))
    ink[name as keyof Ink] = style.getPropertyValue(token).trim() || "#888888";
  return ink;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The graph of a run as a picture that stands for itself: SVG, drawn from the same layout as the canvas. */
export function svgOf(model: RunModel, layout: Layout, ink: Ink): string {
  const looks = looksOfModel(model);
  const { width, height } = layout;
  const parts: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, Cantarell, sans-serif">`,
    `<title>${escaped(model.run.flow)}</title>`,
    `<rect width="${width}" height="${height}" fill="${ink.ground}"/>`,
  ];
  for (const frame of layout.frames) {
    const { x, y } = frame.box;
    const words = frameWords(model, frame);
    parts.push(
      `<rect x="${x}" y="${y}" width="${frame.box.width}" height="${frame.box.height}" rx="12" fill="none" stroke="${ink.line}" stroke-opacity=".5"/>`,
      `<text x="${x + 12}" y="${y + 19}" font-size="11" fill="${ink.dim}"><tspan font-weight="600">${escaped(frame.name)}</tspan> ${escaped(words)}</text>`,
    );
  }
  const strokes: Record<EdgeLook, string> = {
    open: `stroke="${ink.line}" stroke-opacity=".7" stroke-width="1.4"`,
    ahead: `stroke="${ink.accent}" stroke-opacity=".6" stroke-width="2"`,
    lit: `stroke="${ink.accent}" stroke-width="2.2"`,
    flowing: `stroke="${ink.accent}" stroke-width="2.2" stroke-dasharray="9 4"`,
    bad: `stroke="${ink.failed}" stroke-width="1.8" stroke-dasharray="7 3"`,
    dimmed: `stroke="${ink.line}" stroke-opacity=".5" stroke-width="1.4" stroke-dasharray="2 5"`,
  };
  for (const edge of layout.edges) {
    const look = leadsBack(edge.kind)
      ? "open"
      : (looks.edges[edge.key] ?? "open");
    const dash = leadsBack(edge.kind) ? ' stroke-dasharray="5 4"' : "";
    const end = edge.points.at(-1);
    parts.push(
      `<path d="${pathOf(edge)}" fill="none" ${strokes[look]}${dash}/>`,
    );
    if (end)
      parts.push(
        leadsBack(edge.kind)
          ? `<path d="M${end.x + 6} ${end.y - 4}L${end.x} ${end.y}L${end.x + 6} ${end.y + 4}" fill="none" ${strokes[look].replace(/stroke-dasharray="[^"]*"/, "")}/>`
          : `<path d="M${end.x - 4} ${end.y - 6}L${end.x} ${end.y}L${end.x + 4} ${end.y - 6}" fill="none" ${strokes[look].replace(/stroke-dasharray="[^"]*"/, "")}/>`,
      );
    if (edge.labelAt && edge.labels.length > 0) {
      const taken = look === "lit" || look === "flowing";
      const label = cut(edge.labels.join(" · "), 24) + (taken ? " ✓" : "");
      const wide = label.length * 6.8 + 14;
      parts.push(
        `<rect x="${edge.labelAt.x - wide / 2}" y="${edge.labelAt.y - 9}" width="${wide}" height="18" rx="9" fill="${ink.card}" stroke="${taken ? ink.accent : ink.line}" stroke-opacity=".8"/>`,
        `<text x="${edge.labelAt.x}" y="${edge.labelAt.y + 4}" font-size="11" text-anchor="middle" fill="${taken ? ink.text : ink.dim}"${taken ? ' font-weight="600"' : ""}>${escaped(label)}</text>`,
      );
    }
  }
  for (const node of model.graph.nodes) {
    const box = layout.nodes[node.id];
    if (!box) continue;
    const step = model.steps[node.id];
    const state = step?.state ?? "pending";
    const dimmed = looks.nodes[node.id] === "dimmed";
    const colour =
      state === "succeeded"
        ? ink.done
        : state === "failed" || state === "timed_out" || state === "rejected"
          ? ink.failed
          : state === "awaiting_approval"
            ? ink.needs
            : state === "running" ||
                state === "queued" ||
                state === "retry_wait"
              ? ink.accent
              : ink.line;
    const shape = STATE_SHAPES[state];
    const duration = step ? stepDuration(step) : null;
    parts.push(
      `<g transform="translate(${box.x} ${box.y})"${dimmed ? ' opacity=".6"' : ""}>`,
      `<rect width="${box.width}" height="${box.height}" rx="9" fill="${dimmed ? "none" : ink.card}" stroke="${colour}" stroke-width="${state === "running" || state === "awaiting_approval" ? 2 : 1}"${dimmed ? ' stroke-dasharray="4 3"' : ""}/>`,
      icon(KIND_PATHS[node.kind], 14, box.height / 2 - 8, 1, ink.dim),
      `<text x="42" y="21" font-size="12.5" font-weight="600" fill="${dimmed ? ink.dim : ink.text}">${escaped(cut(node.id, 20))}</text>`,
      `<text x="42" y="37" font-size="11" fill="${ink.dim}">${escaped(cut(step ? stepWordsAt(node, step) : "", 24))}</text>`,
      icon(shape.path, box.width - 25, 8, 0.95, colour, shape.filled),
    );
    if (duration !== null)
      parts.push(
        `<text x="${box.width - 10}" y="40" font-size="10.5" text-anchor="end" fill="${ink.dim}">${formatDuration(duration)}</text>`,
      );
    if (step && step.attempts.length > 1)
      parts.push(
        `<text x="${box.width - 30}" y="20" font-size="10.5" text-anchor="end" fill="${ink.dim}">×${step.attempts.length}</text>`,
      );
    parts.push("</g>");
  }
  parts.push("</svg>");
  return parts.join("\n");
}

function icon(
  path: string,
  x: number,
  y: number,
  scale: number,
  colour: string,
  filled = false,
): string {
  return `<path transform="translate(${x} ${y}) scale(${scale})" d="${path}" fill="${filled ? colour : "none"}" stroke="${colour}" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** The largest picture in pixels along a side; beyond it browsers draw nothing. */
const MOST_PIXELS = 8192;

async function pngOf(svg: string, width: number, height: number) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    await new Promise((loaded, failed) => {
      image.onload = loaded;
      image.onerror = () => failed(new Error("the picture could not be drawn"));
      image.src = url;
    });
    const scale = Math.min(2, MOST_PIXELS / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas
      .getContext("2d")
      ?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((made) =>
      canvas.toBlob(made, "image/png"),
    );
    if (!blob) throw new Error("the picture could not be drawn");
    return new Uint8Array(await blob.arrayBuffer());
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Saves the graph of a run as a picture, or copies it as text. */
export async function exportRun(
  model: RunModel,
  to: "svg" | "png" | "mermaid",
): Promise<void> {
  const name = `${model.run.flow.replace(/[^\w-]+/g, "-")}-${model.run.id}`;
  if (to === "mermaid") {
    const text = await backend.exportRun(model.run.id, "mermaid");
    if (reportFailure(text) || text.status === "error") return;
    if (!reportFailure(await backend.writeClipboard(text.data)))
      notify("info", "The graph is on the clipboard, as Mermaid.");
    return;
  }
  const layout = await layoutOf({ graph: model.graph, chains: [] });
  const svg = svgOf(model, layout, inkOfPage());
  let saved: Awaited<ReturnType<typeof backend.saveText>>;
  if (to === "svg") {
    saved = await backend.saveText(`${name}.svg`, svg);
  } else {
    try {
      const bytes = await pngOf(svg, layout.width, layout.height);
      saved = await backend.savePicture(`${name}.png`, [...bytes]);
    } catch (cause) {
      notify("error", cause instanceof Error ? cause.message : String(cause));
      return;
    }
  }
  if (!reportFailure(saved) && saved.status === "ok")
    notify("info", `Saved as ${saved.data}`);
}
