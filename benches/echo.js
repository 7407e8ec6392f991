// Sends keys one by one to a pane, each after the former was on screen. WebDriver gives the arguments.
const [pane, count, done] = arguments;
const root = document.querySelector(`[data-testid="pane-${pane}"] .terminal-root`).shadowRoot;
const area = root.querySelector(".xterm-helper-textarea");
const rows = root.querySelector(".xterm-rows");
area.focus();
const times = [];
const alphabet = "abcdefghijklmnopqrstuvwxyz";
let typed = "", start = 0, waiting = false;
const drawn = new MessageChannel();
drawn.port1.onmessage = () => {
  times.push(performance.now() - start);
  // A person's keys fall anywhere between two frames; a fixed pause after one would always meet the same place.
  setTimeout(next, 10 + (times.length * 7) % 17);
};
const seen = new MutationObserver(() => {
  if (!waiting || !rows.textContent.includes(typed)) return;
  waiting = false;
  // The rows change within a frame; a message comes after it.
  drawn.port2.postMessage(null);
});
seen.observe(rows, { subtree: true, childList: true, characterData: true });
const next = () => {
  if (times.length >= count) { seen.disconnect(); done(times); return; }
  const key = alphabet[times.length % 26];
  typed = (typed + key).slice(-6);
  waiting = true;
  start = performance.now();
  area.dispatchEvent(new InputEvent("input", { data: key, inputType: "insertText", bubbles: true, composed: false }));
};
next();
