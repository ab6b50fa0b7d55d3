/** How a manifest's imports are bundled: files into it, packages stay where they are. */
import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import type {
  BuildFailure,
  Loader,
  OnResolveArgs,
  Plugin,
  ResolveResult,
} from "esbuild";

const CODE = /\.([cm]?[jt]s|[jt]sx)$/;
const PACKAGES = `${path.sep}node_modules${path.sep}`;
/** What a manifest is written with; a file of its own, since all of `prefork-dev` takes longer to load than most manifests. */
const LANGUAGE: ReadonlySet<string> = new Set([
  "defineProject",
  "directory",
  "file",
]);
/** As esbuild prints them. */
const OWN_NAME = /["'`]prefork-dev["'`]/g;
const OWN_IMPORT = /^import \{([^}]*)\} from "prefork-dev";$/m;

/** Where the running prefork-dev is. */
export interface RunningCopy {
  /** What `prefork-dev` means. */
  readonly index: URL;
  /** The part of it that manifests are written with. */
  readonly language: URL;
  /** What `prefork-dev/worker` means. */
  readonly worker: URL;
}

/** Is that all that a module takes of `prefork-dev`? `code` is esbuild's output. */
function takesOnlyLanguage(code: string): boolean {
  const [, names = ""] = OWN_IMPORT.exec(code) ?? [];
  const taken = names.split(",").map((name) => name.trim().split(" ")[0] ?? "");
  return (
    // Named once, so nothing else can mean it.
    code.match(OWN_NAME)?.length === 1 &&
    taken.every((name) => LANGUAGE.has(name))
  );
}

/** Marks our own question to esbuild's resolver, so that we don't answer it ourselves. */
const ASKED = Symbol("asked");

function loaderOf(file: string): Loader {
  const [, ext = "js"] = CODE.exec(file) ?? [];
  if (ext.endsWith("x")) return ext === "tsx" ? "tsx" : "jsx";
  return ext.endsWith("ts") ? "ts" : "js";
}

/** `import.meta.url` and the like mean the original file, as literals. */
function placesOf(file: string): Record<string, string> {
  const name = JSON.stringify(file);
  const directory = JSON.stringify(path.dirname(file));
  return {
    "import.meta.url": JSON.stringify(pathToFileURL(file).href),
    "import.meta.filename": name,
    "import.meta.dirname": directory,
    __filename: name,
    __dirname: directory,
  };
}

/** What a relative specifier may mean: itself, with an extension, as a directory, and TypeScript where it says JavaScript. */
function meanings(file: string): string[] {
  const extensions = ["ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "json"];
  const typed = file.replace(/\.([cm]?)js$/, ".$1ts");
  return [
    file,
    typed,
    ...extensions.map((ext) => `${file}.${ext}`),
    ...extensions.map((ext) => path.join(file, `index.${ext}`)),
  ];
}

/**
 * Makes the plugin.
 *
 * @param looked - is added to: the files that were read, and those that an import asked for in vain
 */
export function manifestPlugin(copy: RunningCopy, looked: Set<string>): Plugin {
  const inLanguage = new Set<string>();
  return {
    name: "prefork-dev-manifest",
    setup(bundler) {
      bundler.onResolve(
        { filter: /^prefork-dev(?:\/worker)?$/ },
        ({ path: name, importer }) => {
          const all = inLanguage.has(importer) ? copy.language : copy.index;
          const { href } = name === "prefork-dev" ? all : copy.worker;
          return { path: href, external: true };
        },
      );

      bundler.onResolve({ filter: /^\.{0,2}\// }, async (args) => {
        if (args.pluginData === ASKED || args.kind === "entry-point")
          return undefined;
        const { errors } = await ask(args);
        if (errors.length === 0) return undefined;
        const file = path.resolve(args.resolveDir, args.path);
        for (const meant of meanings(file)) looked.add(meant);
        // The report is esbuild's own.
        return undefined;
      });

      // Anything but a relative or absolute path.
      bundler.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === ASKED || args.kind === "entry-point")
          return undefined;
        if (isBuiltin(args.path)) return { path: args.path, external: true };
        return resolvePackage(args);
      });

      async function ask(args: OnResolveArgs): Promise<ResolveResult> {
        return await bundler.resolve(args.path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: args.resolveDir,
          pluginData: ASKED,
        });
      }

      async function resolvePackage(args: OnResolveArgs): Promise<{
        path?: string;
        external?: boolean;
        errors?: BuildFailure["errors"];
      }> {
        const found = await ask(args);
        if (found.errors.length > 0) return { errors: found.errors };
        // `paths` of a tsconfig, and workspace packages: files like the others.
        if (!found.path.includes(PACKAGES)) return { path: found.path };
        // By its place, since the bundle is run from elsewhere.
        const isRequired = args.kind.startsWith("require");
        const place = isRequired ? found.path : pathToFileURL(found.path).href;
        return { path: place, external: true };
      }

      bundler.onLoad({ filter: /\.json$/ }, ({ path: file }) => {
        looked.add(file);
        // Read as esbuild reads it.
        return undefined;
      });

      bundler.onLoad({ filter: CODE }, async ({ path: file }) => {
        looked.add(file);
        const text = await readFile(file, "utf8");
        try {
          const { code } = await transform(text, {
            loader: loaderOf(file),
            sourcefile: file,
            sourcemap: "inline",
            sourcesContent: false,
            target: `node${process.versions.node}`,
            define: placesOf(file),
            logLevel: "silent",
          });
          if (takesOnlyLanguage(code)) inLanguage.add(file);
          return { contents: code, loader: "js" };
        } catch (error) {
          if (error instanceof Error && "errors" in error)
            return { errors: (error as BuildFailure).errors };
          throw error;
        }
      });
    },
  };
}
