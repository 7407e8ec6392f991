/** What travels to the page for one pane: byte 0 is the kind, then comes a header, the rest is payload. */
export type Frame =
  | {
      kind: "changes";
      /** The line that the first row of the screen belongs to then, unless a full-screen program has it. */
      topLine: number;
      bytes: Uint8Array;
    }
  | {
      kind: "snapshot";
      cols: number;
      rows: number;
      firstLine: number;
      /** There is more scrollback than this, and a whole snapshot follows. */
      light: boolean;
      bytes: Uint8Array;
    }
  | { kind: "ended" };

const CHANGES = 0;
const SNAPSHOT = 1;
const ENDED = 2;
const CHANGES_HEADER = 9;
const SNAPSHOT_HEADER = 14;

/** Reads a frame; `null` when it is not one, so that a broken frame costs nothing but itself. */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  switch (bytes[0]) {
    case CHANGES:
      if (bytes.length < CHANGES_HEADER) return null;
      return {
        kind: "changes",
        // Line ids stay far below 2^53.
        topLine: Number(view.getBigUint64(1, true)),
        bytes: bytes.subarray(CHANGES_HEADER),
      };
    case SNAPSHOT:
      if (bytes.length < SNAPSHOT_HEADER) return null;
      return {
        kind: "snapshot",
        cols: view.getUint16(1, true),
        rows: view.getUint16(3, true),
        firstLine: Number(view.getBigUint64(5, true)),
        light: bytes[13] !== 0,
        bytes: bytes.subarray(SNAPSHOT_HEADER),
      };
    case ENDED:
      return { kind: "ended" };
    default:
      return null;
  }
}

/** Writes a frame as Rust does; for the in-memory twin and for tests. */
export function encodeFrame(frame: Frame): ArrayBuffer {
  switch (frame.kind) {
    case "changes": {
      const bytes = new Uint8Array(CHANGES_HEADER + frame.bytes.length);
      bytes[0] = CHANGES;
      new DataView(bytes.buffer).setBigUint64(1, BigInt(frame.topLine), true);
      bytes.set(frame.bytes, CHANGES_HEADER);
      return bytes.buffer;
    }
    case "snapshot": {
      const bytes = new Uint8Array(SNAPSHOT_HEADER + frame.bytes.length);
      const view = new DataView(bytes.buffer);
      bytes[0] = SNAPSHOT;
      view.setUint16(1, frame.cols, true);
      view.setUint16(3, frame.rows, true);
      view.setBigUint64(5, BigInt(frame.firstLine), true);
      bytes[13] = frame.light ? 1 : 0;
      bytes.set(frame.bytes, SNAPSHOT_HEADER);
      return bytes.buffer;
    }
    case "ended":
      return new Uint8Array([ENDED]).buffer;
  }
}
