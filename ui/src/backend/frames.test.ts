import { expect, test } from "vitest";
import { decodeFrame, encodeFrame, type Frame } from "./frames";

// Not by a `TextEncoder`: jsdom's arrays are of another realm than ours.
const bytes = new Uint8Array([0x68, 0xc3, 0xa9, 0x0d, 0x0a]);

const frames: Frame[] = [
  { kind: "changes", topLine: 2 ** 40 + 7, bytes },
  { kind: "changes", topLine: 0, bytes: new Uint8Array() },
  {
    kind: "snapshot",
    cols: 300,
    rows: 40,
    firstLine: 2 ** 40 + 7,
    light: true,
    bytes,
  },
  { kind: "ended" },
];

test.each(frames)("a frame of kind $kind comes back as it went", (frame) => {
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
});

test("a snapshot's header is laid out as Rust writes it", () => {
  const buffer = new Uint8Array([
    1, 80, 0, 24, 0, 5, 1, 0, 0, 0, 0, 0, 0, 1, 0x68, 0x69,
  ]).buffer;
  expect(decodeFrame(buffer)).toEqual({
    kind: "snapshot",
    cols: 80,
    rows: 24,
    firstLine: 261,
    light: true,
    bytes: new Uint8Array([0x68, 0x69]),
  });
});

test.each([
  ["nothing", []],
  ["an unknown kind", [9, 1, 2]],
  ["a snapshot without its header", [1, 80, 0]],
  ["changes without their header", [0, 1, 0]],
])("%s is no frame", (_name, raw) => {
  expect(decodeFrame(new Uint8Array(raw).buffer)).toBeNull();
});
