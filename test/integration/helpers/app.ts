/**
 * Apps for tests: a directory of its own under the system's temporary one, that
 * looks like a user's project (its own `node_modules`, with `prefork-dev` in it).
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository. */
export const repository: string = fileURLToPath(
  new URL("../../../", import.meta.url),
);

/** An app in a temporary directory; whoever made it removes it. */
export interface TestApp {
  /** Absolute, without symbolic links. */
  readonly directory: string;
  /** An empty directory for the program's own temporary files (`TMPDIR`). */
  readonly temporary: string;
  /** Absolute path of a file of the app. */
  path(file: string): string;
  /** Writes a file in place, with its directories. */
  write(file: string, text: string): void;
  /** What is in {@link temporary}: after a clean end, nothing. */
  leftovers(): string[];
  remove(): void;
}

/**
 * Makes an app of the files given.
 *
 * @param files - text by path; without a `package.json`, one for ESM is added
 */
export function makeApp(files: Readonly<Record<string, string>>): TestApp {
  const app = emptyApp();
  if (!("package.json" in files)) {
    app.write("package.json", `{ "private": true, "type": "module" }\n`);
  }
  for (const [file, text] of Object.entries(files)) app.write(file, text);
  return app;
}

/** Makes a copy of an app in `fixtures/`, its workspace's packages linked as npm links them. */
export function copyFixture(name: string): TestApp {
  const app = emptyApp();
  cpSync(path.join(repository, "fixtures", name), app.directory, {
    recursive: true,
    filter: (source) => path.basename(source) !== "node_modules",
  });
  linkWorkspace(app);
  return app;
}

/** Links the packages in `packages/` under their names. */
function linkWorkspace(app: TestApp): void {
  const packages = app.path("packages");
  if (!existsSync(packages)) return;
  for (const directory of readdirSync(packages)) {
    const target = path.join(packages, directory);
    const text = readFileSync(path.join(target, "package.json"), "utf8");
    const { name } = JSON.parse(text) as { name: string };
    const link = app.path(path.join("node_modules", name));
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(target, link, "junction");
  }
}

function emptyApp(): TestApp {
  // A socket's path must stay short (108 bytes on Linux, 104 on macOS), and
  // macOS reaches its temporary directory through a link.
  const base = mkdtempSync(path.join(realpathSync(os.tmpdir()), "pfd-"));
  const directory = path.join(base, "app");
  const temporary = path.join(base, "t");
  mkdirSync(directory);
  mkdirSync(temporary);
  linkPackages(path.join(directory, "node_modules"));
  return {
    directory,
    temporary,
    path: (file) => path.join(directory, file),
    write(file, text) {
      const target = path.join(directory, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    },
    leftovers: () => readdirSync(temporary),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/**
 * Each package is a link, and the directory a real one: so the cache in
 * `node_modules/.cache` is the app's own.
 */
function linkPackages(target: string): void {
  const packages = path.join(repository, "node_modules");
  mkdirSync(target);
  for (const name of readdirSync(packages)) {
    if (name.startsWith(".") || name === "prefork-dev") continue;
    symlinkSync(path.join(packages, name), path.join(target, name), "junction");
  }
  symlinkSync(repository, path.join(target, "prefork-dev"), "junction");
}
