/**
 * `npm run build`: the programs in a few files each, since Node needs about half a millisecond for each module that
 * it loads, of which there are 240; and the declarations (tsc), one per source.
 */
import { copyFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: [
    "src/index.ts",
    "src/commands/worker.ts",
    // Called by path, from `bin` and from other sources.
    "src/cli/main.ts",
    "src/worker/main.ts",
    "src/worker/nothing.ts",
    // What manifests import, without the rest of the library.
    "src/manifest/define-project.ts",
  ],
  bundle: true,
  // What several of them import is there once: a class has one identity.
  splitting: true,
  packages: "external",
  platform: "node",
  target: "node20.19",
  format: "esm",
  outbase: "src",
  outdir: "dist",
  // As deep as all sources: a URL relative to one of them is right in a chunk.
  chunkNames: "chunks/[name]-[hash]",
  logLevel: "warning",
});
// Editors read it: `prefork-dev/schema.json`.
copyFileSync(
  "src/manifest/prefork.config.schema.json",
  "dist/prefork.config.schema.json",
);
