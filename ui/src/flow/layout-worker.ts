import { type LayoutRequest, layOut } from "./layout";

/** Lays flows out beside the page, so that a large one does not stop it. */
self.onmessage = (
  event: MessageEvent<{ id: number; request: LayoutRequest }>,
) => {
  const { id, request } = event.data;
  try {
    self.postMessage({ id, layout: layOut(request) });
  } catch (cause) {
    self.postMessage({ id, error: String(cause) });
  }
};
