/** The hooks of mixins: their order, what reaches the processes, and what happens when one fails. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { repository } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { mixinApp, SERVER, startMixed } from "./helpers/mixins.js";
import { get, reloaded, versionModule } from "./helpers/session.js";
import type { MixedSession, Step } from "./helpers/mixins.js";

const LOGGING = `
import { log } from "../src/log.js";
log("mixins are loaded");
export default (Base) =>
  class extends Base {
    constructor(...args) {
      super(...args);
      log("constructor");
    }
    async onRegister() {
      log("onRegister");
      return { ...(await super.onRegister()), token: "t" + this.index };
    }
    onStart() {
      log("onStart");
      return super.onStart();
    }
    onFoo() {
      log("onFoo");
    }
    childFoo() {
      log("childFoo");
      return this.state;
    }
    onStop() {
      log("onStop");
      return super.onStop();
    }
    childStop() {
      log("childStop");
      return super.childStop();
    }
    onUnregister() {
      log("onUnregister");
      return super.onUnregister();
    }
  };
`;

const LOGGED_SERVER = `
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { log } from "./log.js";
import { version } from "./version.ts";

log("program is evaluated");
process.once("SIGTERM", () => {
  log("SIGTERM");
  process.exit(0);
});
http
  .createServer(async (request, response) => {
    if (request.url === "/slow") {
      log("request");
      await delay(300);
      response.end(version);
      log("last request is answered");
      return;
    }
    response.end(version);
  })
  .listen(3000, () => log("it listens"));
`;

/** An app whose every step is logged. */
function loggedApp(mixin = LOGGING): TestApp {
  return mixinApp({
    "src/server.ts": LOGGED_SERVER,
    "src/version.ts": versionModule("v1"),
    "mixins/log.js": mixin,
  });
}

const MIXINS = `mixins: ["mixins/log.js"]`;

/** The steps of the table in docs/hooks.md: where, and what. */
function documentedSteps(): string[] {
  const text = fs.readFileSync(path.join(repository, "docs/hooks.md"), "utf8");
  const [, section = ""] = text.split("## The order of everything");
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.flatMap((row) => {
    const [, step = "", where = ""] = row
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", ""));
    return ["master", "process"].includes(where) ? [`${where}: ${step}`] : [];
  });
}

const place = ({ who }: Step): string =>
  who === "master" ? "master" : "process";

/** Sends a request that is in hand until it's answered; fulfils when it's there. */
async function requestInHand(
  { steps }: MixedSession,
  port: number,
): Promise<Promise<unknown>> {
  const from = steps().length;
  const answered = get(port, "/slow");
  await expect
    .poll(
      () =>
        steps()
          .slice(from)
          .map(({ step }) => step),
      {
        timeout: 20_000,
        interval: 10,
      },
    )
    .toContain("request");
  return answered;
}

test("the order of everything is that of the docs", async () => {
  const session = await startMixed(
    loggedApp(),
    `workers: 1, standbys: 0, ${MIXINS}`,
  );
  const { call, cli, port, steps } = session;
  expect(
    (await call(`return await server.workers[0].send("foo")`)).value,
  ).toEqual({ token: "t0" });
  const answered = await requestInHand(session, port).then((request) => [
    request,
  ]);
  await cli.stop();
  await Promise.all(answered);
  const seen = steps()
    .filter(({ step }) => step !== "request")
    .map((step) => `${place(step)}: ${step.step}`);
  expect(documentedSteps().length).toBeGreaterThan(10);
  expect(seen).toEqual(documentedSteps());
});

