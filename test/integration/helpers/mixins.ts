/** Servers with mixins: an app, what its mixins log, and calls of `server` from the test. */
import fs from "node:fs";
import { makeApp } from "./app.js";
import type { TestApp } from "./app.js";
import { caller, CONTROLLABLE, libraryRunner } from "./library.js";
import type { Called } from "./library.js";
import { startSession } from "./session.js";
import type { Session, SessionOptions } from "./session.js";

/** What is imported by everything that logs: one line `<who> <step>` each, `who` is `master` or a pid. */
const LOG_MODULE = `
import fs from "node:fs";
export const log = (step) => {
  const who = process.env.PREFORK_WORKER === undefined ? "master" : process.pid;
  fs.appendFileSync(process.env.LOG, who + " " + step + "\\n");
};
`;

/** A line of the log. */
export interface Step {
  readonly who: string;
  readonly step: string;
}

export interface MixedSession extends Session {
  /** Evaluates code with `server` in scope; see `helpers/library.ts`. */
  readonly call: (code: string) => Promise<Called>;
  /** What `log()` of `log.js` was called with so far. */
  readonly steps: () => Step[];
}

/** An app of these files; `src/log.js` exports `log(step)`. */
export function mixinApp(files: Readonly<Record<string, string>>): TestApp {
  return makeApp({ "src/log.js": LOG_MODULE, ...files });
}

/** Starts a program that uses the library on an app. `options` is source text. */
export async function startMixed(
  app: TestApp,
  options: string,
  more: SessionOptions = {},
): Promise<MixedSession> {
  const log = app.path("steps.log");
  fs.writeFileSync(log, "");
  app.write("run.mjs", libraryRunner(`{ port: 0, ${options} }`) + CONTROLLABLE);
  const session = await startSession(app, {
    ...more,
    script: app.path("run.mjs"),
    env: { ...more.env, LOG: log },
  });
  const steps = (): Step[] =>
    fs
      .readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const space = line.indexOf(" ");
        return { who: line.slice(0, space), step: line.slice(space + 1) };
      });
  let calling: ReturnType<typeof caller> | undefined;
  const call: MixedSession["call"] = async (code) => {
    // The program tells its port when it serves, which a test may not want to wait for.
    calling ??= caller(session.cli);
    return await (
      await calling
    )(code);
  };
  return { ...session, steps, call };
}

/** A server that answers with its version, and `/slow` after a while. */
export const SERVER = `
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { version } from "./version.ts";

http
  .createServer(async (request, response) => {
    if (request.url === "/slow") await delay(500);
    response.end(version);
  })
  .listen(Number(process.env.PORT ?? 3000));
`;
