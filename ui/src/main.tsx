import { tauriBackend } from "./backend/tauri-backend";
import { openWindow } from "./window/open";

openWindow(tauriBackend());
