/** Loads the app and, if it doesn't listen itself, serves what it exports. */
import { pathToFileURL } from "node:url";
import type { ProgramMessage } from "../ipc/messages.js";
import type { Adoption } from "./adoption.js";
import { serveDefaultExport } from "./default-export.js";
import { diagnosticOf, exitAfter } from "./faults.js";

/** Runs the program. What it throws while it's loaded is reported to the master, and ends the process. */
export async function runProgram(
  program: ProgramMessage,
  adoption: Adoption,
): Promise<void> {
  try {
    const namespace = (await import(pathToFileURL(program.output).href)) as {
      default?: unknown;
    };
    if (!adoption.hasServer)
      await serveDefaultExport(namespace.default, adoption);
  } catch (error) {
    exitAfter({ type: "failed", diagnostic: diagnosticOf(error) }, 1);
  }
}
