/** The command `prefork-dev`: a sub-command that asks a running server or looks at a project, or the server itself. */
import process from "node:process";
import { runProjectCommand } from "./project-commands.js";
import { runSubCommand } from "./sub-commands.js";

/**
 * Runs the command.
 *
 * @param argv - without node and the script
 */
export async function main(argv: readonly string[]): Promise<void> {
  const exitCode =
    (await runSubCommand(argv)) ?? (await runProjectCommand(argv));
  if (exitCode !== undefined) {
    process.exitCode = exitCode;
    return;
  }
  // Not before it's known to be needed: it loads the compiler and all.
  const { serve } = await import("./serve.js");
  await serve(argv);
}
