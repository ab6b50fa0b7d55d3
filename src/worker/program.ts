/** Loads the app and, if it doesn't listen itself, serves what it exports. */
import { pathToFileURL } from "node:url";
import type { Adoption } from "./adoption.js";
import { serveDefaultExport } from "./default-export.js";
import { diagnosticOf } from "../runtime/diagnostic-of.js";
import { exitAfter } from "./faults.js";
import { canRequireModules, isAsyncRefusal, loadSync } from "./load.js";
import type { Ahead } from "./stand-by.js";

/** Loads synchronously if it can be done. */
function loadEntry(output: string, ahead: Ahead | undefined): unknown {
  if (canRequireModules || output.endsWith(".cjs")) {
    try {
      return loadSync(output);
    } catch (error) {
      if (!isAsyncRefusal(error)) throw error;
      if (ahead?.work !== undefined) return unfit(ahead.work.file);
    }
  }
  return import(pathToFileURL(output).href);
}

/** `import()` lets microtasks run before the rest of the program is evaluated. */
function unfit(file: string | undefined): Promise<never> {
  const reason =
    "the program has a top-level await, and a module evaluated ahead left work for later";
  exitAfter(
    { type: "unfit", reason, ...(file === undefined ? {} : { file }) },
    1,
  );
  return new Promise(() => undefined);
}

/**
 * Runs the program. What it throws while it's loaded is reported to the master, and ends the process.
 *
 * @param ahead - what the process did while it stood by
 * @param onEvaluated - called when the program was evaluated
 */
export function runProgram(
  output: string,
  adoption: Adoption,
  ahead: Ahead | undefined,
  onEvaluated: () => void,
): void {
  try {
    const loaded = loadEntry(output, ahead);
    void serve(loaded, output, adoption, onEvaluated);
  } catch (error) {
    fail(error, output);
  }
}

async function serve(
  loaded: unknown,
  output: string,
  adoption: Adoption,
  onEvaluated: () => void,
): Promise<void> {
  try {
    const exported = await loaded;
    onEvaluated();
    if (adoption.hasServer) return;
    await serveDefaultExport(defaultOf(exported, output), adoption);
  } catch (error) {
    fail(error, output);
  }
}

/** As `import()` shows it: a CommonJS module's exports are the default export. */
function defaultOf(exported: unknown, output: string): unknown {
  if (output.endsWith(".cjs")) return exported;
  return typeof exported === "object" && exported !== null
    ? Reflect.get(exported, "default")
    : exported;
}

function fail(error: unknown, output: string): void {
  exitAfter({ type: "failed", diagnostic: diagnosticOf(error, output) }, 1);
}
