import { spawn, spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { Duplex, PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { build } from "esbuild";
import type { IoEvent } from "../../../src/mechanisms/io-calls.js";
import { IoHandlers } from "../../../src/mechanisms/io-handlers.js";
import type { IoSource } from "../../../src/mechanisms/io-sources.js";

const TURNS = 20;
const DEADLINE_MS = 5_000;

let handlers: IoHandlers;
let warnings: string[];
let directory: string;

beforeEach(() => {
  warnings = [];
  handlers = new IoHandlers({ onWarning: (it) => void warnings.push(it) });
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "io-"));
  onTestFinished(() => {
    handlers.closeAll();
    fs.rmSync(directory, { recursive: true });
  });
});

/** Enough turns of the event loop for anything that is under way within this process. */
async function settle(): Promise<void> {
  for (let i = 0; i < TURNS; i++) await nextTurn();
}

/** Keeps what a handler is told, and lets a test wait for it. */
class Log {
  readonly kinds: string[] = [];
  read = "";
  #changed: (() => void) | undefined;

  /** A handler that reads all that there is. */
  readonly reading = (event: IoEvent): void => {
    if (event.kind === "readable") this.read += String(event.source.read());
    this.noting(event);
  };

  /** A handler that reads nothing. */
  readonly noting = (event: IoEvent): void => {
    this.kinds.push(event.kind);
    this.#changed?.();
  };

  async until(isThere: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (!isThere()) {
      await new Promise<void>((resolve, reject) => {
        this.#changed = resolve;
        deadline.onabort = () =>
          reject(new Error(`So far: ${this.kinds.join()}, read ${this.read}`));
      });
    }
  }
}

/** Makes a fifo, with a writer that keeps it from ending. */
function makeFifo(): {
  name: string;
  reader: number;
  write: (text: string) => void;
  end: () => void;
} {
  const name = path.join(directory, "fifo");
  expect(spawnSync("mkfifo", [name]).status).toBe(0);
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const reader = fs.openSync(name, O_RDONLY | O_NONBLOCK);
  const writer = fs.openSync(name, "w");
  let isOpen = true;
  const end = (): void => {
    if (isOpen) fs.closeSync(writer);
    isOpen = false;
  };
  onTestFinished(end);
  return {
    name,
    reader,
    write: (text) => void fs.writeSync(writer, text),
    end,
  };
}

function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

async function listening<Server extends net.Server>(
  server: Server,
): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

async function connectTo(server: net.Server): Promise<net.Socket> {
  const client = net.connect(
    (server.address() as AddressInfo).port,
    "127.0.0.1",
  );
  client.on("error", () => undefined);
  await once(client, "connect");
  onTestFinished(() => void client.destroy());
  return client;
}

/** The two ends of a connection. */
async function connected(): Promise<{
  client: net.Socket;
  socket: net.Socket;
}> {
  const server = await listening(net.createServer());
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const client = await connectTo(server);
  const [socket] = await accepted;
  onTestFinished(() => void socket.destroy());
  return { client, socket };
}

test("a fifo's reader is called when there is something, and at the end", async () => {
  const fifo = makeFifo();
  const log = new Log();
  handlers.add(fifo.reader, log.reading);
  fifo.write("one");
  await log.until(() => log.read === "one");
  fifo.write("two");
  await log.until(() => log.read === "onetwo");
  expect(log.kinds).toEqual(["readable", "readable"]);
  fifo.end();
  await log.until(() => log.kinds.includes("end"));
  await settle();
  expect(log.kinds).toEqual(["readable", "readable", "end"]);
  expect(isOpen(fifo.reader)).toBe(false);
});

test("a handler that doesn't read is called for new data only", async () => {
  const fifo = makeFifo();
  const log = new Log();
  handlers.add({ fd: fifo.reader }, log.noting);
  fifo.write("one");
  await log.until(() => log.kinds.length === 1);
  await settle();
  expect(log.kinds).toEqual(["readable"]);
  fifo.write("two");
  await log.until(() => log.kinds.length === 2);
  await settle();
  expect(log.kinds).toEqual(["readable", "readable"]);
});

test("nor does it spin when the stream is full to the brim, or beyond it", async () => {
  for (const size of [9, 10, 11]) {
    const source = new PassThrough({ highWaterMark: 10 });
    const log = new Log();
    handlers.add(source, log.noting);
    source.write("x".repeat(size));
    await settle();
    const before = log.kinds.length;
    expect(before).toBeGreaterThan(0);
    await settle();
    expect(log.kinds).toHaveLength(before);
    expect(before).toBeLessThanOrEqual(2);
  }
});

