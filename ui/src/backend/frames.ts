/** What travels to the page for one pane: byte 0 is the kind, a snapshot has a header, the rest is payload. */
export type Frame =
  | { kind: "output"; bytes: Uint8Array }
  | {
      kind: "snapshot";
      cols: number;
      rows: number;
      firstLine: number;
      bytes: Uint8Array;
    }
  | { kind: "ended" };

const OUTPUT = 0;
const SNAPSHOT = 1;
const ENDED = 2;
const SNAPSHOT_HEADER = 13;

/** Reads a frame; `null` when it is not one, so that a broken frame costs nothing but itself. */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  const bytes = new Uint8Array(buffer);
  switch (bytes[0]) {
    case OUTPUT:
      return { kind: "output", bytes: bytes.subarray(1) };
    case SNAPSHOT: {
      if (bytes.length < SNAPSHOT_HEADER) return null;
      const view = new DataView(buffer);
      return {
        kind: "snapshot",
        cols: view.getUint16(1, true),
        rows: view.getUint16(3, true),
        // Line ids stay far below 2^53.
        firstLine: Number(view.getBigUint64(5, true)),
        bytes: bytes.subarray(SNAPSHOT_HEADER),
      };
    }
    case ENDED:
      return { kind: "ended" };
    default:
      return null;
  }
}

/** Writes a frame as Rust does; for the in-memory twin and for tests. */
export function encodeFrame(frame: Frame): ArrayBuffer {
  switch (frame.kind) {
    case "output": {
      const bytes = new Uint8Array(1 + frame.bytes.length);
      bytes[0] = OUTPUT;
      bytes.set(frame.bytes, 1);
      return bytes.buffer;
    }
    case "snapshot": {
      const bytes = new Uint8Array(SNAPSHOT_HEADER + frame.bytes.length);
      const view = new DataView(bytes.buffer);
      bytes[0] = SNAPSHOT;
      view.setUint16(1, frame.cols, true);
      view.setUint16(3, frame.rows, true);
      view.setBigUint64(5, BigInt(frame.firstLine), true);
      bytes.set(frame.bytes, SNAPSHOT_HEADER);
      return bytes.buffer;
    }
    case "ended":
      return new Uint8Array([ENDED]).buffer;
  }
}
