import { defineConfig } from "vite";

export default defineConfig(({ mode }) => ({
  // In cookie mode, the site serves the app as /static/spa/index.html.
  base: mode === "cookie" ? "/static/spa/" : "/",
  build: { outDir: mode === "cookie" ? "../../static/spa" : "dist", emptyOutDir: true },
  // The site allows this origin, and the local pool has its callback URL.
  server: { port: 3000, strictPort: true, fs: { allow: ["../.."] } },
}));
