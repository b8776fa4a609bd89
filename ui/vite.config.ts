import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.TAILORBIRD_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  // public/.gitkeep is copied into dist, so that the folder that Go embeds always exists.
  build: { outDir: "dist", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 600 },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": server, "/v1": server, "/demo": server },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test-setup.ts"],
    env: { TZ: "Europe/Berlin" },
    css: false,
    testTimeout: 20_000,
  },
});
