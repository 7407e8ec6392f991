import type { DrawnBy, Renderer } from "../bindings";
import { rememberDrawing, useWindowState } from "../shared/window-state";

/**
 * OpenGL by software: slower than the DOM renderer, so it is not used. WebKit calls every device `Apple GPU`; there, the
 * backend's word and the measured frames decide.
 */
const SOFTWARE = /llvmpipe|softpipe|swiftshader|swrast|software|basic render/i;

/** A key to echo past this is felt. */
const SLOW_MS = 28;

/** What draws the panes: what the person says; else WebGL, where a GPU does it and it was not measured to be slow. */
export function chooseRenderer(
  setting: Renderer,
  softwareRendering: boolean,
): DrawnBy {
  if (setting !== "auto") return setting;
  if (softwareRendering) return "dom";
  const device = glDevice();
  if (device === null || SOFTWARE.test(device)) return "dom";
  return remembered(device) ?? "webgl";
}

let known: string | null | undefined;

/** The name of what draws WebGL; `null` without WebGL 2. Asked once: each question costs a context. */
function glDevice(): string | null {
  if (known !== undefined) return known;
  known = null;
  try {
    const gl = document.createElement("canvas").getContext("webgl2");
    if (!gl) return known;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    const name: unknown = gl.getParameter(
      info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER,
    );
    known = String(name);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  } catch {
    known = null;
  }
  return known;
}

function remembered(device: string): DrawnBy | null {
  const { drawing } = useWindowState.getState();
  return drawing?.device === device ? drawing.drawn_by : null;
}

/** Whether WebGL was measured on this machine. */
export function wasMeasured(): boolean {
  const device = glDevice();
  return device === null || remembered(device) !== null;
}

/** Keeps what measuring the first pane's frames came to; returns what to draw with from now on. */
export function rememberMeasure(frames: number[]): DrawnBy {
  const sorted = [...frames].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const drawnBy: DrawnBy = median > SLOW_MS ? "dom" : "webgl";
  const device = glDevice();
  if (device !== null) rememberDrawing({ device, drawn_by: drawnBy });
  return drawnBy;
}
