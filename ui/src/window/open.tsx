import { createRoot } from "react-dom/client";
import { type Backend, installBackend } from "../backend/backend";
import { App } from "./App";
import "../shared/tokens.css";
import "../shared/base.css";

/** Shows the window over this backend, for as long as the page is there. */
export function openWindow(backend: Backend): void {
  installBackend(backend);
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no #root");
  createRoot(root).render(<App />);
}
