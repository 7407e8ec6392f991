import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Frame } from "../backend/frames";
import { encodeFrame } from "../backend/frames";
import { terminalTheme } from "../shared/terminal-themes";
import { usualThemes } from "../shared/themes";
import { freshBackend, opened } from "../test-support";
import { defaultSettings, type MemoryBackend } from "../twin/memory-backend";
import { XtermHost } from "./xterm-host";

let twin: MemoryBackend;
let pane: number;
const hosts: XtermHost[] = [];

beforeEach(async () => {
  twin = freshBackend();
  pane = (await opened(twin)).id;
});

afterEach(() => {
  for (const host of hosts.splice(0)) host.dispose();
});

/** A view of the pane, once its first snapshot is there. Nothing scrolls in jsdom: there are no heights. */
async function view(scrollback = 1000): Promise<XtermHost> {
  const element = document.createElement("div");
  document.body.append(element);
  const host = await new Promise<XtermHost>((shown) => {
    const made: XtermHost = new XtermHost(
      pane,
      element,
      {
        settings: { ...defaultSettings, scrollback_lines: scrollback },
        fontSize: 13,
        theme: terminalTheme(usualThemes.dark),
        softwareRendering: true,
      },
      { onShown: () => shown(made) },
    );
    hosts.push(made);
  });
  return host;
}

function rootOf(host: XtermHost): Element | undefined {
  return document.getElementsByClassName("terminal-root")[hosts.indexOf(host)];
}

/** How long an event may take on a machine that is busy with other things. */
const WAIT = 10_000;

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `line ${from + n}\r\n`).join("");

/** Sends a frame as the backend would. */
function send(frame: Frame) {
  for (const take of twin.state.panes.get(pane)?.views.values() ?? [])
    take(encodeFrame(frame));
}

const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));

test("the style sheets that xterm writes end at their terminal, and go with it", async () => {
  const host = await view();
  const root = rootOf(host);
  expect(root?.shadowRoot?.querySelectorAll("style")).not.toHaveLength(0);
  expect(document.querySelectorAll("style")).toHaveLength(0);
  host.dispose();
  expect(root?.isConnected).toBe(false);
});

test("a terminal that was moved while it had the focus shows that another one has it", async () => {
  const focused = (host: XtermHost) =>
    rootOf(host)?.shadowRoot?.querySelector(".xterm.focus") !== null;
  const one = await view();
  const two = await view();
  one.focus();
  expect(focused(one)).toBe(true);
  const root = rootOf(one);
  root?.parentElement?.prepend(root);
  two.focus();
  expect([focused(one), focused(two)]).toEqual([false, true]);
});

test("no key waits for the one before", async () => {
  const host = await view();
  const sent: string[] = [];
  twin.writePane = (_, data) => {
    sent.push(data);
    return new Promise(() => {});
  };
  host.paste("a");
  host.paste("b");
  host.paste("c");
  expect(sent).toEqual(["a", "b", "c"]);
});

test("a line is found by its id, however much was printed since", async () => {
  twin.print(pane, `\r\n${numbered(1, 5000)}`);
  const host = await view();
  expect(host.reveal(4500, "line 4500")).toBe(true);
  expect(host.reveal(100, "line 100")).toBe(false);
  twin.print(pane, numbered(5000, 9000));
  await vi.waitFor(
    () => expect(host.reveal(8900, "line 8900")).toBe(true),
    WAIT,
  );
  expect(host.reveal(4500, "line 4500")).toBe(false);
});

test("lines that the view wraps are counted once", async () => {
  const long = "x".repeat(300);
  twin.print(pane, `\r\n${`${long}\r\n`.repeat(200)}the end\r\n`);
  const host = await view();
  expect(host.reveal(201, "the end")).toBe(true);
  expect(host.reveal(150, long)).toBe(true);
});

test("a snapshot in the middle says anew which line is which", async () => {
  twin.print(pane, `\r\n${numbered(1, 500)}`);
  const host = await view();
  send({
    kind: "snapshot",
    cols: 80,
    rows: 24,
    firstLine: 90_000,
    light: false,
    bytes: bytes(numbered(90_000, 90_600)),
  });
  await vi.waitFor(
    () => expect(host.reveal(90_599, "line 90599")).toBe(true),
    WAIT,
  );
  expect(host.reveal(200, "line 200")).toBe(false);
});

