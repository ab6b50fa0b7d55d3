/** Steps of a manifest (`run`) with the real command: one roll per save, failures, what comes in the middle, what is left behind. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { copyFixture, makeApp } from "./helpers/app.js";
import type { TestApp } from "./helpers/app.js";
import { startCli } from "./helpers/cli.js";
import type { Cli } from "./helpers/cli.js";
import type { LogLine } from "./helpers/log.js";
import { runCommand } from "./helpers/run-command.js";
import {
  get,
  portsOf,
  reloaded,
  startListening,
  startServing,
} from "./helpers/session.js";
import type { Listening } from "./helpers/session.js";

/** Answers with what was made, what was read for it, and a text that nothing is made of. */
const SERVER = `
import http from "node:http";
import { made } from "./made.js";
import { other } from "./other.js";
http
  .createServer((_request, response) => response.end([made, other].join(" ")))
  .listen(3000);
`;

/** Makes src/made.ts of src/in.txt: fails if that is "bad"; waits for somebody else if it begins with "wait". */
const GENERATOR = `
import { readFileSync, writeFileSync } from "node:fs";
const text = readFileSync("src/in.txt", "utf8").trim();
console.log("read " + text);
if (text === "bad") {
  console.error("bad is no good");
  process.exit(4);
}
if (text.startsWith("wait")) {
  const response = await fetch(process.env.GATE);
  await response.text();
}
writeFileSync("src/made.ts", \`export const made = "\${text}";\\n\`);
`;

const manifest = (
  run = `{ command: "node generate.mjs", makes: ["src/made.ts"] }`,
  more = "",
): string => `
export default {
  entry: "src/server.ts",
  sources: [${more}{ file: "src/in.txt", run: ${run} }, "src/other.ts", "src/server.ts"],
  server: { port: 0, workers: 1, standbys: 0 },
};
`;

const other = (text: string): string => `export const other = "${text}";\n`;

function madeApp(files: Readonly<Record<string, string>> = {}): TestApp {
  return makeApp({
    "prefork.config.ts": manifest(),
    "generate.mjs": GENERATOR,
    "src/in.txt": "one",
    "src/other.ts": other("o1"),
    "src/server.ts": SERVER,
    ...files,
  });
}

/** In one step: whoever counts rolls must not be shown a file that is truncated and not written yet. */
function save(app: TestApp, file: string, text: string): void {
  const draft = `${app.directory}~`;
  writeFileSync(draft, text);
  renameSync(draft, app.path(file));
}

/** Starts the command until it has its ports. */
const begin = (
  app: TestApp,
  env: Readonly<Record<string, string>> = {},
): Promise<Listening> => startListening(app, { args: ["."], env });

/** … until it serves and watches. */
const start = (
  app: TestApp,
  env: Readonly<Record<string, string>> = {},
): Promise<Listening> => startServing(app, { args: ["."], env });

const stepLine = (cli: Cli, what: string, from: number): Promise<LogLine> =>
  cli.waitFor(
    `a step: ${what}`,
    (line) => line["event"] === "step" && line["what"] === what,
    { from },
  );

/**
 * What became of steps and reloads from a line on, in order. A save whose events come in two parts on a busy machine may be
 * looked at twice: the second look finds nothing new, and nothing rolls.
 */
const story = (cli: Cli, from = 0): string[] =>
  cli.lines.slice(from).flatMap((line) => {
    if (line["event"] === "step") return [`step ${String(line["what"])}`];
    if (line["event"] !== "reload" || line["outcome"] === "unchanged")
      return [];
    return [String(line["outcome"])];
  });

/** The sources that a roll has reloaded, sorted. */
const closure = (line: LogLine): string[] =>
  [...(line["closure"] as string[])].sort();

/**
 * Saves something that nothing is made of, and waits for its roll: what was on its way before it has come by then.
 *
 * @returns the roll's generation
 */
async function fence(
  { app, cli, port }: Listening,
  text: string,
): Promise<unknown> {
  const from = cli.lines.length;
  save(app, "src/other.ts", other(text));
  const fits = (line: LogLine): boolean =>
    line["event"] === "reload" &&
    line["outcome"] === "done" &&
    (line["changed"] as string[]).includes(app.path("src/other.ts"));
  const line = await cli.waitFor(`the roll of ${text}`, fits, { from });
  expect((await get(port)).text).toContain(text);
  return line["generation"];
}

