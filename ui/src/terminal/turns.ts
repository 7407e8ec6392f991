/** Work that waits for its turn. */
interface Turn {
  /** Whether it goes before the others. */
  first: () => boolean;
  act: () => void;
}

/** So long a frame may work on turns; one is taken in any case. */
const FRAME_MS = 12;

const waiting: Turn[] = [];
let called = false;

/**
 * Acts when the page has time, so that much of such work keeps it neither from drawing nor from taking keys: what is
 * `first` before the others, as many in a frame as fit. Returns what takes it back.
 */
export function takeTurn(act: () => void, first: () => boolean): () => void {
  const turn = { act, first };
  waiting.push(turn);
  if (!called) {
    called = true;
    // What is asked for together is compared first.
    queueMicrotask(takeTurns);
  }
  return () => {
    const at = waiting.indexOf(turn);
    if (at >= 0) waiting.splice(at, 1);
  };
}

function takeTurns(): void {
  const end = performance.now() + FRAME_MS;
  try {
    do {
      const at = waiting.findIndex((turn) => turn.first());
      const [turn] = waiting.splice(Math.max(at, 0), 1);
      turn?.act();
    } while (waiting.length > 0 && performance.now() < end);
  } finally {
    // One that failed keeps nobody else waiting.
    called = waiting.length > 0;
    if (called) requestAnimationFrame(takeTurns);
  }
}
