import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  controlSocketPath,
  LONGEST_PATH_BYTES,
} from "../../../src/control/control-path.js";
import { openControlSocket } from "../../../src/control/control-server.js";
import type { ControlSocket } from "../../../src/control/types.js";
import { PreforkError } from "../../../src/errors.js";
import { children } from "./children.js";
import { fakeHandlers, request, temporaryDirectory } from "./harness.js";

const ROUNDS = 20;

function open(file: string): Promise<ControlSocket> {
  return openControlSocket({
    path: file,
    handlers: fakeHandlers(),
    onError: (error) => {
      throw error;
    },
  });
}

async function errorOf(opening: Promise<unknown>): Promise<PreforkError> {
  const error: unknown = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PreforkError) return error;
  throw new Error(`no PreforkError, but ${String(error)}`);
}

describe("a place that is free", () => {
  it("gets a socket with mode 0600, and is left as it was", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "c.sock");
    const control = await open(file);
    const stats = fs.lstatSync(file);
    expect([stats.isSocket(), stats.mode & 0o777]).toEqual([true, 0o600]);
    expect((await request(file, "GET", "/status")).status).toBe(200);
    await control.close();
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it("in the directory of sockets: that is made with mode 0700, and goes with the last one", async () => {
    const base = temporaryDirectory();
    vi.stubEnv("XDG_RUNTIME_DIR", base);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const own = path.join(base, "prefork-dev");
    const first = controlSocketPath("/a", "/a/x.ts");
    expect(path.dirname(first)).toBe(own);
    const controls = [
      await open(first),
      await open(controlSocketPath("/a", "/a/y.ts")),
    ];
    expect(fs.statSync(own).mode & 0o777).toBe(0o700);
    await Promise.all(controls.map((control) => control.close()));
    expect(fs.readdirSync(base)).toEqual([]);
  });

  it("in the directory of sockets: not if that is a link, a file, or everybody's", async () => {
    const base = temporaryDirectory();
    vi.stubEnv("XDG_RUNTIME_DIR", base);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const own = path.join(base, "prefork-dev");
    const file = controlSocketPath("/a", "/a/x.ts");
    fs.symlinkSync(base, own);
    const link = await errorOf(open(file));
    expect(link.code).toBe("ERR_PREFORK_CONTROL");
    expect(link.message).toContain("symbolic link: somebody else made it");
    fs.rmSync(own);
    fs.writeFileSync(own, "");
    expect((await errorOf(open(file))).message).toContain("is no directory");
    fs.rmSync(own);
    fs.mkdirSync(own);
    fs.chmodSync(own, 0o777);
    const control = await open(file);
    expect(fs.statSync(own).mode & 0o777).toBe(0o700);
    await control.close();
  });

  it.runIf(process.getuid?.() === 0)(
    "in the directory of sockets: not if that is somebody else's",
    async () => {
      const base = temporaryDirectory();
      vi.stubEnv("XDG_RUNTIME_DIR", base);
      onTestFinished(() => {
        vi.unstubAllEnvs();
      });
      const own = path.join(base, "prefork-dev");
      fs.mkdirSync(own);
      fs.chownSync(own, 12_345, 12_345);
      const error = await errorOf(open(controlSocketPath("/a", "/a/x.ts")));
      expect(error.message).toContain("belongs to user 12345");
    },
  );

  it("must have a directory, and a short path", async () => {
    const directory = temporaryDirectory();
    const missing = await errorOf(open(path.join(directory, "no", "c.sock")));
    expect(missing.code).toBe("ERR_PREFORK_CONTROL");
    expect(missing.message).toContain("ENOENT");
    const long = path.join(directory, `${"x".repeat(100)}.sock`);
    expect((await errorOf(open(long))).message).toContain("too long");
    // As long as may be: the lock beside it has a longer path.
    const folder = path.join(
      directory,
      "y".repeat(LONGEST_PATH_BYTES - directory.length - 31),
    );
    fs.mkdirSync(folder);
    await (await open(path.join(folder, "c.sock"))).close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("a place that is taken", () => {
  it("by a server: the error has its pid, and nothing is left of the attempt", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "c.sock");
    const control = await open(file);
    const names = fs.readdirSync(directory).sort();
    const error = await errorOf(open(file));
    expect(error.code).toBe("ERR_PREFORK_CONTROL_IN_USE");
    expect(error.message).toContain(`pid ${process.pid}`);
    expect(fs.readdirSync(directory).sort()).toEqual(names);
    expect((await request(file, "GET", "/status")).status).toBe(200);
    await control.close();
    await (await open(file)).close();
  });

  it("by a program that doesn't know the lock", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "c.sock");
    const other = net.createServer((socket) => socket.destroy());
    other.listen(file);
    await once(other, "listening");
    const error = await errorOf(open(file));
    expect(error.code).toBe("ERR_PREFORK_CONTROL_IN_USE");
    expect(error.message).toContain("another program");
    expect(fs.readdirSync(directory)).toEqual(["c.sock"]);
    other.close();
    await once(other, "close");
  });

  it("by something that is no socket: it's left alone", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "c.sock");
    fs.writeFileSync(file, "precious");
    const error = await errorOf(open(file));
    expect(error.code).toBe("ERR_PREFORK_CONTROL");
    expect(error.message).toContain("no socket");
    expect(fs.readFileSync(file, "utf8")).toBe("precious");
    expect(fs.readdirSync(directory)).toEqual(["c.sock"]);
  });

  it("isn't removed when it's somebody else's by now", async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, "c.sock");
    const control = await open(file);
    fs.rmSync(file);
    fs.writeFileSync(file, "another's");
    await control.close();
    expect(fs.readdirSync(directory)).toEqual(["c.sock"]);
  });
});

