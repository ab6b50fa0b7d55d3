import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { build } from "esbuild";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import {
  OutputSink,
  type OutputSinkOptions,
} from "../../../src/mechanisms/output-sink.js";

/** A stream that takes one write at a time, when it's told to. */
class Slow extends Writable {
  taken = "";
  #taken: (() => void)[] = [];

  constructor() {
    super({ highWaterMark: 1, decodeStrings: false });
  }

  override _write(chunk: string, _: string, done: () => void): void {
    this.#taken.push(() => {
      this.taken += chunk;
      done();
    });
  }

  take(): void {
    this.#taken.shift()?.();
  }

  async takeAll(): Promise<void> {
    while (this.#taken.length > 0) {
      this.take();
      await nextTurn();
    }
  }
}

let directory: string;
let log: string;
let warnings: string[];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "output-"));
  log = path.join(directory, "app.log");
  warnings = [];
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
});

function openSink(
  target: OutputSinkOptions["target"],
  options: Partial<OutputSinkOptions> = {},
): OutputSink {
  const sink = new OutputSink({
    target,
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  onTestFinished(() => sink.close());
  return sink;
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
}

function asFile(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** How many lines the notes in a text stand for, and the lines without the notes. */
function readNotes(written: string): { dropped: number; lines: string[] } {
  let dropped = 0;
  const lines = written
    .split("\n")
    .slice(0, -1)
    .filter((line) => {
      const note = /^\[prefork-dev\] (\d+) lines? dropped: /.exec(line);
      dropped += Number(note?.[1] ?? 0);
      return note === null;
    });
  return { dropped, lines };
}

/** A child that reads its standard input to the end once a line comes on descriptor 3. */
function startReader(): {
  child: ChildProcess;
  input: Writable;
  go: Writable;
  output: Promise<string>;
} {
  const child = spawn("sh", ["-c", "read go <&3; exec cat"], {
    stdio: ["pipe", "pipe", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  });
  const [input, output, , go] = child.stdio;
  if (!input || !output || !(go instanceof Writable))
    throw new Error("no pipes");
  go.on("error", () => undefined);
  return { child, input, go, output: text(output) };
}

test("lines are appended to a file, and are there once it's closed", async () => {
  fs.writeFileSync(log, "before\n");
  const sink = openSink(log);
  for (const line of ["one", "", "drei€"]) sink.write(line);
  await sink.close();
  sink.write("too late");
  await sink.close();
  expect(fs.readFileSync(log, "utf8")).toBe("before\none\n\ndrei€\n");
  expect(warnings).toEqual([]);
});

test("a file that is renamed under it and reopened loses no line, and no line is split", async () => {
  const sink = openSink(log);
  const lines = numbered(0, 30_000);
  const rotations: Promise<void>[] = [];
  for (const [i, line] of lines.entries()) {
    sink.write(line);
    if (i % 100 === 0) await nextTurn();
    if (i % 5_000 === 2_500) {
      fs.renameSync(log, `${log}.${rotations.length}`);
      rotations.push(sink.reopen());
      await rotations.at(-1);
    } else if (i % 5_000 === 4_000) {
      // Not awaited: what is written meanwhile goes to either.
      rotations.push(sink.reopen());
    }
  }
  await Promise.all(rotations);
  await sink.close();
  const files = [0, 2, 4, 6, 8, 10].map((i) => `${log}.${i}`);
  const written = [...files, log].map((file) => fs.readFileSync(file, "utf8"));
  for (const content of written) expect(content).toMatch(/^line .*\n$/s);
  expect(written.join("").split("\n")).toEqual([...lines, ""]);
  expect(fs.readdirSync(directory)).toHaveLength(files.length + 1);
  expect(warnings).toEqual([]);
});

test("once reopen is over, the old file has all it will get", async () => {
  const sink = openSink(log);
  await sink.reopen(); // so that there is a file
  const lines = numbered(0, 5_000);
  for (const line of lines) sink.write(line);
  fs.renameSync(log, `${log}.1`);
  await sink.reopen();
  const old = fs.readFileSync(`${log}.1`, "utf8");
  await sink.close();
  expect(old + fs.readFileSync(log, "utf8")).toBe(asFile(lines));
});

test("the new output gets nothing before the old one has taken all, so that lines stay in order", async () => {
  const [old, next] = [new Slow(), new Slow()];
  const streams = [old, next];
  const sink = openSink(() => streams.shift() ?? next);
  sink.write("line 0");
  const reopened = sink.reopen();
  for (const line of numbered(1, 4)) {
    await nextTurn();
    sink.write(line);
    expect(next.writableLength).toBe(0);
  }
  await old.takeAll();
  await reopened;
  expect(old.taken).toBe(asFile(numbered(0, 1)));
  await Promise.all([sink.close(), next.takeAll()]);
  expect(next.taken).toBe(asFile(numbered(1, 4)));
});

test("where lines are missing since an output failed, their number comes first in the next one", async () => {
  const broken = new Writable({
    write: (_, __, done) => done(new Error("broken")),
  });
  const next = new Slow();
  const streams: Writable[] = [broken, next];
  const sink = openSink(() => streams.shift() ?? next);
  sink.write("lost");
  await vi.waitFor(() => expect(warnings).toHaveLength(1));
  sink.write("kept");
  await sink.reopen();
  await Promise.all([sink.close(), next.takeAll()]);
  expect(next.taken).toBe(
    "[prefork-dev] 1 line dropped: the output failed\nkept\n",
  );
});

test("what can't be opened anew is said, and the old file is still used", async () => {
  const sink = openSink(log);
  sink.write("one");
  // Open before its directory goes.
  await vi.waitFor(() => expect(fs.existsSync(log)).toBe(true));
  const moved = `${directory}-moved`;
  fs.renameSync(directory, moved);
  onTestFinished(() => fs.rmSync(moved, { recursive: true, force: true }));
  await expect(sink.reopen()).rejects.toMatchObject({
    code: "ERR_PREFORK_OUTPUT",
    message: expect.stringContaining(log) as string,
  });
  sink.write("two");
  fs.renameSync(moved, directory);
  await sink.reopen();
  sink.write("three");
  await sink.close();
  expect(fs.readFileSync(log, "utf8")).toBe("one\ntwo\nthree\n");
});

test("lines wait for a slow output up to the bound; then the newest are dropped, and their number stands in their place", async () => {
  const slow = new Slow();
  const sink = openSink(slow, { maxBufferedBytes: 20 });
  sink.write("first"); // is being written
  sink.write("123456789"); // waits, 10 bytes
  sink.write("123456789"); // waits, 20 bytes
  sink.write("dropped");
  slow.take(); // "first"; what waits is given to the stream
  sink.write("");
  await slow.takeAll();
  sink.write("after");
  await slow.takeAll();
  sink.write("fast again");
  await slow.takeAll();
  expect(slow.taken).toBe(
    "first\n123456789\n123456789\n[prefork-dev] 2 lines dropped: the output was too slow\nafter\nfast again\n",
  );
});

test("a process that doesn't read holds nobody up, and memory stays bounded", async () => {
  const { input, go, output } = startReader();
  const bound = 64 * 1024;
  const sink = openSink(() => input, { maxBufferedBytes: bound });
  const lines = numbered(0, 100_000);
  for (const [i, line] of lines.entries()) {
    sink.write(line);
    if (i % 1_000 === 0) await nextTurn();
  }
  // Its own buffer, and the lines of the write that went beyond it.
  expect(input.writableLength).toBeLessThan(
    input.writableHighWaterMark + bound,
  );
  go.write("go\n");
  await sink.close();
  const { dropped, lines: written } = readNotes(await output);
  expect(dropped).toBeGreaterThan(0);
  expect(written).toEqual(lines.slice(0, lines.length - dropped));
  expect(warnings).toEqual([]);
});

test("an output that comes and goes says each time how much is missing", async () => {
  const { input, go, output } = startReader();
  go.write("go\n");
  const sink = openSink(() => input, { maxBufferedBytes: 1_000 });
  const lines = numbered(0, 50_000);
  for (const [i, line] of lines.entries()) {
    sink.write(line);
    if (i % 10_000 === 0) await nextTurn();
  }
  await sink.close();
  const { dropped, lines: written } = readNotes(await output);
  expect(dropped).toBeGreaterThan(0);
  expect(written.length + dropped).toBe(lines.length);
});

test("a process that died is told once, and the next one gets what waits, and the number of lines that are missing", async () => {
  const readers = [startReader(), startReader()];
  for (const { go } of readers) go.write("go\n");
  let opened = 0;
  const sink = openSink(
    () => {
      const reader = readers[opened++];
      if (reader === undefined) throw new Error("no more readers");
      return reader.input;
    },
    { retryAfterMs: 0 },
  );
  const [first, second] = readers;
  if (first === undefined || second === undefined)
    throw new Error("no readers");
  const isClosed = once(first.child, "close");
  first.child.kill("SIGKILL");
  await isClosed;
  let count = 0;
  await vi.waitFor(
    () => {
      sink.write(`line ${count++}`);
      expect(opened).toBe(2);
    },
    { timeout: 5_000, interval: 1 },
  );
  sink.write("the last");
  await sink.close();
  const { dropped, lines } = readNotes(await second.output);
  expect(lines.at(-1)).toBe("the last");
  expect(dropped + lines.length).toBe(count + 1);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/can't be written: .*(EPIPE|ECONNRESET|closed)/);
});

test.runIf(fs.existsSync("/dev/full"))(
  "a full disk is told once, and when there is room again the number of lines that are missing",
  async () => {
    fs.symlinkSync("/dev/full", log);
    const sink = openSink(log, { retryAfterMs: 0 });
    let count = 0;
    for (; count < 20; count++) {
      sink.write(`line ${count}`);
      await nextTurn();
    }
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toContain("ENOSPC");
    await sink.reopen();
    for (; count < 40; count++) {
      sink.write(`line ${count}`);
      await nextTurn();
    }
    fs.unlinkSync(log);
    await sink.reopen();
    sink.write("the last");
    await sink.close();
    const { dropped, lines } = readNotes(fs.readFileSync(log, "utf8"));
    expect(lines.at(-1)).toBe("the last");
    expect(dropped + lines.length).toBe(count + 1);
    expect(warnings).toHaveLength(1);
  },
);

test("a missing directory is a warning, and no end", async () => {
  const sink = openSink(path.join(directory, "missing", "app.log"));
  sink.write("one");
  await vi.waitFor(() => expect(warnings).toHaveLength(1));
  expect(warnings[0]).toContain("ENOENT");
  sink.write("two");
  await sink.close();
});

test("a stream that was given is never ended, and reopening leaves it as it is", async () => {
  const slow = new Slow();
  const sink = openSink(slow);
  sink.write("one");
  await sink.reopen();
  sink.write("two");
  await Promise.all([sink.close(), slow.takeAll()]);
  expect(slow.taken).toBe("one\ntwo\n");
  expect(slow.writableEnded).toBe(false);
  expect(
    slow.eventNames().filter((name) => slow.listenerCount(name) > 0),
  ).toEqual([]);
});

test("process.stdout is never ended, whoever opens it", async () => {
  const sink = openSink(() => process.stdout);
  await sink.reopen();
  await sink.close();
  expect(process.stdout.writableEnded).toBe(false);
  expect(process.stdout.destroyed).toBe(false);
});

test("a stream that was given and has ended is told once", async () => {
  const slow = new Slow();
  const sink = openSink(slow, { closeTimeoutMs: 20 });
  sink.write("one");
  sink.write("two");
  slow.destroy();
  for (const line of numbered(0, 100)) sink.write(line);
  await nextTurn();
  sink.write("more");
  await sink.close();
  const told = warnings.filter((it) => it.includes("can't be written"));
  expect(told).toHaveLength(1);
  expect(slow.taken).toBe("");
});

/** Writes to its standard output, which nobody reads any more after the first line. */
const writer = `
import { setImmediate as nextTurn } from "node:timers/promises";
import { OutputSink } from "./output-sink.mjs";
const warnings = [];
const sink = new OutputSink({ target: process.stdout, onWarning: (message) => warnings.push(message) });
sink.write("one");
process.once("message", async () => {
  for (let i = 0; i < 20; i++) {
    sink.write("more");
    await nextTurn();
  }
  await sink.close();
  process.send(warnings, () => process.disconnect());
});
`;

test("a standard output that nobody reads any more is told once, and the process goes on", async () => {
  await build({
    entryPoints: ["src/mechanisms/output-sink.ts"],
    outfile: path.join(directory, "output-sink.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const script = path.join(directory, "writer.mjs");
  fs.writeFileSync(script, writer);
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const closed = once(child, "close");
  const { stdout } = child;
  if (stdout === null) throw new Error("no pipe");
  await once(stdout, "data");
  stdout.destroy();
  await once(stdout, "close");
  child.send("go");
  const [told] = (await once(child, "message")) as [string[]];
  expect(told).toEqual([expect.stringContaining("EPIPE")]);
  expect(await closed).toEqual([0, null]);
});

test("a stream that throws disturbs nobody", async () => {
  const stream = new Writable({
    write() {
      throw new Error("no");
    },
  });
  const sink = openSink(stream, { closeTimeoutMs: 20 });
  sink.write("one");
  sink.write("two");
  await sink.close();
  expect(warnings[0]).toContain("written: no.");
});

test("close waits no longer than its deadline, and says what is lost", async () => {
  const slow = new Slow();
  const sink = openSink(slow, { closeTimeoutMs: 20 });
  for (const line of numbered(0, 10)) sink.write(line);
  await sink.close();
  expect(warnings).toEqual([
    "The workers' output was closed before it had taken the last 10 lines.",
  ]);
  const hangs = openSink(() => new Slow(), { closeTimeoutMs: 20 });
  hangs.write("one");
  await hangs.close();
  expect(warnings).toHaveLength(2);
});

test("an empty path is refused", () => {
  expect(() => openSink("")).toThrow(/path is empty/);
});
