/**
 * `prefork-dev status|reload|scale|send|stop`: asks the server that runs for a project, over its control socket, and prints
 * what it answers. `sub-command-line.ts` parses, `status-text.ts` and `outcome-text.ts` write the texts.
 */
import { ControlClient } from "../control/control-client.js";
import { findControlSocket } from "../control/find-control-socket.js";
import { locateProject } from "../manifest/locate-project.js";
import { fieldsOf } from "./lenient.js";
import { commandText, reloadText, scaleText } from "./outcome-text.js";
import type { Told } from "./outcome-text.js";
import { statusText } from "./status-text.js";
import { EXIT_FAILED, ownEnvironment, reportFailure } from "./sub-command.js";
import type { SubCommandEnvironment } from "./sub-command.js";
import { isSubCommand, parseSubCommand } from "./sub-command-line.js";
import type { SubCommand } from "./sub-command-line.js";

/** An answer: as it came, and for people. */
interface Answered extends Told {
  readonly answer: unknown;
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
    return reportFailure(error, isJson, { stdout, stderr });
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