/** Where generators wait, until they are let go. */
class Gate {
  readonly #waiting: ServerResponse[] = [];
  readonly #arrivals: (() => void)[] = [];
  readonly #server = createServer((_: IncomingMessage, response) => {
    this.#waiting.push(response);
    this.#arrivals.shift()?.();
  });

  /** The environment that tells where it is. */
  async open(): Promise<Record<string, string>> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    const { port } = this.#server.address() as AddressInfo;
    return { GATE: `http://127.0.0.1:${port}/` };
  }

  /** Fulfils when the next one waits. */
  arrival(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  /** Lets all go that wait. */
  letGo(): void {
    for (const response of this.#waiting.splice(0)) response.end();
  }
}

test("a save of what a step reads: it runs, what it made belongs to the same roll, and there's no second one", async () => {
  const started = await start(madeApp());
  const { app, cli, port } = started;
  expect(story(cli)).toEqual(["step started", "step done", "done"]);
  expect((await get(port)).text).toBe("one o1");

  const from = cli.lines.length;
  save(app, "src/in.txt", "two");
  const line = await reloaded(cli, "any", from);
  expect(line).toMatchObject({
    outcome: "done",
    generation: 2,
    changed: [app.path("src/in.txt")],
  });
  expect(closure(line)).toEqual(
    ["src/in.txt", "src/made.ts", "src/server.ts"].map((file) =>
      app.path(file),
    ),
  );
  const { steps } = line as { steps: Record<string, number> };
  expect(steps["runMs"]).toBeGreaterThan(0);
  expect(steps["compileMs"]).toBeGreaterThanOrEqual(0);
  expect((await get(port)).text).toBe("two o1");
  // By then all events of its writing have come, and been looked at.
  expect(await fence(started, "o2")).toBe(3);
  expect(story(cli, from)).toEqual([
    "step started",
    "step done",
    "done",
    "done",
  ]);
  const done = await stepLine(cli, "done", from);
  expect(done).toMatchObject({
    step: "sources[0].run",
    command: "node generate.mjs",
    made: [app.path("src/made.ts")],
    output: "read two",
  });
  const status = JSON.parse(
    (await runCommand(app, "status", "--json")).stdout,
  ) as Record<string, unknown>;
  expect(status["steps"]).toMatchObject([
    {
      step: "sources[0].run",
      state: "done",
      sources: [app.path("src/in.txt")],
      makes: [app.path("src/made.ts")],
    },
  ]);
});

test("what is made again as it was reloads nothing but what was saved; an edit of it by hand is an ordinary change", async () => {
  const started = await start(madeApp());
  const { app, cli, port } = started;
  let from = cli.lines.length;
  // The generator trims.
  save(app, "src/in.txt", "one \n");
  expect(await reloaded(cli, "any", from)).toMatchObject({
    closure: [app.path("src/in.txt")],
    generation: 2,
  });
  expect(await fence(started, "o2")).toBe(3);

  from = cli.lines.length;
  save(app, "src/made.ts", `export const made = "by hand";\n`);
  expect(await reloaded(cli, "any", from)).toMatchObject({
    changed: [app.path("src/made.ts")],
    generation: 4,
  });
  expect((await get(port)).text).toBe("by hand o2");
  expect(await fence(started, "o3")).toBe(5);
  expect(story(cli, from)).toEqual(["done", "done"]);

  from = cli.lines.length;
  rmSync(app.path("src/made.ts"));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("one o3");
  expect(story(cli, from)[0]).toBe("step started");
});

test("a failure: the report has command, exit code and output, the last good generation serves, mending recovers", async () => {
  const { app, cli, port } = await start(madeApp());
  let from = cli.lines.length;
  save(app, "src/in.txt", "bad");
  const failure = await reloaded(cli, "any", from);
  expect(failure).toMatchObject({
    outcome: "failed",
    phase: "compile",
    serving: 1,
    diagnostics: [
      {
        message:
          "`node generate.mjs` (sources[0].run of src/in.txt) failed with exit code 4. It wrote:\nread bad\nbad is no good",
        file: app.path("src/in.txt"),
      },
    ],
  });
  expect((await get(port)).text).toBe("one o1");
  const status = await runCommand(app, "status");
  expect(status.stdout).toContain("step sources[0].run: failed");
  expect(status.stdout).toContain("bad is no good");

  // It's due until it has succeeded; what was saved meanwhile isn't lost.
  from = cli.lines.length;
  save(app, "src/other.ts", other("o2"));
  expect(await reloaded(cli, "any", from)).toMatchObject({
    outcome: "failed",
    repeated: true,
  });
  from = cli.lines.length;
  save(app, "src/in.txt", "good");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("good o2");
});

test("a first start whose step fails: requests get the reason, mending it is enough", async () => {
  const { app, cli, port } = await begin(
    madeApp({
      "src/in.txt": "bad",
      "prefork.config.ts": manifest().replace(
        "port: 0",
        "$&, holdTimeoutMs: 50",
      ),
    }),
  );
  await reloaded(cli, "failed");
  const answer = await get(port);
  expect(answer.status).toBe(503);
  expect(answer.text).toContain("bad is no good");
  await cli.waitFor("the watcher", ({ event }) => event === "watching");
  const from = cli.lines.length;
  save(app, "src/in.txt", "good");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("good o1");
});

test("a restart runs nothing; one after a change of source, output or command does", async () => {
  const app = madeApp();
  onTestFinished(() => app.remove());
  const restart = async (): Promise<{ steps: string[]; text: string }> => {
    const cli = startCli({ app, args: ["."] });
    try {
      await reloaded(cli, "done");
      const listening = await portsOf(cli);
      const { text } = await get(listening["port"] as number);
      return { steps: story(cli), text };
    } finally {
      await cli.close();
    }
  };
  const ran = ["step started", "step done", "done"];
  expect(await restart()).toEqual({ steps: ran, text: "one o1" });
  expect(await restart()).toEqual({ steps: ["done"], text: "one o1" });
  save(app, "src/in.txt", "two");
  expect(await restart()).toEqual({ steps: ran, text: "two o1" });
  save(app, "src/made.ts", `export const made = "by hand";\n`);
  expect(await restart()).toEqual({ steps: ran, text: "two o1" });
  const list = `{ command: ["node", "generate.mjs"], makes: ["src/made.ts"] }`;
  save(app, "prefork.config.ts", manifest(list));
  expect(await restart()).toEqual({ steps: ran, text: "two o1" });
  expect(await restart()).toEqual({ steps: ["done"], text: "two o1" });
});

test("saved again while it runs: cancelled, superseded, and the newest is what counts", async () => {
  const gate = new Gate();
  const started = await start(madeApp(), await gate.open());
  const { app, cli, port } = started;
  const from = cli.lines.length;
  const arrived = gate.arrival();
  save(app, "src/in.txt", "wait 1");
  await arrived;
  save(app, "src/in.txt", "two");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("two o1");
  expect(story(cli, from)).toEqual([
    ...["step started", "step cancelled", "superseded"],
    ...["step started", "step done", "done"],
  ]);
  expect(await fence(started, "o2")).toBe(3);
});

test("something else saved while it runs waits for it; requests wait, too", async () => {
  const gate = new Gate();
  const { app, cli, port } = await start(madeApp(), await gate.open());
  const from = cli.lines.length;
  const arrived = gate.arrival();
  save(app, "src/in.txt", "wait 1");
  await arrived;
  const answer = get(port);
  save(app, "src/other.ts", other("o2"));
  gate.letGo();
  expect((await answer).text).toContain("wait 1");
  await cli.waitFor(
    "the second roll",
    (line) => line["event"] === "reload" && line["generation"] === 3,
    { from },
  );
  expect((await get(port)).text).toBe("wait 1 o2");
  expect(story(cli, from).filter((each) => each.startsWith("step"))).toEqual([
    "step started",
    "step done",
  ]);
});

test("the manifest saved while a step runs: cancelled, and the new one is what counts", async () => {
  const gate = new Gate();
  const { app, cli, port } = await start(madeApp(), await gate.open());
  const from = cli.lines.length;
  const arrived = gate.arrival();
  save(app, "src/in.txt", "wait 1");
  await arrived;
  const quick = `{ fn: async () => { const { writeFile } = await import("node:fs/promises"); await writeFile("src/made.ts", 'export const made = "by a function";'); }, makes: ["src/made.ts"] }`;
  save(app, "prefork.config.ts", manifest(quick));
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("by a function o1");
  expect(story(cli, from)).toContain("step cancelled");
});

test("a stop while a step runs leaves no process, and doesn't wait for it", async () => {
  const gate = new Gate();
  const { app, cli } = await start(madeApp(), await gate.open());
  const from = cli.lines.length;
  const arrived = gate.arrival();
  save(app, "src/in.txt", "wait 1");
  await arrived;
  cli.signal("SIGTERM");
  expect((await cli.exited).code).toBe(0);
  expect(story(cli, from)).toEqual([
    "step started",
    "step cancelled",
    "stopped",
  ]);
  await cli.untilGone(1_000);
});

test("a step doesn't outlive a master that was killed, and runs again at the next start", async () => {
  const gate = new Gate();
  const app = madeApp();
  const env = await gate.open();
  const { cli } = await start(app, env);
  let arrived = gate.arrival();
  // It doesn't end by SIGTERM, and not by a closed pipe.
  const command = `trap "" TERM; node generate.mjs; sleep 60`;
  app.write(
    "prefork.config.ts",
    manifest(`{ command: ${JSON.stringify(command)}, makes: ["src/made.ts"] }`),
  );
  save(app, "src/in.txt", "wait 1");
  await arrived;
  cli.signal("SIGKILL");
  await cli.exited;
  await cli.untilGone(5_000);

  arrived = gate.arrival();
  const again = startCli({ app, args: ["."], env });
  try {
    await arrived;
  } finally {
    await again.close();
  }
});

test("steps in a row: what one makes another reads, in one roll", async () => {
  const first = `{ file: "src/all.txt", run: { command: "head -n 1 src/all.txt > src/in.txt", makes: ["src/in.txt"] } }, `;
  const started = await start(
    madeApp({
      "prefork.config.ts": manifest(undefined, first),
      "src/all.txt": "one\nmore\n",
    }),
  );
  const { app, cli, port } = started;
  expect((await get(port)).text).toBe("one o1");
  let from = cli.lines.length;
  save(app, "src/all.txt", "two\nmore\n");
  expect(await reloaded(cli, "any", from)).toMatchObject({
    outcome: "done",
    generation: 2,
  });
  expect((await get(port)).text).toBe("two o1");
  expect(await fence(started, "o2")).toBe(3);
  from = cli.lines.length;
  save(app, "src/all.txt", "two\nother\n");
  expect(await reloaded(cli, "any", from)).toMatchObject({
    closure: [app.path("src/all.txt")],
  });
  expect(story(cli, from)).toEqual(["step started", "step done", "done"]);
});

test("a glob of what is made: new files are sources at once, those that are gone are forgotten", async () => {
  const run = `{ command: "rm -rf src/parts; mkdir -p src/parts; for name in $(cat src/in.txt); do echo $name > src/parts/$name.txt; done", makes: ["src/parts/*.txt"] }`;
  const server = `
import { readdirSync } from "node:fs";
import http from "node:http";
import { other } from "./other.js";
const names = readdirSync("src/parts").sort().join();
http.createServer((_request, response) => response.end(names + " " + other)).listen(3000);
`;
  const text = manifest(run).replace(
    `"src/server.ts"]`,
    `{ file: "src/server.ts", needs: ["src/parts/*.txt"] }]`,
  );
  const started = await start(
    madeApp({
      "prefork.config.ts": text,
      "src/in.txt": "a b",
      "src/server.ts": server,
    }),
  );
  const { app, cli, port } = started;
  expect((await get(port)).text).toBe("a.txt,b.txt o1");
  const from = cli.lines.length;
  save(app, "src/in.txt", "b c");
  await reloaded(cli, "done", from);
  expect((await get(port)).text).toBe("b.txt,c.txt o1");
  expect(await fence(started, "o2")).toBe(3);
});

test("fixtures/graphql-codegen: the schema saved, broken, mended; the manifest is clean", async () => {
  const app = copyFixture("graphql-codegen");
  rmSync(app.path("src/generated"), { recursive: true });
  const unmade = await runCommand(app, "check");
  expect(unmade.stdout).toContain("says what the imports say");
  const { cli, port } = await startServing(app, {
    args: [".", "--port", "0", "--workers", "1", "--standby", "0"],
  });
  const ask = async (query: string): Promise<unknown> => {
    const { text } = await get(port, `/?query=${encodeURIComponent(query)}`);
    return JSON.parse(text) as unknown;
  };
  const years = "{ books { year } }";
  expect(await ask(years)).toEqual({
    errors: ["Error: Book has no field year."],
  });

  const schema = readFileSync(app.path("schema.graphql"), "utf8");
  const withYear = schema.replace("title:", "year: Int!\n  title:");
  let from = cli.lines.length;
  save(app, "schema.graphql", withYear);
  const line = await reloaded(cli, "any", from);
  expect(line).toMatchObject({ outcome: "done", generation: 2 });
  expect(closure(line)).toEqual(
    [
      ...["schema.graphql", "src/generated/schema.ts"],
      ...["src/generated/types.ts", "src/query.ts", "src/server.ts"],
    ].map((file) => app.path(file)),
  );
  expect(await ask(years)).toEqual({
    data: { books: [{ year: 1974 }, { year: 1971 }, { year: 1961 }] },
  });

  from = cli.lines.length;
  save(app, "schema.graphql", withYear.replace("Author!", "Authr!"));
  const failure = await reloaded(cli, "any", from);
  expect(JSON.stringify(failure["diagnostics"])).toContain(
    "schema.graphql:4: Book.author is a Authr, and there is no such type.",
  );
  expect(await ask(years)).toMatchObject({ data: {} });

  from = cli.lines.length;
  save(app, "schema.graphql", schema);
  await reloaded(cli, "done", from);
  expect(await ask(years)).toMatchObject({ errors: [expect.any(String)] });

  from = cli.lines.length;
  const generator = readFileSync(app.path("codegen.mjs"), "utf8");
  save(app, "codegen.mjs", generator.replace("Made by", "Written by"));
  await reloaded(cli, "done", from);
  expect(readFileSync(app.path("src/generated/types.ts"), "utf8")).toContain(
    "Written by codegen.mjs",
  );
  expect((await runCommand(app, "check")).stdout).toContain(
    "says what the imports say",
  );
});
