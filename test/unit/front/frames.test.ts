/** WebSocket frames as the `ws` package's server sees and sends them: directly and through the front the same, byte for byte. */
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocketServer } from "ws";

import { World } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const HANDSHAKE = [
  "GET /socket HTTP/1.1",
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;

/** A masked frame (RFC 6455 section 5.2). */
function frame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const size = payload.length;
  const length =
    size < 126
      ? Buffer.from([size])
      : size < 65_536
        ? Buffer.from([126, size >> 8, size & 255])
        : Buffer.from([127, 0, 0, 0, 0, 0, size >> 16, size >> 8, size]);
  length.writeUInt8((length[0] ?? 0) | 128, 0);
  const mask = Buffer.from([1, 2, 3, size & 255]);
  const masked = payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0));
  const first = Buffer.from([(isLast ? 128 : 0) | opcode]);
  return Buffer.concat([first, length, mask, masked]);
}

/** A message in one frame or several, with a ping between each two. */
function message(isText: boolean, size: number, fragments: number): Buffer {
  const payload = Buffer.alloc(size, isText ? "text" : "\xff\x00\x7f");
  const step = Math.ceil(size / fragments);
  const frames: Buffer[] = [];
  for (let i = 0; i < fragments; i++) {
    const part = payload.subarray(i * step, (i + 1) * step);
    const opcode = i > 0 ? 0 : isText ? TEXT : BINARY;
    frames.push(frame(opcode, part, i === fragments - 1));
    if (i < fragments - 1) frames.push(frame(PING, Buffer.from(`p${i}`)));
  }
  return Buffer.concat(frames);
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 200_000, 1_048_576),
);
const part = fc.oneof(
  fc
    .record({
      isText: fc.boolean(),
      size: sizes,
      fragments: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ isText, size, fragments }) => message(isText, size, fragments)),
  fc
    .integer({ min: 0, max: 125 })
    .map((size) => frame(PING, Buffer.alloc(size))),
);
const first = (byte: number): Buffer =>
  Buffer.concat([
    Buffer.from([byte]),
    frame(TEXT, Buffer.from("a")).subarray(1),
  ]);
/** What ends it; behind each the client ends its side. */
const ending = fc.constantFrom(
  Buffer.alloc(0),
  frame(CLOSE, Buffer.alloc(0)),
  frame(CLOSE, Buffer.from([3, 232])),
  frame(CLOSE, Buffer.concat([Buffer.from([15, 160]), Buffer.from("bye")])),
  // From here on no way to speak: codes that are cut, that nobody may send, that nobody knows; reasons that aren't UTF-8,
  frame(CLOSE, Buffer.from([3])),
  frame(CLOSE, Buffer.from([3, 237])),
  frame(CLOSE, Buffer.from([3, 231])),
  frame(CLOSE, Buffer.from([255, 255])),
  frame(CLOSE, Buffer.from([3, 232, 255])),
  // reserved bits, a control frame in fragments, a frame without a mask, one that goes on with nothing, unknown opcodes, sizes.
  first(0xc1),
  first(0xa1),
  first(0x09),
  Buffer.from([0x81, 1, 97]),
  frame(0, Buffer.from("a")),
  frame(11, Buffer.from("a")),
  Buffer.from([0x82, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
  frame(BINARY, Buffer.alloc(5), false),
  frame(PING, Buffer.alloc(126)),
  frame(7, Buffer.alloc(3)),
  frame(TEXT, Buffer.from([255, 254])),
);
const script = fc.record({
  parts: fc.array(part, { maxLength: 6 }),
  ending,
  /** Where the bytes are cut at first: a piece each turn of the loop. */
  pieces: fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 21, max: 70_000 }),
    ),
    { maxLength: 20 },
  ),
  /** Does the client speak before it was answered? */
  isEarly: fc.boolean(),
});

/** Says all of it, ends its side, and returns what the server said after its head. */
async function talk(
  where: net.NetConnectOpts,
  bytes: Buffer,
  pieces: readonly number[],
  isEarly: boolean,
): Promise<Buffer> {
  const socket = net.connect({ ...where, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const answered = new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
  });
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(socket, "end");
  socket.write(HANDSHAKE);
  if (!isEarly) await answered;
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const size = pieces[i] ?? 65_536;
    socket.write(bytes.subarray(from, from + size));
    from += size;
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await ended;
  socket.destroy();
  const all = Buffer.concat(chunks);
  return all.subarray(all.indexOf("\r\n\r\n"));
}

it("any sizes, fragments, cuts and endings", { timeout: 60_000 }, async () => {
  const server = http.createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    socket.on("error", () => undefined);
    socket.on("message", (data, isBinary) =>
      socket.send(data, { binary: isBinary }),
    );
  });
  const { port, process, front } = await world.simple(server);
  let echoed = 0;
  await fc.assert(
    fc.asyncProperty(script, async ({ parts, ending, pieces, isEarly }) => {
      const bytes = Buffer.concat([...parts, ending]);
      const path = process.target.socketPath;
      const direct = await talk({ path }, bytes, pieces, isEarly);
      const where = { port, host: "127.0.0.1" };
      const through = await talk(where, bytes, pieces, isEarly);
      expect(through.equals(direct)).toBe(true);
      echoed += direct.length;
    }),
    { numRuns: 80 },
  );
  expect(echoed).toBeGreaterThan(100_000);
  await front.drain(process.target.id);
  expect(front.leases(process.target.id)).toBe(0);
});
