/**
 * The keys of the terminal, each with Enter. They do what signals do (`../mechanisms/signals.ts`), for people. Not a prompt: the terminal stays in
 * its ordinary mode, so that what is typed is shown, and Ctrl-C, Ctrl-Z and scrolling work as ever.
 */
import process from "node:process";
import readline from "node:readline";
import type { Readable } from "node:stream";
import { messageOf } from "../errors.js";
import { isForeground } from "./foreground.js";

/** What keys ask of a server. */
interface KeysTarget {
  reload(): Promise<unknown>;
  scale(change: { readonly by: number }): Promise<unknown>;
  /** For `q`: a graceful stop, and the end of the command. */
  stop(): Promise<void>;
}

/** Options of {@link installKeys}. */
export interface KeysOptions {
  /** Where lines are read, `process.stdin` as a rule. It never keeps the process alive. */
  readonly input: Readable & { unref?(): unknown };
  /** Is it a terminal? Else there are no keys: a pipe's text isn't meant for us. */
  readonly isTTY: boolean;
  /** Its `CI` turns keys off. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly server: KeysTarget;
  /** The text that `s` shows. */
  readonly status: () => string;
  /** Gets what there is to show, without a line's end: help, the status, why something wasn't done. */
  readonly say: (text: string) => void;
}

const HELP =
  "r reload, s status, + one worker more, - one fewer, q quit, h help, each with Enter";

/** A line pasted by accident is shown this far. */
const SHOWN_LENGTH = 20;

/**
 * Reads keys, if there is somebody to press them.
 *
 * @returns stops reading. Idempotent
 */
export function installKeys(options: KeysOptions): () => void {
  const { input, isTTY, env = process.env } = options;
  if (!isTTY || isSet(env["CI"])) return () => undefined;

  let lines: readline.Interface | undefined;
  let isOver = false;
  /**
   * Reads only as a job in the foreground: for one in the background that handles SIGTTIN, as ours does, the kernel
   * answers each `read` by a SIGTTIN and `read` begins anew, for ever. `fg` after Ctrl-Z sends a SIGCONT, as `bg` does.
   */
  const update = (): void => {
    if (isOver) return;
    if (!isForeground()) {
      lines?.pause();
      return;
    }
    lines ??= read();
    lines.resume();
    input.unref?.();
  };
  const read = (): readline.Interface =>
    readline
      .createInterface({ input, terminal: false, crlfDelay: Infinity })
      .on("line", (line) => void press(line, options))
      .on("error", onError)
      // Ctrl-D: there are no more keys, and that's all.
      .once("close", uninstall);
  // A terminal that went away is no reason to stop, either: that is what SIGHUP tells.
  const onError = (): void => uninstall();
  const uninstall = (): void => {
    if (isOver) return;
    isOver = true;
    process.off("SIGCONT", update);
    lines?.close();
  };

  // For good: it may also come afterwards.
  input.on("error", onError);
  process.on("SIGCONT", update);
  update();
  return uninstall;
}

/** As other tools take it: `CI=false` and `CI=0` say no. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value);
}

async function press(line: string, options: KeysOptions): Promise<void> {
  const { server, status, say } = options;
  const key = line.trim();
  try {
    switch (key) {
      case "":
        // To make room on the screen.
        return;
      case "r":
        await server.reload();
        return;
      case "s":
        say(status());
        return;
      case "+":
        await server.scale({ by: 1 });
        return;
      case "-":
        await server.scale({ by: -1 });
        return;
      case "q":
        await server.stop();
        return;
      case "h":
        say(HELP);
        return;
      default:
        say(`${JSON.stringify(key.slice(0, SHOWN_LENGTH))} is no key: ${HELP}`);
    }
  } catch (error) {
    say(messageOf(error));
  }
}