test("what was left unread can be read later, and the end comes then", async () => {
  const { client, socket } = await connected();
  const log = new Log();
  handlers.add(socket, log.noting);
  client.end("one");
  await log.until(() => log.kinds.length > 0);
  await settle();
  expect(log.kinds).not.toContain("end");
  expect(log.kinds.length).toBeLessThanOrEqual(2);
  expect(String(socket.read())).toBe("one");
  await log.until(() => log.kinds.includes("end"));
});

test("an end without data is an end, and no reading", async () => {
  const { client, socket } = await connected();
  const log = new Log();
  handlers.add(socket, log.reading);
  client.end();
  await log.until(() => log.kinds.length > 0);
  await settle();
  expect(log.kinds).toEqual(["end"]);
});

test("a handler that reads exactly what there is hears of the end", async () => {
  const { client, socket } = await connected();
  const log = new Log();
  handlers.add(socket, (event) => {
    if (event.kind === "readable") {
      log.read += String(event.source.read(event.source.readableLength));
    }
    log.noting(event);
  });
  client.end("one");
  await log.until(() => log.kinds.includes("end"));
  expect(log.read).toBe("one");
});

test("an error is told as one, and is the last that is told", async () => {
  const { client, socket } = await connected();
  const log = new Log();
  handlers.add(socket, log.reading);
  client.resetAndDestroy();
  await log.until(() => log.kinds.length > 0);
  await settle();
  expect(log.kinds).toEqual(["error"]);
});

test("a stream that its owner destroys has ended; so has one that had ended before", async () => {
  const { socket } = await connected();
  const log = new Log();
  handlers.add(socket, log.reading);
  socket.destroy();
  await log.until(() => log.kinds.length > 0);
  handlers.add(socket, log.reading);
  expect(log.kinds).toEqual(["end"]);
  await log.until(() => log.kinds.length === 2);
  await settle();
  expect(log.kinds).toEqual(["end", "end"]);
});

test("an error that doesn't end a stream is not the last that is told", async () => {
  const source = new Readable({ read: () => undefined, autoDestroy: false });
  const log = new Log();
  handlers.add(source, log.reading);
  source.emit("error", new Error("a hiccup"));
  source.push("one");
  await log.until(() => log.read === "one");
  expect(log.kinds).toEqual(["error", "readable"]);
});

test("data that was there before is told, but not within add", async () => {
  const source = new PassThrough();
  source.write("one");
  const log = new Log();
  handlers.add(source, log.reading);
  expect(log.kinds).toEqual([]);
  await log.until(() => log.read === "one");
});

test("objects can be read, too", async () => {
  const source = Readable.from([{ a: 1 }, { b: 2 }]);
  const read: unknown[] = [];
  const log = new Log();
  handlers.add(source, (event) => {
    if (event.kind === "readable") read.push(event.source.read());
    log.noting(event);
  });
  await log.until(() => log.kinds.includes("end"));
  expect(read).toEqual([{ a: 1 }, { b: 2 }]);
});

test("a removed handler is not called, the source is open, and a second removal is nothing", async () => {
  const { client, socket } = await connected();
  const log = new Log();
  const remove = handlers.add(socket, log.reading);
  client.write("one");
  await log.until(() => log.read === "one");
  remove();
  remove();
  client.write("two");
  const [readable] = await Promise.all([once(socket, "readable"), settle()]);
  expect(readable).toEqual([]);
  expect(log.kinds).toEqual(["readable"]);
  expect(String(socket.read())).toBe("two");
  expect(socket.destroyed).toBe(false);
  expect(socket.listenerCount("error")).toBe(0);
});

test("a descriptor is closed when its handler is removed", async () => {
  const fifo = makeFifo();
  const log = new Log();
  const remove = handlers.add(fifo.reader, log.noting);
  fifo.write("one");
  await log.until(() => log.kinds.length === 1);
  remove();
  await settle();
  expect(isOpen(fifo.reader)).toBe(false);
  expect(log.kinds).toEqual(["readable"]);
});

test("closeAll removes them all", async () => {
  const fifo = makeFifo();
  const source = new PassThrough();
  const log = new Log();
  handlers.add(fifo.reader, log.noting);
  handlers.add(source, log.noting);
  handlers.closeAll();
  source.write("one");
  await settle();
  expect(log.kinds).toEqual([]);
  expect(isOpen(fifo.reader)).toBe(false);
  expect(source.destroyed).toBe(false);
});