test("a worker is registered once, its processes start and stop many times, with standbys too, and get its state", async () => {
  const app = loggedApp();
  const session = await startMixed(app, `workers: 1, ${MIXINS}`);
  const { call, cli, steps } = session;
  const of = (step: string, of = steps()): string[] =>
    of.filter((each) => each.step === step).map(({ who }) => who);
  await cli.waitFor(
    "a standby",
    ({ event, what }) => event === "standby" && what === "ready",
  );
  for (const version of ["v2", "v3"]) {
    const from = cli.lines.length;
    app.write("src/version.ts", versionModule(version));
    await reloaded(cli, "done", from);
    const { value } = await call(`return await server.workers[0].send("foo")`);
    expect(value).toEqual({ token: "t0" });
  }
  await call(`await server.scale(2)`);
  const all = await call(
    `return (await server.send("foo")).map(({ value }) => value.token)`,
  );
  expect(all.value).toEqual(["t0", "t1"]);
  await call(`await server.scale(1)`);
  expect(of("onRegister")).toEqual(["master", "master"]);
  expect(of("onUnregister")).toEqual(["master"]);
  await cli.stop();
  expect(of("onUnregister")).toEqual(["master", "master"]);
  const started = of("onStart");
  expect(new Set(started).size).toBe(started.length);
  expect(started).toHaveLength(4);
  expect([...of("onStop")].sort()).toEqual([...started].sort());
  expect(cli.lines.some(({ event }) => event === "warning")).toBe(false);
  expect(
    cli.lines.some(
      ({ what, isStandby }) => what === "ready" && isStandby === true,
    ),
  ).toBe(true);
});

/** A place where onStart waits until the test lets it go on. */
async function openGate(): Promise<{
  readonly url: string;
  readonly reached: Promise<void>;
  readonly release: () => void;
}> {
  let reach = (): void => undefined;
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const gate = http.createServer((_, response) => {
    reach();
    void released.then(() => response.end("go on"));
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    gate.closeAllConnections();
    gate.close();
  });
  const { port } = gate.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}/`, reached, release };
}

test.each(["with a front", "without a front"])(
  "nothing is served before onStart has fulfilled, %s",
  async (kind) => {
    const gate = await openGate();
    const app = loggedApp(`
import { log } from "../src/log.js";
export default (Base) =>
  class extends Base {
    async onStart() {
      await fetch(process.env.GATE);
      log("onStart is done");
    }
  };
`);
    const session = await startMixed(
      app,
      `workers: 1, hookTimeoutMs: 60_000, ${MIXINS}, front: ${String(kind === "with a front")}`,
      { untilReady: false, env: { GATE: gate.url } },
    );
    const { workerPorts, port, cli, steps } = session;
    onTestFinished(gate.release);
    await gate.reached;
    const asked = [get(workerPorts[0] ?? 0, "/slow"), get(port, "/slow")];
    // The kernel has their connections; nobody accepts them yet.
    expect(cli.lines.some(({ what }) => what === "ready")).toBe(false);
    gate.release();
    for (const { status, text } of await Promise.all(asked))
      expect([status, text]).toEqual([200, "v1"]);
    const names = steps().map(({ step }) => step);
    expect(names.indexOf("onStart is done")).toBeLessThan(
      names.indexOf("it listens"),
    );
    expect(names.indexOf("it listens")).toBeLessThan(names.indexOf("request"));
  },
);

test("onStart that throws or is too slow is a failed boot: the last good generation serves on until it's mended", async () => {
  const mixin = (body: string): string => `
export default <Base extends new (...args: never[]) => { onStart(): unknown }>(base: Base) =>
  class extends base {
    override async onStart() {
      ${body}
    }
  };
`;
  const app = mixinApp({
    "src/server.ts": SERVER,
    "src/version.ts": versionModule("v1"),
    "mixins/start.ts": mixin(""),
  });
  const { cli, port } = await startMixed(
    app,
    `workers: 2, hookTimeoutMs: 1_000, mixins: ["mixins/start.ts"]`,
  );
  for (const [body, message] of [
    [
      `throw new Error("no " + "licence");`,
      "onStart failed: Error: no licence",
    ],
    [`await new Promise(() => undefined);`, "onStart took longer than 1000 ms"],
    [`syntax error`, 'Expected ";"'],
    [`oops();`, "onStart failed: ReferenceError: oops is not defined"],
  ] as const) {
    const from = cli.lines.length;
    app.write("mixins/start.ts", mixin(body));
    const { diagnostics } = await reloaded(cli, "failed", from);
    const [first] = diagnostics as {
      message: string;
      file?: string;
      line?: number;
    }[];
    expect(first?.message).toContain(message);
    if (!body.startsWith("await"))
      expect([path.basename(first?.file ?? ""), first?.line]).toEqual([
        "start.ts",
        5,
      ]);
    expect((await get(port)).text).toBe("v1");
  }
  const from = cli.lines.length;
  app.write("mixins/start.ts", mixin("await Promise.resolve();"));
  app.write("src/version.ts", versionModule("v2"));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("v2");
});

test("what isn't a mixin is a failed boot as well, and at the start an error", async () => {
  const app = loggedApp(`export default class {}`);
  app.write(
    "run.mjs",
    `import { createServer, loadProject } from "prefork-dev";
