/**
 * `prefork-dev status|reload|scale|send|stop`: asks the server that runs for a project, over its control socket, and prints
 * what it answers. `sub-command-line.ts` parses, `status-text.ts` and `outcome-text.ts` write the texts.
 */
import process from "node:process";
import type { Writable } from "node:stream";
import { ControlClient } from "../control/control-client.js";
import { findControlSocket } from "../control/find-control-socket.js";
import { PreforkError, messageOf } from "../errors.js";
import { locateProject } from "../manifest/locate-project.js";
import { fieldsOf } from "./lenient.js";
import { commandText, reloadText, scaleText } from "./outcome-text.js";
import type { Told } from "./outcome-text.js";
import { statusText } from "./status-text.js";
import { isSubCommand, parseSubCommand } from "./sub-command-line.js";
import type { SubCommand } from "./sub-command-line.js";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** What a sub-command needs of its process. */
export interface SubCommandEnvironment {
  /** What relative targets, and the paths shown, are relative to. */
  readonly cwd: string;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** An answer: as it came, and for people. */
interface Answered extends Told {
  readonly answer: unknown;
}

function ownEnvironment(): SubCommandEnvironment {
  const { stdout, stderr } = process;
  // A reader that went away (`| head`) is no error.
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  return { cwd: process.cwd(), stdout, stderr };
}

/**
 * Runs a sub-command if it is one.
 *
 * @param argv - without node and the script
 * @returns the exit code: 0 done; 1 it failed, or no server runs; 2 wrong usage. `undefined`: `argv[0]` is no sub-command's name
 */
export async function runSubCommand(
  argv: readonly string[],
  environment?: SubCommandEnvironment,
): Promise<number | undefined> {
  const [name] = argv;
  if (!isSubCommand(name)) return undefined;
  const { cwd, stdout, stderr } = environment ?? ownEnvironment();
  const invocation = parseSubCommand(name, argv, { stdout, stderr });
  if ("exitCode" in invocation) return invocation.exitCode;
  const { what, project, isJson } = invocation;
  try {
    const { root, target } = locateProject(project, cwd);
    const client = new ControlClient(await findControlSocket(root, target));
    const { answer, isDone, text } = await carryOut(what, client, cwd);
    if (isJson)
      stdout.write(
        `${JSON.stringify(answer, null, name === "status" ? 2 : 0)}\n`,
      );
    else (isDone ? stdout : stderr).write(text);
    return isDone ? 0 : EXIT_FAILED;
  } catch (error) {
    const message = messageOf(error);
    const code = error instanceof PreforkError ? error.code : undefined;
    if (isJson)
      stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    else stderr.write(`${message}\n`);
    return code === "ERR_PREFORK_USAGE" ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function carryOut(
  what: SubCommand,
  client: ControlClient,
  cwd: string,
): Promise<Answered> {
  switch (what.name) {
    case "status": {
      const answer = await client.status();
      return { answer, isDone: true, text: statusText(answer, cwd) };
    }
    case "reload": {
      const answer = await client.reload();
      return { answer, ...reloadText(answer, cwd) };
    }
    case "scale": {
      const answer = await client.scale(what.change);
      return { answer, ...scaleText(answer, cwd) };
    }
    case "send": {
      const { command, args, worker } = what;
      const only = worker === undefined ? {} : { worker };
      const answer = await client.command({ name: command, args, ...only });
      return { answer, ...commandText(answer) };
    }
    case "stop": {
      const answer = await client.stop();
      const isDone = fieldsOf(answer)["ok"] !== false;
      const text = isDone ? "stopped\n" : "not stopped; see the server's log\n";
      return { answer, isDone, text };
    }
  }
}