test("a handler that throws or rejects is told, stays, and harms nobody", async () => {
  const source = new PassThrough();
  const other = new PassThrough();
  const log = new Log();
  const otherLog = new Log();
  handlers.add(source, (event) => {
    log.reading(event);
    if (log.kinds.length === 1) throw new Error("thrown");
    return Promise.reject(new Error("rejected"));
  });
  handlers.add(other, otherLog.reading);
  source.write("one");
  await log.until(() => log.read === "one");
  await settle();
  source.write("two");
  await log.until(() => log.read === "onetwo");
  other.write("three");
  await otherLog.until(() => otherLog.read === "three");
  expect(warnings).toEqual([
    expect.stringContaining("thrown"),
    expect.stringContaining("rejected"),
  ]);
});

test("a slow handler isn't run beside itself: what comes meanwhile makes one call more", async () => {
  const source = new PassThrough();
  const log = new Log();
  let running = 0;
  let goOn: () => void = () => undefined;
  handlers.add(source, async (event) => {
    running++;
    expect(running).toBe(1);
    log.reading(event);
    await new Promise<void>((resolve) => (goOn = resolve));
    running--;
  });
  source.write("1");
  await log.until(() => log.kinds.length === 1);
  for (const text of ["2", "3", "4"]) {
    source.write(text);
    await nextTurn();
  }
  expect(log.kinds).toHaveLength(1);
  goOn();
  await log.until(() => log.kinds.length === 2);
  expect(log.read).toBe("1234");
  // What it reads in the meantime needs no call.
  source.write("5");
  await nextTurn();
  expect(String(source.read())).toBe("5");
  goOn();
  await settle();
  expect(log.kinds).toEqual(["readable", "readable"]);
  expect(warnings).toEqual([]);
});

test("what waits for a slow handler is not told after it was removed", async () => {
  const source = new PassThrough();
  const log = new Log();
  let goOn: () => void = () => undefined;
  const remove = handlers.add(source, async (event) => {
    log.noting(event);
    await new Promise<void>((resolve) => (goOn = resolve));
  });
  source.write("1");
  await log.until(() => log.kinds.length === 1);
  source.write("2");
  await nextTurn();
  remove();
  goOn();
  await settle();
  expect(log.kinds).toEqual(["readable"]);
});

test("a server's handler gets each connection, and its end", async () => {
  const server = await listening(net.createServer());
  const log = new Log();
  handlers.add(server, (event) => {
    if (event.kind === "connection") event.socket.end("hello");
    log.noting(event);
  });
  for (let i = 0; i < 3; i++) {
    const client = await connectTo(server);
    const [data] = (await once(client, "data")) as [Buffer];
    expect(String(data)).toBe("hello");
  }
  server.close();
  await log.until(() => log.kinds.includes("end"));
  expect(log.kinds).toEqual(["connection", "connection", "connection", "end"]);
});

test("connections that come while one is handled are each handled after it; those that nobody takes are closed", async () => {
  const server = await listening(net.createServer());
  const log = new Log();
  let goOn: () => void = () => undefined;
  const remove = handlers.add(server, async (event) => {
    log.noting(event);
    await new Promise<void>((resolve) => (goOn = resolve));
    if (event.kind === "connection") event.socket.end();
  });
  const clients: net.Socket[] = [];
  for (let i = 0; i < 3; i++) {
    const accepted = once(server, "connection");
    clients.push(await connectTo(server));
    await accepted;
  }
  const closed = clients.map((client) => once(client.resume(), "close"));
  await log.until(() => log.kinds.length === 1);
  goOn();
  await closed[0];
  await log.until(() => log.kinds.length === 2);
  remove();
  await closed[2];
  goOn();
  await closed[1];
  expect(log.kinds).toEqual(["connection", "connection"]);
});

test("a client's reset doesn't end the process, though the handler listens for nothing", async () => {
  const server = await listening(net.createServer());
  const closed = new Promise<boolean>((resolve) => {
    handlers.add(server, (event) => {
      if (event.kind === "connection") event.socket.on("close", resolve);
    });
  });
  const accepted = once(server, "connection");
  const client = await connectTo(server);
  await accepted;
  client.resetAndDestroy();
  expect(await closed, "closed by an error").toBe(true);
});

test("a connection that comes to a handler that throws is closed", async () => {
  const server = await listening(net.createServer());
  const log = new Log();
  handlers.add(server, (event) => {
    log.noting(event);
    throw new Error("thrown");
  });
  const client = await connectTo(server);
  const closed = once(client.resume(), "close");
  await log.until(() => log.kinds.length === 1);
  await closed; // nobody took it
  expect(warnings).toEqual([expect.stringContaining("thrown")]);
});

test("an HTTP server answers as before, also when a handler throws", async () => {
  const server = await listening(
    http.createServer((_, response) => void response.end("hello")),
  );
  const log = new Log();
  handlers.add(server, (event) => {
    log.noting(event);
    throw new Error("thrown");
  });
  const { port } = server.address() as AddressInfo;
  const request = http.get({ host: "127.0.0.1", port, agent: false });
  const [response] = (await once(request, "response")) as [Readable];
  expect(await text(response)).toBe("hello");
  expect(log.kinds).toEqual(["connection"]);
});

