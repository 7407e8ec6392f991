import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// What jsdom lacks and components ask for.
class NoObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}
globalThis.ResizeObserver ??= NoObserver as unknown as typeof ResizeObserver;
window.matchMedia ??= ((query: string) => ({
  matches: query.includes("dark"),
  media: query,
  addEventListener() {},
  removeEventListener() {},
  addListener() {},
  removeListener() {},
})) as unknown as typeof window.matchMedia;
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.hasPointerCapture ??= () => false;
Blob.prototype.text ??= function (this: Blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error);
    reader.readAsText(this);
  });
};
Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList;
// jsdom draws nothing: a context on which everything can be called, and every character is as wide.
const context = new Proxy(
  {},
  {
    get: (_target, name) =>
      name === "measureText"
        ? () => ({
            width: 8,
            fontBoundingBoxAscent: 12,
            fontBoundingBoxDescent: 4,
          })
        : () => ({ data: [0, 0, 0, 0] }),
    set: () => true,
  },
);
HTMLCanvasElement.prototype.getContext = (() =>
  context) as unknown as typeof HTMLCanvasElement.prototype.getContext;
