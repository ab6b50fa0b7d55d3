import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import {
  afterAll,
  afterEach,
  beforeAll,
  expect,
  onTestFinished,
  test,
} from "vitest";
import { build } from "esbuild";
import { writePidFile } from "../../../src/mechanisms/pid-file.js";

const CONTENDERS = 4;
const ROUNDS = 20;
const LOOPS = 150;
const AN_HOUR_S = 3_600;
const NOBODY = 65_534;

/** What a contender does: `claim` once all see the file `go`; `contend` again and again, and see that it's alone each time. */
const contender = `
import fs from "node:fs";
import { writePidFile } from "./pid-file.mjs";

let file;
const actions = {
  async claim({ path, go }) {
    const deadline = Date.now() + 10_000;
    while (!fs.existsSync(go)) if (Date.now() > deadline) throw new Error("no start");
    try {
      file = await writePidFile(path);
      return { won: true };
    } catch ({ code, message }) {
      return { won: false, code, message };
    }
  },
  async release() {
    await file?.remove();
    file = undefined;
    return {};
  },
  async contend({ path, loops, deadPid }) {
    const inside = path + ".inside";
    let wins = 0;
    const failures = [];
    for (let i = 0; i < loops; i++) {
      let mine;
      try {
        mine = await writePidFile(path);
      } catch ({ code, message }) {
        if (code !== "ERR_PREFORK_PID_FILE") failures.push(message);
        continue;
      }
      wins++;
      try {
        fs.closeSync(fs.openSync(inside, "wx"));
        if (fs.readFileSync(path, "utf8") !== process.pid + "\\n") failures.push("not my pid");
        fs.unlinkSync(inside);
      } catch (error) {
        failures.push(String(error));
      }
      if (i % 2 === 0) {
        // As if it had been killed.
        fs.writeFileSync(path + "." + process.pid, deadPid + "\\n");
        fs.renameSync(path + "." + process.pid, path);
      }
      await mine.remove();
    }
    return { wins, failures };
  },
};
process.on("message", async ({ action, ...rest }) => process.send(await actions[action](rest)));
process.on("disconnect", () => process.exit());
process.send({});
`;

interface Answer {
  readonly won?: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly wins?: number;
  readonly failures?: readonly string[];
}

class Contender {
  readonly child: ChildProcess;

  constructor(script: string, uid?: number) {
    const user = uid === undefined ? {} : { uid, gid: uid };
    this.child = spawn(process.execPath, [script], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      ...user,
    });
  }

  async answer(): Promise<Answer> {
    const [answer] = (await once(this.child, "message")) as [Answer];
    return answer;
  }

  async do(action: string, rest: object = {}): Promise<Answer> {
    const answer = this.answer();
    this.child.send({ action, ...rest });
    return await answer;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.disconnect();
    await ended;
  }
}

let directory: string;
let script: string;
let deadPid: number;
let file: string;

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "pid-file-"));
  fs.chmodSync(directory, 0o755);
  await build({
    entryPoints: ["src/mechanisms/pid-file.ts"],
    outfile: path.join(directory, "pid-file.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
  });
  script = path.join(directory, "contender.mjs");
  fs.writeFileSync(script, contender);
  deadPid = spawnSync(process.execPath, ["--version"]).pid;
  fs.mkdirSync(path.join(directory, "run"));
  file = path.join(directory, "run", "app.pid");
});

/** Each test cleans up what it put there itself; what is left then was left by the code. */
afterEach(() => {
  const left = fs.readdirSync(path.dirname(file));
  for (const name of left)
    fs.rmSync(path.join(path.dirname(file), name), { recursive: true });
  expect(left).toEqual([]);
});

afterAll(() => {
  fs.rmSync(directory, { recursive: true });
});

async function startContender(uid?: number): Promise<Contender> {
  const started = new Contender(script, uid);
  onTestFinished(() => started.end());
  await started.answer();
  return started;
}

async function startContenders(): Promise<readonly Contender[]> {
  return await Promise.all(
    Array.from({ length: CONTENDERS }, () => startContender()),
  );
}

/** A child that runs until the test is over. */
async function livePid(): Promise<number> {
  const { child } = await startContender();
  if (child.pid === undefined) throw new Error("The child has no pid");
  return child.pid;
}

