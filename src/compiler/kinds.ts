import { extname, relative, sep } from "node:path";

/** How a source is compiled: an esbuild loader's name. */
export type Loader = "ts" | "tsx" | "js" | "jsx" | "json";

const loaders: ReadonlyMap<string, Loader> = new Map<string, Loader>([
  [".ts", "ts"],
  [".mts", "ts"],
  [".cts", "ts"],
  [".tsx", "tsx"],
  [".js", "js"],
  [".mjs", "js"],
  [".cjs", "js"],
  [".jsx", "jsx"],
  [".json", "json"],
]);

/** The loader that a file name asks for; `undefined` when the name is not that of code. */
export function loaderByName(path: string): Loader | undefined {
  return loaders.get(extname(path));
}

/** The loader of a file that is imported: as Node does, a name without an extension (`bin/www`) is JavaScript. */
export function loaderOfImported(path: string): Loader | undefined {
  return extname(path) === "" ? "js" : loaderByName(path);
}

/** Whether a path names TypeScript declarations: types only, nothing to load. */
export function isDeclarations(path: string): boolean {
  return /\.d\.[mc]?ts$/.test(path);
}

/** Whether a file belongs to an installed package: `node_modules` is in its real path, below the root if the root is above it. */
export function isInstalled(path: string, root: string): boolean {
  const inside = path.startsWith(root + sep) ? relative(root, path) : path;
  return inside.split(sep).includes("node_modules");
}
