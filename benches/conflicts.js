// Notes when the panel's row of a file was drawn, and when it had gone. WebDriver runs it once.
const list = document.querySelector("[data-testid=conflicts-panel]");
window.drawn = {};
window.listed = new Set();
const after = new MessageChannel();
after.port1.onmessage = ({ data }) => {
  for (const path of data) window.drawn[path] ??= Date.now();
};
new MutationObserver(() => {
  const paths = list.querySelectorAll("[data-testid=verdict-row] .path-text");
  // Marks around its directory keep the letters of a path in their order.
  window.listed = new Set(Array.from(paths, (path) => path.textContent.replaceAll("\u200e", "")));
  // The rows change within a frame; a message comes after it.
  requestAnimationFrame(() => after.port2.postMessage([...window.listed]));
}).observe(list, { subtree: true, childList: true, characterData: true });