async function claimed(): Promise<void> {
  const pidFile = await writePidFile(file);
  expect(fs.readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  await pidFile.remove();
}

async function refused(message: RegExp): Promise<void> {
  const before = fs.lstatSync(file, { throwIfNoEntry: false })?.ino;
  await expect(writePidFile(file)).rejects.toMatchObject({
    code: "ERR_PREFORK_PID_FILE",
    message: expect.stringMatching(message) as string,
  });
  expect(fs.lstatSync(file, { throwIfNoEntry: false })?.ino).toBe(before);
}

function anHourOld(): void {
  const then = Date.now() / 1_000 - AN_HOUR_S;
  fs.utimesSync(file, then, then);
}

test("holds the pid and a line break, readable by all, and goes when it's removed", async () => {
  const pidFile = await writePidFile(file);
  expect(pidFile.path).toBe(file);
  expect(fs.readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  // Whatever the umask is, nobody else may write it.
  expect(fs.statSync(file).mode & 0o133).toBe(0);
  expect(fs.readdirSync(path.dirname(file))).toEqual(["app.pid"]);
  await pidFile.remove();
  expect(fs.existsSync(file)).toBe(false);
  fs.writeFileSync(file, `${process.pid}\n`);
  await pidFile.remove();
  pidFile.removeSync();
  expect(fs.existsSync(file), "removed once, not what came later").toBe(true);
  fs.unlinkSync(file);
});

test("can be removed when the process exits", () => {
  const program = `
    import { writePidFile } from ${JSON.stringify(path.join(directory, "pid-file.mjs"))};
    import fs from "node:fs";
    const pidFile = await writePidFile(${JSON.stringify(file)});
    process.on("exit", () => pidFile.removeSync());
    console.log(fs.readFileSync(pidFile.path, "utf8"));
  `;
  const { pid, stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", program],
    { encoding: "utf8" },
  );
  expect(stdout).toBe(`${pid}\n\n`);
});

test("what another has written there since isn't removed", async () => {
  for (const content of [`${deadPid}\n`, "hello\n", ""]) {
    const pidFile = await writePidFile(file);
    fs.writeFileSync(file, content);
    await pidFile.remove();
    expect(fs.readFileSync(file, "utf8")).toBe(content);
    fs.unlinkSync(file);
  }
  const pidFile = await writePidFile(file);
  fs.unlinkSync(file);
  await pidFile.remove();
});

test(`of ${CONTENDERS} servers that start at once, exactly one gets it: ${ROUNDS} rounds, without a file, with a stale one, with a stale lock`, async () => {
  const contenders = await startContenders();
  const pids = contenders.map(({ child }) => child.pid);
  for (let round = 0; round < ROUNDS; round++) {
    const go = path.join(directory, `go-${round}`);
    if (round % 2 === 1) fs.writeFileSync(file, `${deadPid}\n`);
    if (round % 4 === 3) fs.writeFileSync(`${file}.lock`, `${deadPid}\n`);
    const answers = contenders.map((it) => it.do("claim", { path: file, go }));
    fs.writeFileSync(go, "");
    const outcomes = await Promise.all(answers);
    const winners = outcomes.flatMap(({ won }, i) => (won ? [pids[i]] : []));
    expect(winners, JSON.stringify(outcomes)).toHaveLength(1);
    expect(fs.readFileSync(file, "utf8")).toBe(`${winners[0]}\n`);
    for (const { won, code, message } of outcomes) {
      if (won) continue;
      expect(code).toBe("ERR_PREFORK_PID_FILE");
      expect(message).toMatch(/pid \d+/);
    }
    await Promise.all(contenders.map((it) => it.do("release")));
    expect(fs.readdirSync(path.dirname(file))).toEqual([]);
  }
}, 60_000);

test("never do two processes have it, whoever removes it, or dies and leaves it, at whatever moment", async () => {
  const contenders = await startContenders();
  const results = await Promise.all(
    contenders.map((it) =>
      it.do("contend", { path: file, loops: LOOPS, deadPid }),
    ),
  );
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  expect(results.reduce((sum, { wins = 0 }) => sum + wins, 0)).toBeGreaterThan(
    0,
  );
  fs.rmSync(file, { force: true });
}, 60_000);

test("a stale one is taken over", async () => {
  for (const content of [`${deadPid}\n`, `${deadPid}`, ` ${deadPid}\r\n`]) {
    fs.writeFileSync(file, content);
    await claimed();
  }
});

test("a running process's is not", async () => {
  const pid = await livePid();
  fs.writeFileSync(file, `${pid}\n`);
  await refused(
    new RegExp(
      `${file} belongs to .*pid ${pid}. Stop that server .*kill ${pid}`,
    ),
  );
  fs.unlinkSync(file);
});

test("a process that is younger than the file isn't the one that wrote it", async () => {
  fs.writeFileSync(file, `${await livePid()}\n`);
  anHourOld();
  await claimed();
});

test.runIf(process.platform === "linux")(
  "the one that wrote it is recognised, whatever was done to the clock",
  async () => {
    const owner = await startContender();
    const go = directory; // is there
    expect(await owner.do("claim", { path: file, go })).toEqual({ won: true });
    anHourOld();
    await refused(new RegExp(`pid ${owner.child.pid}\\.`));
    await owner.do("release");
  },
);

test.runIf(process.platform === "linux")(
  "this process's pid, which it didn't write, is that of another life",
  async () => {
    fs.writeFileSync(file, `${process.pid}\n`);
    await claimed();
  },
);

test("one process can't have it twice", async () => {
  const pidFile = await writePidFile(file);
  await refused(/was written by this process already/);
  await pidFile.remove();
});

test("what a killed server leaves is taken over, also its lock", async () => {
  const owner = await startContender();
  await owner.do("claim", { path: file, go: directory });
  fs.copyFileSync(file, `${file}.lock`);
  const closed = once(owner.child, "close");
  owner.child.kill("SIGKILL");
  await closed;
  await claimed();
});

test("while another server is about to take it over, this one gives up", async () => {
  const pid = await livePid();
  fs.writeFileSync(file, `${deadPid}\n`);
  fs.writeFileSync(`${file}.lock`, `${pid}\n`);
  await refused(new RegExp(`pid ${pid}, starts at this moment`));
  fs.unlinkSync(file);
  fs.unlinkSync(`${file}.lock`);
});

test("what isn't a pid file is left alone", async () => {
  const contents = [
    "hello\n",
    "12 13\n",
    "0\n",
    "-1\n",
    "4294967295\n",
    "1e3",
    "1".repeat(1_000),
  ];
  for (const content of contents) {
    fs.writeFileSync(file, content);
    await refused(/holds something else than a pid.*left as it is/);
    expect(fs.readFileSync(file, "utf8")).toBe(content);
    fs.unlinkSync(file);
  }
  fs.writeFileSync(file, "");
  await refused(/is empty/);
  fs.unlinkSync(file);
  fs.mkdirSync(file);
  await refused(/is a directory/);
  fs.rmdirSync(file);
  fs.symlinkSync("nowhere", file);
  await refused(/is a symbolic link/);
  fs.unlinkSync(file);
  spawnSync("mkfifo", [file]);
  await refused(/is a device, pipe or socket/);
  fs.unlinkSync(file);
});

test("where it can't be written, the reason is said", async () => {
  const at = async (name: string): Promise<unknown> =>
    await writePidFile(path.join(directory, name)).catch(
      (error: unknown) => error,
    );
  expect(await at("missing/app.pid")).toMatchObject({
    code: "ERR_PREFORK_PID_FILE",
    message: `The pid file ${directory}/missing/app.pid can't be written: the directory ${directory}/missing doesn't exist. Make it first, or choose another path.`,
  });
  expect(await at("contender.mjs/app.pid")).toMatchObject({
    code: "ERR_PREFORK_PID_FILE",
    message: expect.stringContaining("is not a directory") as string,
  });
});

test("without the permission, the reason is said; another user's process is one, too", async () => {
  const run = path.dirname(file);
  const isRoot = process.getuid?.() === 0;
  fs.chmodSync(run, 0o555);
  onTestFinished(() => fs.chmodSync(run, 0o755));
  const user = await startContender(isRoot ? NOBODY : undefined);
  const claim = { path: file, go: directory };
  expect(await user.do("claim", claim)).toMatchObject({
    code: "ERR_PREFORK_PID_FILE",
    message: expect.stringContaining(`no permission in ${run}`) as string,
  });
  fs.chmodSync(run, 0o777);
  const pidFile = await writePidFile(file);
  expect(await user.do("claim", claim)).toMatchObject({
    code: "ERR_PREFORK_PID_FILE",
    message: expect.stringContaining(`pid ${process.pid}.`) as string,
  });
  await pidFile.remove();
});
