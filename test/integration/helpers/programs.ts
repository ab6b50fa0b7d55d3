/** Other programs that tests run: whether they are there, and processes that a test starts and ends with all their children. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

const DEADLINE_MS = 15_000;
const LOOK_AGAIN_MS = 20;

/** The full path of a program, also of one that is for administrators; `undefined` when there is none. */
export function findProgram(name: string): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(path.delimiter);
  return [...directories, "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]
    .map((directory) => path.join(directory, name))
    .find((file) => existsSync(file));
}

/** Without the program a test is skipped; not in CI, which installs it. */
export function isMissing(name: string): boolean {
  return findProgram(name) === undefined && process.env["CI"] === undefined;
}

/** A program that a test runs in a process group of its own. */
export interface Running {
  readonly child: ChildProcess;
  /** What it wrote to stdout and stderr. */
  readonly output: () => string;
  /** Sends a signal to it and all its children; fulfils when all are gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a program; not through a shell. */
export function run(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const collect = (text: Buffer): void => {
    output += text.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exited = once(child, "exit");
  return {
    child,
    output: () => output,
    async end(signal) {
      const { pid } = child;
      if (pid === undefined) return;
      signalGroup(pid, signal);
      await exited;
      const deadline = performance.now() + DEADLINE_MS;
      while (signalGroup(pid, 0)) {
        if (performance.now() > deadline) {
          signalGroup(pid, "SIGKILL");
          throw new Error(`${program} left children behind: ${output}`);
        }
        await delay(LOOK_AGAIN_MS);
      }
    },
  };
}

/** Is there somebody to get it? */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Fulfils when a port, or a socket's path, takes connections. */
export async function untilAccepts(
  where: net.NetConnectOpts,
  shown: () => string,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await accepts(where))) {
    if (performance.now() > deadline) {
      throw new Error(
        `Nobody listens at ${JSON.stringify(where)} within ${DEADLINE_MS} ms: ${shown()}`,
      );
    }
    await delay(LOOK_AGAIN_MS);
  }
}

function accepts(where: net.NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(where);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** A port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  await once(server.close(), "close");
  return port;
}