test("a snapshot takes the place of another with nothing in between", async () => {
  const snapshot = (word: string): Frame => ({
    kind: "snapshot",
    cols: 80,
    rows: 24,
    firstLine: 0,
    light: true,
    bytes: bytes(`${word}\r\n`.repeat(3_000)),
  });
  const host = await view();
  const rows = rootOf(host)?.shadowRoot?.querySelector(".xterm-rows");
  const seen = () => rows?.textContent?.replaceAll("\u00a0", " ").trim() ?? "";
  send(snapshot("before"));
  await vi.waitFor(() => expect(seen()).toContain("before"), WAIT);
  const pictures = new Set<string>();
  const observer = new MutationObserver(() => pictures.add(seen()));
  observer.observe(rows as Element, { childList: true, subtree: true });
  // A machine so busy that every piece of work takes as long as xterm lets it.
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => (now += 20));
  send(snapshot("after"));
  await vi.waitFor(() => expect(seen()).toMatch(/^(after)+$/), WAIT);
  observer.disconnect();
  for (const picture of pictures) expect(picture).toMatch(/^(before|after)+$/);
});

test("text is told from what is behind it, whatever colours a program chose", async () => {
  twin.print(pane, "\x1b[37;47mwhite on white\x1b[0;31mred\x1b[m");
  const host = await view();
  const span = (text: string) =>
    [
      ...(rootOf(host)?.shadowRoot?.querySelectorAll<HTMLElement>(
        ".xterm-rows span",
      ) ?? []),
    ].find((span) => span.textContent?.includes(text));
  await vi.waitFor(() => expect(span("red")).toBeDefined(), WAIT);
  expect(span("white")?.style.color).not.toBe("");
  expect(span("red")?.style.color).toBe("");
});

test("every byte is acknowledged once it is parsed", async () => {
  twin.print(pane, numbered(0, 100));
  const raw = twin.state.panes.get(pane)?.raw.length ?? 0;
  await view();
  // The prompt has one character of three bytes.
  await vi.waitFor(() => expect(twin.state.acked).toBe(raw + 2), WAIT);
});

test("a snapshot is acknowledged once it is drawn", async () => {
  const frames: FrameRequestCallback[] = [];
  await view();
  await vi.waitFor(() => expect(twin.state.acked).toBeGreaterThan(0), WAIT);
  const before = twin.state.acked;
  const asked = vi
    .spyOn(window, "requestAnimationFrame")
    .mockImplementation((frame) => frames.push(frame));
  const shown = bytes("the next picture");
  send({
    ...{ kind: "snapshot", cols: 80, rows: 24, firstLine: 0, light: true },
    bytes: shown,
  });
  await vi.waitFor(() => expect(frames).not.toHaveLength(0), WAIT);
  expect(twin.state.acked).toBe(before);
  for (const frame of frames) frame(0);
  await vi.waitFor(
    () => expect(twin.state.acked).toBe(before + shown.length),
    WAIT,
  );
  asked.mockRestore();
});

test("a pane is told once how large its cells are drawn", async () => {
  const host = await view();
  const told: unknown[] = [];
  twin.setCell = (_, cell) => {
    told.push(cell);
    return Promise.resolve({ status: "ok", data: null });
  };
  const [room] = inShadow(host, ".terminal-room");
  const [screen] = inShadow(host, ".xterm-screen");
  if (!room || !screen) throw new Error("a terminal has a room and a screen");
  for (const side of ["clientWidth", "clientHeight"])
    Object.defineProperty(room, side, { value: 500 });
  vi.spyOn(screen, "getBoundingClientRect").mockReturnValue(
    new DOMRect(0, 0, 80 * 8, 24 * 17),
  );
  host.fit();
  host.fit();
  expect(told).toEqual([{ width: 8, height: 17 }]);
});

