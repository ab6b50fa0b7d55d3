/** Steps of a manifest (`run`) when it's loaded into one process. */
import { once } from "node:events";
import net from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { loadable, run, runFile, source } from "./helpers/loading.js";

const FILES = {
  "prefork.config.ts": `
export default {
  entry: "src/main.ts",
  sources: [
    {
      file: "words.txt",
      run: { command: "node generate.mjs", makes: ["src/words.ts"] },
    },
    "src/other.ts",
    "src/main.ts",
  ],
};
`,
  "words.txt": "one",
  "generate.mjs": `
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
const text = readFileSync("words.txt", "utf8").trim();
appendFileSync("runs.txt", text + "\\n");
if (text === "bad") {
  console.log("bad is no good");
  process.exit(1);
}
writeFileSync("src/words.ts", "(globalThis as any).evaluated.push('words'); export const word: string = '" + text + "';");
`,
  "src/other.ts": source("other"),
  "src/main.ts": `export { word } from "./words.js";\n${source("main")}`,
};

test("load() runs the steps that are due, and loads what they made", async () => {
  const said = await run(
    loadable(FILES),
    `
const runs = () => fs.readFileSync("runs.txt", "utf8").trim().split("\\n");
const project = await openProject();
say(await load(project));
say(project.exportsOf("src/main.ts").word);
say(await load(project));
write("words.txt", "two");
say(await load(project));
say(project.exportsOf("src/main.ts").word);
write("words.txt", "two \\n");
say(await load(project));
write("src/words.ts", "export const word: string = 'by hand';");
await project.load();
say(project.exportsOf("src/main.ts").word);
say(runs());
await project.load({ force: true });
say(project.exportsOf("src/main.ts").word);
say(runs().length);
await project.close();
const other = await openProject();
await other.load();
say(runs().length);
await other.close();
`,
  );
  expect(said).toEqual([
    [
      "words.txt first",
      "src/words.ts first",
      "src/other.ts first",
      "src/main.ts first",
    ],
    "one",
    [],
    [
      "words.txt changed",
      "src/words.ts changed",
      "src/main.ts needs src/words.ts",
    ],
    "two",
    ["words.txt changed"],
    "by hand",
    ["one", "two", "two"],
    "two",
    4,
    4,
  ]);
});

test("a step that fails: nothing is loaded, and the next call tries again", async () => {
  const said = await run(
    loadable({ ...FILES, "words.txt": "bad" }),
    `
const project = await openProject();
const { code, message } = await failure(project.load());
say(code);
say(message);
say(evaluated());
say((await failure(project.load())).code);
write("words.txt", "good");
await project.load();
say(project.exportsOf("src/main.ts").word);
await project.close();
`,
  );
  expect(said).toEqual([
    "ERR_PREFORK_COMPILE",
    expect.stringContaining(
      "Nothing was loaded: `node generate.mjs` (sources[0].run of words.txt) failed with exit code 1. It wrote:\nbad is no good",
    ),
    [],
    "ERR_PREFORK_COMPILE",
    "good",
  ]);
});

test("watchChanges() tells what was saved, not what steps made of it", async () => {
  const said = await run(
    loadable(FILES),
    `
const project = await openProject();
await project.load();
const watch = project.watchChanges();
await watch.ready();
const next = async () => {
  const [files] = await once(watch, "change");
  return files.map(relative);
};
let change = next();
replace("words.txt", "two");
say(await change);
await project.load();
change = next();
replace("src/other.ts", "(globalThis as any).evaluated.push('other 2');");
say(await change);
change = next();
replace("src/words.ts", "export const word: string = 'by hand';");
say(await change);
await project.close();
`,
  );
  expect(said).toEqual([["words.txt"], ["src/other.ts"], ["src/words.ts"]]);
});

test("close() cancels a step that runs", async () => {
  const said = await run(
    loadable({
      ...FILES,
      "generate.mjs": `
import { writeFileSync } from "node:fs";
writeFileSync("begun.txt", String(process.pid));
setInterval(() => undefined, 1_000);
`,
    }),
    `
const project = await openProject();
const loading = failure(project.load());
const watcher = fs.watch(".");
while (!fs.existsSync("begun.txt")) await once(watcher, "change");
watcher.close();
await project.close();
say((await loading).code);
`,
  );
  expect(said).toEqual(["ERR_PREFORK_NOT_RUNNING"]);
});

test.each(["process.exit()", 'process.kill(process.pid, "SIGKILL")'])(
  "a step doesn't outlive a program that ends by %s",
  async (end) => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const connected = once(server, "connection") as Promise<[net.Socket]>;
    const app = loadable({
      ...FILES,
      "generate.mjs": `
import net from "node:net";
import { writeFileSync } from "node:fs";
net.connect(${port}, "127.0.0.1", () => writeFileSync("begun.txt", "")).on("error", () => undefined);
`,
      "script.mjs": `
import fs from "node:fs";
import { once } from "node:events";
import { openProject } from "prefork-dev";
const project = await openProject();
project.load().catch(() => undefined);
const watcher = fs.watch(".");
while (!fs.existsSync("begun.txt")) await once(watcher, "change");
${end};
`,
    });
    const ended = runFile(app, "script.mjs").catch(() => undefined);
    const [socket] = await connected;
    socket.on("error", () => undefined).resume();
    const closed = once(socket, "close");
    await ended;
    // Its own end, since it holds the connection for ever: the test's deadline is the limit.
    await closed;
  },
);