const server = createServer(await loadProject("src/server.ts"), { port: 0, ${MIXINS} });
await server.start().catch(({ code }) => console.log(code));`,
  );
  try {
    const said = execFileSync(process.execPath, ["run.mjs"], {
      cwd: app.directory,
      env: { ...process.env, TMPDIR: app.temporary },
      encoding: "utf8",
    });
    expect(said.trim()).toBe("ERR_PREFORK_MIXIN");
    expect(app.leftovers()).toEqual([]);
  } finally {
    app.remove();
  }

  const later = loggedApp();
  const { cli, port } = await startMixed(later, `workers: 1, ${MIXINS}`);
  const from = cli.lines.length;
  later.write("mixins/log.js", `export const forgotten = 1;`);
  const { diagnostics } = await reloaded(cli, "failed", from);
  const [{ message = "" } = {}] = diagnostics as { message?: string }[];
  expect(message).toContain("mixins/log.js: its default export is");
  expect((await get(port)).text).toBe("v1");
});

test.each([
  [
    "an entry that awaits its listening, as with Fastify",
    `
import http from "node:http";
import { once } from "node:events";
import { count } from "./count.ts";
const server = http.createServer((_, response) => response.end(String(count())));
await once(server.listen(3000), "listening");
`,
  ],
  [
    "an entry that exports a listener",
    `
import { count } from "./count.ts";
export default (request, response) => response.end(String(count()));
`,
  ],
  [
    "an entry that listens later, and reads its address at once",
    `
import http from "node:http";
import { count } from "./count.ts";
setTimeout(() => {
  const server = http.createServer((_, response) => response.end(String(count())));
  server.listen(3000);
  if (typeof server.address().port !== "number") throw new Error("no address");
}, 50);
`,
  ],
])(
  "%s: hooks run, and mixins see the app's own modules",
  async (_kind, entry) => {
    const app = mixinApp({
      "src/server.ts": entry,
      "src/count.ts": `let counted = 0; export const count = (): number => ++counted;`,
      "src/version.ts": versionModule("v1"),
      "mixins/count.ts": `
export default (Base: any) => class extends Base {
  async onStart() {
    const { count } = await import("../src/count.ts");
    count();
  }
};
`,
    });
    const { cli, port } = await startMixed(
      app,
      `workers: 1, mixins: ["mixins/count.ts"]`,
    );
    expect((await get(port)).text).toBe("2");
    for (const text of ["/* 1 */", "/* 2 */"]) {
      const from = cli.lines.length;
      app.write("src/server.ts", entry + text);
      await reloaded(cli, "done", from);
      expect((await get(port)).text).toBe("2");
    }
  },
);

test("CommonJS: an app and mixins that are required, in TypeScript and JavaScript", async () => {
  const app = mixinApp({
    "package.json": `{ "private": true }`,
    "src/log.js": "",
    "src/server.ts": `
import http from "node:http";
import { count } from "./count";
http.createServer((_, response) => response.end(String(count()))).listen(3000);
`,
    "src/count.ts": `let counted = 0; export const count = (): number => ++counted;`,
    "mixins/one.ts": `
import { count } from "../src/count";
export default (Base: any) => class extends Base { onStart() { count(); } };
`,
    "mixins/two.cjs": `
