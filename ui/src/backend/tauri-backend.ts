import { Channel } from "@tauri-apps/api/core";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import { getCurrentWindow } from "@tauri-apps/api/window";
import { commands, events } from "../bindings";
import type { Asks, Backend, Follows, Result } from "./backend";
import { ask, subscription } from "./tauri-ask";
import { followAgent, followFlow } from "./tauri-follow";

type Call = (...given: unknown[]) => Promise<Result<unknown>>;

/** An argument as Rust takes it: in the place of a listener, a channel to it. */
function channelled(argument: unknown): unknown {
  if (typeof argument !== "function") return argument;
  const channel = new Channel();
  channel.onmessage = (told) => argument(told);
  return channel;
}

const asks = Object.fromEntries(
  Object.entries(commands).map(([name, command]) => [
    name,
    (...given: unknown[]) =>
      ask(() => (command as Call)(...given.map(channelled))),
  ]),
) as unknown as Asks;

const follows = Object.fromEntries(
  Object.entries(events).map(([name, event]) => [
    `on${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    (listener: (told: unknown) => void) =>
      subscription(event.listen((e) => listener(e.payload))),
  ]),
) as unknown as Follows;

export function tauriBackend(): Backend {
  return {
    ...asks,
    ...follows,
    attachPane: (pane, scrollback_rows, onFrame) =>
      asks.attachPane(pane, { scrollback_rows }, onFrame),
    followAgent,
    followFlow,
    setTitle: (title) => {
      getCurrentWindow()
        .setTitle(title)
        .catch((cause) => console.error("the title was not set", cause));
    },
    setZoom: (factor) => {
      getCurrentWebview()
        .setZoom(factor)
        .catch((cause) => console.error("the window was not zoomed", cause));
    },
    onDrop: (listener) =>
      subscription(
        getCurrentWebview().onDragDropEvent(async (e) => {
          if (e.payload.type !== "drop") return;
          const { paths, position } = e.payload;
          // What the system counts in its own pixels the page counts in those of its zoom.
          const { width } = await getCurrentWindow().innerSize();
          const scale = width / window.innerWidth;
          listener(paths, { x: position.x / scale, y: position.y / scale });
        }),
      ),
  };
}