describe("a place that a killed server left", { timeout: 60_000 }, () => {
  it("is taken over", async () => {
    const directory = temporaryDirectory();
    const start = children(directory);
    const folder = path.join(directory, "s");
    fs.mkdirSync(folder);
    const file = path.join(folder, "c.sock");
    const victim = await start();
    expect(await victim.tell({ kind: "open", path: file, at: 0 })).toEqual({
      kind: "opened",
    });
    const error = await errorOf(open(file));
    expect(error.message).toContain(`pid ${victim.process.pid ?? 0}`);
    await victim.kill();
    expect(fs.existsSync(file)).toBe(true);
    const control = await open(file);
    expect((await request(file, "GET", "/status")).status).toBe(200);
    await control.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("is taken over also when it died before its socket had its path", async () => {
    const directory = temporaryDirectory();
    const start = children(directory);
    const folder = path.join(directory, "s");
    fs.mkdirSync(folder);
    const file = path.join(folder, "c.sock");
    const victim = await start();
    await victim.tell({ kind: "open", path: file, at: 0 });
    await victim.kill();
    fs.rmSync(file);
    await (await open(file)).close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it(`is taken over by exactly one of several that start at once, ${ROUNDS} times`, async () => {
    const directory = temporaryDirectory();
    const start = children(directory);
    const folder = path.join(directory, "s");
    fs.mkdirSync(folder);
    const rivals = await Promise.all([start(), start(), start(), start()]);
    for (let round = 0; round < ROUNDS; round++) {
      // Every fourth time there is nothing to take over.
      const file = path.join(folder, "c.sock");
      if (round % 4 !== 3) {
        const victim = await start();
        await victim.tell({ kind: "open", path: file, at: 0 });
        await victim.kill();
      }
      const at = Date.now() + 20;
      const reports = await Promise.all(
        rivals.map((rival) => rival.tell({ kind: "open", path: file, at })),
      );
      const winners = rivals.filter((_, i) => reports[i]?.kind === "opened");
      expect(winners).toHaveLength(1);
      const pid = winners[0]?.process.pid ?? 0;
      const status = await request(file, "GET", "/status");
      expect(JSON.parse(status.text)).toEqual({ pid });
      for (const report of reports) {
        if (report.kind === "opened") continue;
        expect(report).toMatchObject({
          kind: "refused",
          code: "ERR_PREFORK_CONTROL_IN_USE",
        });
        expect(JSON.stringify(report)).toContain(`pid ${pid}`);
      }
      expect(await winners[0]?.tell({ kind: "close" })).toEqual({
        kind: "closed",
      });
      expect(fs.readdirSync(folder)).toEqual([]);
    }
  });

  it("is taken over by exactly one of many in one process", async () => {
    const directory = temporaryDirectory();
    const start = children(directory);
    const folder = path.join(directory, "s");
    fs.mkdirSync(folder);
    const file = path.join(folder, "c.sock");
    const victim = await start();
    await victim.tell({ kind: "open", path: file, at: 0 });
    await victim.kill();
    const opening = Array.from({ length: 12 }, () => open(file));
    const settled = await Promise.allSettled(opening);
    const opened = settled.flatMap((one) =>
      one.status === "fulfilled" ? [one.value] : [],
    );
    expect(opened).toHaveLength(1);
    await opened[0]?.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