/** Presses a key where the terminal listens for keys. */
function press(host: XtermHost, key: string, shiftKey = false) {
  const keyCode = key === "Enter" ? 13 : 0;
  const textarea = rootOf(host)?.shadowRoot?.querySelector("textarea");
  const event = new KeyboardEvent("keydown", {
    ...{ key, keyCode, shiftKey, bubbles: true, cancelable: true },
  });
  textarea?.dispatchEvent(event);
}

const inShadow = (host: XtermHost, css: string) => [
  ...(rootOf(host)?.shadowRoot?.querySelectorAll(css) ?? []),
];

test("in copy mode the keys are not the program's, and what it prints waits", async () => {
  const host = await view();
  twin.print(pane, "one two\r\nthree\r\n");
  const written = twin.state.written.length;
  const end = await new Promise<{ copy?: string }>((ended) => {
    host.copyMode(ended);
    void vi
      .waitFor(
        () => expect(inShadow(host, ".mode-cursor")).toHaveLength(1),
        WAIT,
      )
      .then(() => {
        twin.print(pane, "later\r\n");
        for (const key of ["g", "g", "V", "y"]) press(host, key);
      });
  });
  expect(end.copy).toContain("one two");
  expect(twin.state.written).toHaveLength(written);
  expect(inShadow(host, ".mode-layer, .mode-status")).toEqual([]);
  host.selectAll();
  await vi.waitFor(() => {
    host.selectAll();
    expect(host.selection).toContain("later");
  }, WAIT);
  press(host, "Enter");
  await vi.waitFor(() =>
    expect(twin.state.written.slice(written)).toHaveLength(1),
  );
});

test("what copy mode says never lies over where one is", async () => {
  const host = await view();
  twin.print(pane, "one two\r\nthree\r\n");
  const at = () =>
    inShadow(host, ".mode-status").map((status) =>
      status.getAttribute("data-at"),
    );
  host.copyMode(() => undefined);
  await vi.waitFor(() => expect(at()).toEqual(["bottom"]), WAIT);
  press(host, "G");
  expect(at()).toEqual(["top"]);
  for (const key of ["g", "g"]) press(host, key);
  expect(at()).toEqual(["bottom"]);
  press(host, "Escape");
});

test("quick select copies what is typed for, and opens it with Shift", async () => {
  const host = await view();
  twin.print(pane, "see https://a.example/b and src/a.rs:3\r\n");
  const pick = (letter: string, shift: boolean) =>
    new Promise<object>((ended) => {
      host.quickSelect(ended);
      void vi
        .waitFor(
          () => expect(inShadow(host, ".mode-label")).toHaveLength(2),
          WAIT,
        )
        .then(() => press(host, letter, shift));
    });
  expect(await pick("a", false)).toEqual({ copy: "src/a.rs:3" });
  expect(await pick("S", true)).toMatchObject({
    open: { kind: "link", text: "https://a.example/b" },
  });
  expect(await pick("Escape", false)).toEqual({});
});

test("lines of a closed pane that stand above the pane's own are found there", async () => {
  const host = await view();
  const text = "\x1b[2mold one\r\nold two\x1b[0m\r\n\r\nnew one\r\nnew two";
  const frame = { kind: "snapshot", cols: 80, rows: 24, firstLine: 0 } as const;
  send({ ...frame, light: false, bytes: bytes(text) });
  host.followEarlier([{ pane: 41, line: 2, next: 12, until: null }]);
  await vi.waitFor(() => expect(host.reveal(4, "new two")).toBe(true), WAIT);
  expect([pane, 41, 40].map((one) => host.shows(one))).toEqual([
    true,
    true,
    false,
  ]);
  const match = (pane: number, line: number, content: string) =>
    host.revealMatch({ pane, line, content, ranges: [] });
  expect(match(41, 10, "old one")).toBe(true);
  expect(match(41, 11, "old two")).toBe(true);
  expect(match(pane, 4, "new two")).toBe(true);
  // Older than what is shown.
  expect(match(41, 3, "something else")).toBe(false);
  expect(match(40, 10, "old one")).toBe(false);
});
