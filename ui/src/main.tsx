import { isTauri } from "@tauri-apps/api/core";
import { createRoot } from "react-dom/client";
import { installBackend } from "./backend/backend";
import { demoBackend } from "./backend/demo";
import { tauriBackend } from "./backend/tauri-backend";
import { App } from "./window/App";
import "./shared/tokens.css";
import "./shared/base.css";

async function start(): Promise<void> {
  installBackend(
    isTauri()
      ? tauriBackend()
      : await demoBackend(new URLSearchParams(window.location.search)),
  );
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  createRoot(root).render(<App />);
}

void start();
