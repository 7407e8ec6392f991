import { openWindow } from "../window/open";
import { demoBackend } from "./demo";

// The page without Rust, for a plain browser: `npm run dev` opens it, and no build has it.
openWindow(await demoBackend(new URLSearchParams(window.location.search)));
