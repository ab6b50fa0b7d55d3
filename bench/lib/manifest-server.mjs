/** A server of an app of `manifest-app.mjs`: how long its start takes, and its saves. One worker, one standby. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const DEADLINE_MS = 120_000;
const SETTLE_MS = 500;

/** Starts the command; `coldMs` is from here to the first answer. */
export async function startServer(program, directory, target) {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      program,
      ...[target, "--port", "0", "--workers", "1", "--standby", "1", "--json"],
    ],
    { cwd: directory, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const log = followLog(child.stdout);
  const agent = new http.Agent({ keepAlive: true });
  try {
    const { port } = await log.next((line) => line.event === "listening");
    let answer = await ask(port, agent);
    const coldMs = performance.now() - startedAt;
    const settled = async () => {
      await log.next(
        (line) => line.event === "standby" && line.what === "ready",
      );
      await delay(SETTLE_MS);
    };
    await settled();
    return {
      coldMs,
      /** Saves a file, and tells the milliseconds until an answer was another one. */
      async save(name, text) {
        const file = path.join(directory, name);
        writeFileSync(`${file}~`, text);
        log.forget();
        const savedAt = performance.now();
        renameSync(`${file}~`, file);
        const before = answer;
        while (answer === before) {
          if (performance.now() - savedAt > DEADLINE_MS)
            throw new Error(`${name} was saved, and the answer is as before`);
          answer = await ask(port, agent);
        }
        const firstMs = performance.now() - savedAt;
        await settled();
        return firstMs;
      },
      async stop() {
        agent.destroy();
        child.kill("SIGTERM");
        await exited;
      },
    };
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
}

/** The lines of a log, each looked at once. */
function followLog(stream) {
  let lines = [];
  let wake = () => undefined;
  createInterface({ input: stream }).on("line", (text) => {
    lines.push(text);
    wake();
  });
  return {
    /** Those so far don't count. */
    forget: () => (lines = []),
    async next(fits) {
      const until = AbortSignal.timeout(DEADLINE_MS);
      for (;;) {
        while (lines.length > 0) {
          const line = JSON.parse(lines.shift());
          if (fits(line)) return line;
        }
        await new Promise((resolve, reject) => {
          wake = resolve;
          until.addEventListener("abort", () => reject(until.reason));
        });
      }
    },
  };
}

function ask(port, agent) {
  return new Promise((resolve, reject) => {
    http
      .get({ host: "127.0.0.1", port, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve(text));
        response.on("error", reject);
      })
      .on("error", reject);
  });
}
