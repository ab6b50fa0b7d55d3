/** Large bodies through the front: whole, both ways, in a master whose memory stays flat. `PREFORK_TEST_BODY_MB=1024` makes them larger. */
import http from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import { CONTROLLABLE, caller, libraryRunner } from "./helpers/library.js";
import { startSession } from "./helpers/session.js";

const MB = 1024 * 1024;
const SIZE = Number(process.env["PREFORK_TEST_BODY_MB"] ?? 128) * MB;
/** What the streams' buffers and the garbage of a busy process may add to it, whatever the size. */
const FLAT = 96 * MB;
const CHUNK = Buffer.alloc(MB, "0123456789abcdef");

const SERVER = `
import http from "node:http";
const chunk = Buffer.alloc(${MB}, "0123456789abcdef");
http.createServer(async (request, response) => {
  if (request.url === "/echo") return void request.pipe(response);
  if (request.method === "POST") {
    let size = 0;
    for await (const part of request) size += part.length;
    return void response.end(String(size));
  }
  for (let sent = 0; sent < ${SIZE}; sent += chunk.length) {
    if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}).listen(3000);
`;

/** Sends and receives, and calls back every 16 MB. */
async function move(
  port: number,
  method: string,
  path: string,
  onProgress: () => Promise<void>,
): Promise<{ size: number; text: string; isSame: boolean }> {
  const request = http.request({
    host: "127.0.0.1",
    ...{ port, method, path, agent: false },
  });
  const response = once(request, "response") as Promise<[http.IncomingMessage]>;
  const upload = async (): Promise<void> => {
    for (let sent = 0; method === "POST" && sent < SIZE; sent += MB) {
      if (sent % (16 * MB) === 0) await onProgress();
      if (!request.write(CHUNK)) await once(request, "drain");
    }
    request.end();
  };
  const uploaded = upload();
  const [answer] = await response;
  let size = 0;
  let nextLook = 0;
  let isSame = true;
  let text = "";
  for await (const part of answer as AsyncIterable<Buffer>) {
    // What should be at this place: the pattern is 16 bytes long.
    const from = size % 16;
    isSame &&= part.equals(pattern(from, part.length));
    if (size < 20) text += part.toString("latin1", 0, 20);
    size += part.length;
    if (size < nextLook) continue;
    nextLook += 16 * MB;
    await onProgress();
  }
  await uploaded;
  return { size, text, isSame };
}

function pattern(from: number, length: number): Buffer {
  return CHUNK.subarray(from, from + length);
}

test(
  `${SIZE / MB} MB down, up and both ways at once: all of it arrives, and the front's memory stays flat`,
  { timeout: 300_000 },
  async () => {
    const app = makeApp({ "src/server.ts": SERVER });
    const options = `{ port: 0, workers: 1, standby: 0 }`;
    app.write("run.mjs", libraryRunner(options) + CONTROLLABLE);
    const { cli, port } = await startSession(app, {
      script: app.path("run.mjs"),
    });
    const call = await caller(cli);
    const rss = async (): Promise<number> =>
      (await call("return process.memoryUsage.rss()")).value as number;
    const before = await rss();
    let most = 0;
    const look = async (): Promise<void> => {
      most = Math.max(most, await rss());
    };
    const down = await move(port, "GET", "/", look);
    expect([down.size, down.isSame]).toEqual([SIZE, true]);
    const up = await move(port, "POST", "/", look);
    expect(up.text).toBe(String(SIZE));
    const both = await move(port, "POST", "/echo", look);
    expect([both.size, both.isSame]).toEqual([SIZE, true]);
    expect(most).toBeGreaterThan(0);
    if (process.env["PREFORK_TEST_BODY_MB"] !== undefined)
      console.log(
        `the master: ${Math.round(before / MB)} MB before, ${Math.round(most / MB)} MB at most`,
      );
    expect(most - before).toBeLessThan(FLAT);
  },
);