const { count } = require("../src/count");
module.exports = [(Base) => class extends Base { childCount() { return count(); } }];
`,
  });
  const { call, port } = await startMixed(
    app,
    `workers: 1, mixins: ["mixins/one.ts", "mixins/two.cjs"]`,
  );
  expect((await get(port)).text).toBe("2");
  expect(
    (await call(`return await server.workers[0].send("count")`)).value,
  ).toBe(3);
});

test("onRegister, onUnregister and onStop that fail are warnings, and everything goes on", async () => {
  const app = loggedApp(`
import { log } from "../src/log.js";
export default (Base) =>
  class extends Base {
    onRegister() {
      throw new Error("no database");
    }
    childFoo() {
      return this.state === undefined;
    }
    async onStop() {
      if (this.index === 0) throw new TypeError("can't stop");
      await new Promise(() => undefined);
    }
    onUnregister() {
      return Promise.reject(new Error("gone already"));
    }
  };
`);
  const { call, cli } = await startMixed(
    app,
    `workers: 2, front: false, hookTimeoutMs: 500, ${MIXINS}`,
  );
  expect(
    (await call(`return (await server.send("foo")).map(({ value }) => value)`))
      .value,
  ).toEqual([true, true]);
  expect(await cli.stop()).toEqual({ code: 0, signal: null });
  const warnings = cli.lines.flatMap(({ event, message }) =>
    event === "warning" ? [String(message)] : [],
  );
  for (const text of [
    "worker 0: onRegister threw Error: no database (ERR_PREFORK_HOOK)",
    "worker 1: onRegister threw Error: no database (ERR_PREFORK_HOOK)",
    "failed: TypeError: can't stop",
    "took longer than 500 ms",
    "worker 0: onUnregister threw Error: gone already (ERR_PREFORK_HOOK)",
    "worker 1: onUnregister threw Error: gone already (ERR_PREFORK_HOOK)",
  ])
    expect(warnings.filter((warning) => warning.includes(text))).toHaveLength(
      1,
    );
  expect(warnings).toHaveLength(6);
});

test("without a front a drained process lives until onStop has run, and a killed one runs none", async () => {
  const mixin = `
import { setTimeout as delay } from "node:timers/promises";
import { log } from "../src/log.js";
export default (Base) =>
  class extends Base {
    async onStop() {
      log("onStop");
      await delay(50, undefined, { ref: false });
      log("onStop is done");
    }
  };
`;
  const app = loggedApp(mixin);
  app.write("src/server.ts", SERVER);
  const { call, cli, steps } = await startMixed(
    app,
    `workers: 2, front: false, ${MIXINS}`,
  );
  await call(`await server.workers[0].stop()`);
  const names = (): string[] => steps().map(({ step }) => step);
  expect(names()).toEqual(["onStop", "onStop is done"]);
  await call(`await server.kill()`);
  expect(await cli.exited).toEqual({ code: 0, signal: null });
  expect(names()).toEqual(["onStop", "onStop is done"]);
});

test("mixins of the manifest come first; one that is added to it is there with the next generation", async () => {
  const mixin = (word: string): string => `
export default (Base) => class extends Base { childWord() { return [...(super.childWord?.() ?? []), "${word}"]; } };
`;
  const manifest = (mixins: string): string =>
    `export default { entry: "src/server.ts", mixins: ${mixins} };\n`;
  const app = mixinApp({
    "prefork.config.ts": manifest(`["mixins/a.js"]`),
    "src/server.ts": SERVER,
    "src/version.ts": versionModule("v1"),
    "mixins/a.js": mixin("a"),
    "mixins/b.js": mixin("b"),
    "mixins/z.js": mixin("z"),
  });
  const { call, cli } = await startMixed(
    app,
    `workers: 1, mixins: ["mixins/z.js"]`,
    { target: "." },
  );
  const words = `return await server.workers[0].send("word")`;
  expect((await call(words)).value).toEqual(["a", "z"]);
  const from = cli.lines.length;
  app.write("prefork.config.ts", manifest(`["mixins/a.js", "mixins/b.js"]`));
  await reloaded(cli, "done", from);
  expect((await call(words)).value).toEqual(["a", "b", "z"]);
});
