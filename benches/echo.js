// Sends keys one by one to a pane, each after the former was on screen. WebDriver gives the arguments.
const [pane, count, done] = arguments;
const root = document.querySelector(`[data-testid="pane-${pane}"]`);
const area = root.querySelector(".xterm-helper-textarea");
const rows = root.querySelector(".xterm-rows");
area.focus();
const times = [];
const alphabet = "abcdefghijklmnopqrstuvwxyz";
let typed = "";
const next = () => {
  if (times.length >= count) { done(times); return; }
  const key = alphabet[times.length % 26];
  typed = (typed + key).slice(-6);
  const start = performance.now();
  const look = () => {
    if (rows.textContent.includes(typed)) {
      requestAnimationFrame(() => { times.push(performance.now() - start); setTimeout(next, 15); });
    } else if (performance.now() - start > 5000) { times.push(5000); setTimeout(next, 15); }
    else requestAnimationFrame(look);
  };
  area.dispatchEvent(new InputEvent("input", { data: key, inputType: "insertText", bubbles: true, composed: false }));
  look();
};
next();
