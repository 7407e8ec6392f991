// Notes when the panel's row of a file was drawn, and when it had gone. WebDriver runs it once.
const list = document.querySelector("[data-testid=conflicts-panel]");
window.drawn = {};
window.listed = new Set();
const after = new MessageChannel();
after.port1.onmessage = ({ data }) => {
  for (const path of data) window.drawn[path] ??= Date.now();
};
new MutationObserver(() => {
  const rows = list.querySelectorAll("[data-testid=verdict-row]");
  window.listed = new Set(Array.from(rows, (row) => row.title.split("\n")[0]));
  // The rows change within a frame; a message comes after it.
  requestAnimationFrame(() => after.port2.postMessage([...window.listed]));
}).observe(list, { subtree: true, childList: true, characterData: true });
