/**
 * Sends what a person typed, in order: commands run side by side in Rust, so the next piece leaves when the one before
 * has arrived; what is typed meanwhile travels together.
 */
export function writeQueue(
  send: (data: string) => Promise<unknown>,
): (data: string) => void {
  let waiting = "";
  let sending = false;

  async function drain() {
    sending = true;
    try {
      while (waiting !== "") {
        const data = waiting;
        waiting = "";
        await send(data);
      }
    } finally {
      sending = false;
    }
  }

  return (data) => {
    waiting += data;
    if (!sending) void drain();
  };
}
