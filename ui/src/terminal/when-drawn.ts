/** A page that nobody sees is not drawn; whoever waits for it waits no longer than this. */
const UNSEEN_MS = 250;

/** Calls back once what was changed so far is drawn: behind the next frame, in a message of its own. */
export function whenDrawn(drawn: () => void): void {
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    clearTimeout(unseen);
    drawn();
  };
  const unseen = setTimeout(tell, UNSEEN_MS);
  const behind = new MessageChannel();
  behind.port1.onmessage = () => {
    behind.port1.close();
    tell();
  };
  requestAnimationFrame(() => behind.port2.postMessage(null));
}
