/** The process that the tests of signals send signals to. */
import { bundle, start } from "./child-program.js";
import type { Child } from "./child-program.js";

/** `own` in a map is a function; `fails` names what rejects; `lingers`: it has other things to do than to serve. */
interface Settings {
  readonly map?: Readonly<Record<string, string | false>>;
  readonly relayedWithinMs?: number;
  readonly fails?: readonly string[];
  readonly lingers?: boolean;
  readonly withoutOnError?: boolean;
}

/** A master that handles signals, with a server that only says what it was asked for. Lines of stdin tell it what to do. */
export const program = `
import fs from "node:fs";
import readline from "node:readline";
import { installSignals } from "../../src/mechanisms/signals.js";

const settings = JSON.parse(process.argv[2]);
const say = (text) => void fs.writeSync(1, text + "\\n");
const answer = async (name) => {
  if (settings.fails?.includes(name)) throw new Error(name + " failed");
};
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const server = {
  reload() { say("reload"); return answer("reload"); },
  scale({ by }) { say("scale " + by); return answer("scale"); },
  async stop() { say("stop"); await finished; await answer("stop"); },
  async kill() { say("kill"); finish(); await answer("kill"); },
};
const own = (signal) => { say("own " + signal); return answer("own"); };
const map = Object.fromEntries(
  Object.entries(settings.map ?? {}).map(([name, effect]) => [name, effect === "own" ? own : effect]),
);
const lines = readline.createInterface({ input: process.stdin });
const uninstall = installSignals(server, map, {
  ...(settings.relayedWithinMs === undefined ? {} : { relayedWithinMs: settings.relayedWithinMs }),
  ...(settings.withoutOnError ? {} : { onError: (error, signal) => say("error " + signal + ": " + error.message) }),
  onStopping: (signal) => say("stopping by " + signal),
  onStopped: () => {
    say("stopped " + process.exitCode);
    // Nothing else holds the process: it exits by itself.
    if (!settings.lingers) process.stdin.destroy();
  },
});
process.on("removeListener", (name) => {
  if (String(name).startsWith("SIG")) say("released " + String(name));
});
lines.on("line", (line) => {
  if (line === "ping") say("pong");
  if (line === "finish") finish();
  if (line === "uninstall") { uninstall(); uninstall(); say("uninstalled"); }
});
say("installed");
`;

/** Starts it, and waits until its handlers are installed. */
export async function startMaster(
  settings: Settings = {},
  nodeFlags: readonly string[] = [],
): Promise<Child> {
  const child = start(process.execPath, [
    ...nodeFlags,
    bundle(program),
    JSON.stringify(settings),
  ]);
  await child.until(/^installed$/);
  return child;
}

/**
 * Every signal that was sent before has been handled: by the first answer libuv has heard of it; a turn of the loop that asks for signals, too,
 * reads them last, behind what may be the second answer.
 */
export async function settle(child: Child): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    child.write("ping\n");
    await child.until(/^pong$/);
  }
}

/** What was done, without the test's own talk. */
export function deeds(child: Child): string[] {
  return child.lines.filter(
    (line) => !/^(?:installed|pong|released )/.test(line),
  );
}