/** The error of adding a handler for what can't be waited for. */
function refused(source: IoSource): unknown {
  try {
    handlers.add(source, () => undefined);
    return undefined;
  } catch (error) {
    return error;
  }
}

function saying(message: string): unknown {
  return expect.objectContaining({
    code: "ERR_PREFORK_OPTION",
    message: expect.stringContaining(message) as string,
  });
}

test("a regular file, a directory, a closed or impossible number and a FileHandle are refused", async () => {
  const name = path.join(directory, "file");
  fs.writeFileSync(name, "hello");
  const file = fs.openSync(name, "r");
  expect(refused(file)).toEqual(saying("regular file"));
  expect(isOpen(file)).toBe(true);
  fs.closeSync(file);
  expect(refused(file)).toEqual(saying("EBADF"));
  for (const impossible of [-1, 1.5, NaN]) {
    expect(refused(impossible)).toEqual(saying("can't be looked at"));
  }
  const folder = fs.openSync(directory, "r");
  expect(refused(folder)).toEqual(saying("no pipe"));
  fs.closeSync(folder);
  const handle = await fs.promises.open(name);
  expect(refused(handle)).toEqual(saying("FileHandle"));
  await handle.close();
});

test.runIf(process.platform === "linux")(
  "a datagram socket is refused",
  async () => {
    const openNow = (): number[] =>
      fs.readdirSync("/proc/self/fd").map(Number).filter(isOpen);
    const before = new Set(openNow());
    const socket = dgram.createSocket("udp4");
    onTestFinished(() => void socket.close());
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const sockets = openNow().filter(
      (fd) => !before.has(fd) && fs.fstatSync(fd).isSocket(),
    );
    expect(sockets).toHaveLength(1);
    expect(refused(sockets[0] ?? NaN)).toEqual(saying("node:dgram"));
  },
);

test("a device that isn't a terminal is read", async () => {
  const log = new Log();
  handlers.add(fs.openSync("/dev/null", "r"), log.reading);
  await log.until(() => log.kinds.length > 0);
  expect(log.kinds).toEqual(["end"]);
});

test("duplex streams of any kind are read", async () => {
  const log = new Log();
  handlers.add(Duplex.from(["one"]), log.reading);
  await log.until(() => log.kinds.includes("end"));
  expect(log.read).toBe("one");
});

/** Reads lines on a descriptor by a handler, in a process of its own, until one says "quit". */
const program = (fd: number): string => `
import { IoHandlers } from "./io-handlers.mjs";
const handlers = new IoHandlers({ onWarning: console.error });
const remove = handlers.add(${fd}, (event) => {
  const text = event.kind === "readable" ? String(event.source.read()).trim() : "";
  console.log("<" + event.kind + " " + text + ">");
  if (text === "quit") remove();
});
console.log("<ready>");
`;

async function writeProgram(fd: number): Promise<string> {
  await build({
    entryPoints: ["src/mechanisms/io-handlers.ts"],
    outfile: path.join(directory, "io-handlers.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const script = path.join(directory, "program.mjs");
  fs.writeFileSync(script, program(fd));
  return script;
}

async function converse(
  command: string,
  args: readonly string[],
  stdio: "ignore" | "pipe",
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit", stdio],
  });
  const closed = once(child, "close");
  const { stdin, stdout } = child;
  const input = child.stdio[3] instanceof Duplex ? child.stdio[3] : stdin;
  if (input === null || stdout === null) throw new Error("no pipes");
  const answers = new Map([
    ["<ready>", "one\n"],
    ["<readable one>", "quit\n"],
  ]);
  let output = "";
  stdout.on("data", (chunk: Buffer) => {
    output += String(chunk);
    for (const [seen, answer] of answers) {
      if (output.includes(seen) && answers.delete(seen)) input.write(answer);
    }
  });
  await closed;
  return output;
}

test("an inherited socket is read, and the process ends once its handler is removed", async () => {
  const script = await writeProgram(3);
  const output = await converse(process.execPath, [script], "pipe");
  expect(output).toBe("<ready>\n<readable one>\n<readable quit>\n");
});

const hasScript =
  process.platform === "linux" &&
  spawnSync("script", ["--version"]).status === 0;

test.runIf(hasScript)("a terminal is read", async () => {
  const script = await writeProgram(0);
  const command = `'${process.execPath}' '${script}'`;
  const output = await converse(
    "script",
    ["-qec", command, "/dev/null"],
    "ignore",
  );
  expect(output).toContain("<readable one>");
  expect(output).toContain("<readable quit>");
});
