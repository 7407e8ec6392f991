import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Fails a build that has a part of the backend's twin: it is for tests and for a plain browser. */
function withoutTwin(): Plugin {
  return {
    name: "without-twin",
    apply: "build",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const twin = chunk.moduleIds.find((id) => id.includes("/src/twin/"));
        if (twin) this.error(`${twin} is in the product: who imports it?`);
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), withoutTwin()],
  // Tauri's own output stays on screen, and its port is fixed in tauri.conf.json.
  clearScreen: false,
  server: {
    port: 5173,
    strictPort: true,
    // The editor knows the schema of a flow, and the twin plays recordings.
    fs: { allow: [".", "../docs/flow.schema.json", "../tests/recordings"] },
  },
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
