import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // Tauri's own output stays on screen, and its port is fixed in tauri.conf.json.
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  build: {
    target: "es2022",
    sourcemap: false,
    // Everything is loaded from the program itself; one chunk starts faster than many.
    chunkSizeWarningLimit: 4096,
    // The page may load nothing but its own files: small assets stay files, not data URLs.
    assetsInlineLimit: 0,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test-setup.ts"],
    css: false,
    // Its package names a file for require() that it does not have.
    alias: {
      "@xterm/addon-ligatures":
        "@xterm/addon-ligatures/lib/addon-ligatures.mjs",
    },
    restoreMocks: true,
    // On a machine that is busy with other things, everything takes longer.
    testTimeout: 30_000,
  },
});
