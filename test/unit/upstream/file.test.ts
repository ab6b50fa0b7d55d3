/** Files and commands; a stand-in for nginx where a real one is not needed to be sure. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replaceFile } from "../../../src/upstream/atomic-file.js";
import { fileUpstream } from "../../../src/upstream/file.js";
import { nginxUpstream } from "../../../src/upstream/nginx.js";
import type { Upstream } from "../../../src/upstream/types.js";

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "pfd-"));
  file = path.join(directory, "servers");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const zero = { worker: 0, host: "127.0.0.1", port: 3001 };
const one = { worker: 1, host: "127.0.0.1", port: 3002 };

const node = (code: string, ...args: string[]): string[] => [
  process.execPath,
  "-e",
  code,
  ...args,
];

function apply(upstream: Upstream, ...servers: (typeof zero)[]): Promise<void> {
  return upstream.apply(servers, new AbortController().signal);
}

describe("a file that is replaced", () => {
  it("is made, replaced and put back, and nothing else is left", async () => {
    const made = await replaceFile(file, "one");
    expect(readFileSync(file, "utf8")).toBe("one");
    const replaced = await replaceFile(file, "two");
    expect(readFileSync(file, "utf8")).toBe("two");
    await replaced.restore();
    expect(readFileSync(file, "utf8")).toBe("one");
    await made.restore();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is another file each time: who has opened the old one reads all of it", async () => {
    await replaceFile(file, "one");
    const { ino } = lstatSync(file);
    await replaceFile(file, "two");
    expect(lstatSync(file).ino).not.toBe(ino);
  });

  it("isn't touched when it has that text already", async () => {
    await replaceFile(file, "one");
    const { ino } = lstatSync(file);
    const { restore } = await replaceFile(file, "one");
    await restore();
    expect(lstatSync(file).ino).toBe(ino);
  });

  it("stays behind the symbolic link that leads to it", async () => {
    const link = path.join(directory, "link");
    writeFileSync(file, "old");
    symlinkSync(file, link);
    await replaceFile(link, "new");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("new");
  });

  it("in a directory that isn't there is an error that says so", async () => {
    const missing = path.join(directory, "missing", "file");
    await expect(replaceFile(missing, "x")).rejects.toMatchObject({
      code: "ERR_PREFORK_UPSTREAM",
      message: expect.stringContaining(missing) as unknown,
    });
  });

  it("that is a directory is an error, and leaves nothing beside it", async () => {
    await expect(replaceFile(directory, "x")).rejects.toThrow("EISDIR");
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("fileUpstream", () => {
  it("writes the workers, then runs the command, which reads them", async () => {
    const seen = path.join(directory, "seen");
    const upstream = fileUpstream({
      file,
      command: node(
        "require('fs').appendFileSync(process.argv[2], require('fs').readFileSync(process.argv[1]))",
        file,
        seen,
      ),
    });
    await apply(upstream, zero);
    await apply(upstream, zero);
    expect(JSON.parse(readFileSync(seen, "utf8"))).toEqual({ servers: [zero] });
    await apply(upstream, zero, one);
    expect(readFileSync(seen, "utf8")).toContain("3002");
  });

  it("takes a format of one's own", async () => {
    const upstream = fileUpstream({
      file,
      format: (servers) => servers.map(({ port }) => port).join("\n"),
      settleMs: 0,
    });
    await apply(upstream, zero, one);
    expect(readFileSync(file, "utf8")).toBe("3001\n3002");
    expect(upstream.name).toBe("servers");
  });

  it("isn't confirmed by a command that fails, and runs it again", async () => {
    const mark = path.join(directory, "mark");
    const upstream = fileUpstream({
      file,
      command: node(
        "if (!require('fs').existsSync(process.argv[1])) { console.error('not yet'); process.exit(1) }",
        mark,
      ),
    });
    await expect(apply(upstream, zero)).rejects.toThrow("not yet");
    expect(existsSync(file)).toBe(true);
    writeFileSync(mark, "");
    await apply(upstream, zero);
  });

  it("isn't confirmed by a command that takes too long", async () => {
    const upstream = fileUpstream({
      file,
      command: node("setInterval(() => 0, 1000)"),
      commandTimeoutMs: 300,
    });
    await expect(apply(upstream, zero)).rejects.toThrow("within 300 ms");
  });
});

/** Does what nginx's test does, as far as we care: fails when the file has `broken` in it. */
const TEST = `
const text = require("fs").readFileSync(process.argv[1], "utf8");
if (text.includes("broken")) { console.error("[emerg] unknown directive \\"broken\\""); process.exit(1); }
`;

describe("nginxUpstream, when the configuration is refused", () => {
  const upstreamWith = (settings: string[]): Upstream =>
    nginxUpstream({
      file,
      settings,
      test: node(TEST, file),
      reload: node("0"),
      pidFile: false,
      settleMs: 0,
    });

  it("puts the old file back", async () => {
    await apply(upstreamWith([]), zero);
    const old = readFileSync(file, "utf8");
    await expect(apply(upstreamWith(["broken;"]), zero, one)).rejects.toThrow(
      'unknown directive "broken"',
    );
    expect(readFileSync(file, "utf8")).toBe(old);
    expect(readdirSync(directory)).toEqual(["servers"]);
  });

  it("leaves no file when there was none", async () => {
    await expect(apply(upstreamWith(["broken;"]), zero)).rejects.toThrow(
      "broken",
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it("keeps the new file when only the reload fails: nginx reads it when it starts", async () => {
    const upstream = nginxUpstream({
      file,
      test: false,
      reload: node("console.error('not running'); process.exit(1)"),
      pidFile: false,
    });
    await expect(apply(upstream, zero)).rejects.toThrow("not running");
    expect(readFileSync(file, "utf8")).toContain("127.0.0.1:3001");
  });

  it("says what to do when nobody's process id is known", async () => {
    const upstream = nginxUpstream({
      file,
      test: false,
      reload: node("0"),
      pidFile: path.join(directory, "no.pid"),
    });
    await expect(apply(upstream, zero)).rejects.toThrow(/is nginx running/);
    writeFileSync(path.join(directory, "no.pid"), "x");
    await expect(apply(upstream, zero)).rejects.toThrow(/holds "x"/);
  });
});

// Root may write anywhere.
it.skipIf(process.getuid?.() === 0)(
  "a directory that can't be written is reported",
  async () => {
    chmodSync(directory, 0o500);
    const upstream = fileUpstream({ file, settleMs: 0 });
    await expect(apply(upstream, zero)).rejects.toThrow(/EACCES/);
    chmodSync(directory, 0o700);
  },
);
