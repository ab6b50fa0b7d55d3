/** What a module left for later while it was evaluated ahead happens when it would have happened in a cold boot. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { reloaded, versionModule } from "./helpers/session.js";
import { askBoth, saveAndAsk, startTwins } from "./helpers/twin.js";
import type { TwinAnswers } from "./helpers/twin.js";

const VERSION = "src/version.ts";

/** An app that answers with what happened, once `expected` things have. */
function app(ahead: string, entry: string, expected: number): TestApp {
  return makeApp({
    "src/log.ts": `export const log: string[] = [];\n(globalThis as any).standing = { log };\n`,
    "src/ahead.ts": `import { log } from "./log.ts";\n${ahead}\n`,
    [VERSION]: versionModule("v0"),
    "src/server.ts": `
import http from "node:http";
import { log } from "./log.ts";
import "./ahead.ts";
import { version } from "./version.ts";
${entry}
http.createServer(async (_request, response) => {
  while (log.length < ${expected}) await new Promise((resolve) => setTimeout(resolve, 5));
  response.end(version + " " + log.slice(0, ${expected}).join(", "));
}).listen(3000);
`,
  });
}

/**
 * Lets a standby stand by for longer than the app's longest timer, then makes it a worker's process. The wait
 * synchronises nothing: it's what the test is about.
 */
async function afterStandingBy(
  project: TestApp,
  standingMs: number,
): Promise<TwinAnswers> {
  const session = await startTwins(project, VERSION, versionModule("v1"));
  await delay(standingMs);
  return await saveAndAsk(session, VERSION, versionModule("v2"));
}

test("time spent standing by didn't pass for timers", async () => {
  const project = app(
    `
setTimeout(() => log.push("ahead 300"), 300);
let ticks = 0;
const interval = setInterval(() => {
  log.push("interval " + ++ticks);
  if (ticks === 2) clearInterval(interval);
}, 200);
clearTimeout(setTimeout(() => log.push("cleared"), 100));
`,
    `
log.push("entry");
setTimeout(() => log.push("entry 50"), 50);
setTimeout(() => log.push("entry 600"), 600);
`,
    6,
  );
  const { standby } = await afterStandingBy(project, 700);
  expect(standby).toBe(
    "v2 entry, entry 50, interval 1, ahead 300, interval 2, entry 600",
  );
});

test("timers of one duration fire in the order in which they were set", async () => {
  const project = app(
    `setTimeout(() => log.push("ahead"), 100);`,
    `setTimeout(() => log.push("entry"), 100);`,
    2,
  );
  const { standby, cold } = await afterStandingBy(project, 200);
  expect(cold).toBe("v2 ahead, entry");
  expect(standby).toBe(cold);
});

test.each([
  `Promise.resolve().then(() => log.push("ahead"));`,
  `process.nextTick(() => log.push("ahead"));`,
  `setImmediate(() => log.push("ahead"));`,
  `setTimeout(() => log.push("ahead"), 0);`,
  `fs.readFile("package.json", () => log.push("ahead"));`,
])(
  "under a top-level await, nothing happens before the rest was evaluated: %s",
  async (left) => {
    const session = await startTwins(
      app(
        `import fs from "node:fs";\n${left}\nlog.push("begin " + typeof fs);`,
        `log.push("entry");\nawait null;`,
        3,
      ),
      VERSION,
      versionModule("v1"),
    );
    const from = session.cli.lines.length;
    session.app.write(VERSION, versionModule("v2"));
    await reloaded(session.cli, "done", from);
    for (const answer of await askBoth(session))
      expect(answer).toBe("v2 begin object, entry, ahead");
  },
);
