/**
 * The load of `bench/throughput.mjs`, in a process of its own: so many keep-alive connections, each with one request under way.
 * Nothing but sockets and a look at the header, so that it takes little of the machine that it shares with what it measures.
 *
 * Usage (forked): { port, connections, path, bytes, warmUpMs, measureMs, pids } comes as a message, and the figures go back.
 */
import net from "node:net";
import { setTimeout as rest } from "node:timers/promises";
import { cpuMsOf } from "./cpu-time.mjs";

process.once("message", (task) => {
  void run(task).then((found) => process.send(found, () => process.exit()));
});

async function run({ port, connections, warmUpMs, measureMs, pids, ...what }) {
  const times = [];
  const state = { isMeasuring: false, isOver: false, times, lost: 0 };
  const all = Array.from({ length: connections }, () =>
    connect(port, what, state),
  );
  await rest(warmUpMs);
  const before = cpuOfAll(pids);
  const from = performance.now();
  state.isMeasuring = true;
  await rest(measureMs);
  state.isMeasuring = false;
  const tookMs = performance.now() - from;
  const after = cpuOfAll(pids);
  state.isOver = true;
  for (const { socket } of all) socket.destroy();
  return {
    tookMs,
    lost: state.lost,
    times,
    cpuMs: Object.fromEntries(
      Object.keys(pids).map((key) => [key, after[key] - before[key]]),
    ),
  };
}

function cpuOfAll(pids) {
  return Object.fromEntries(
    Object.entries(pids).map(([key, some]) => [
      key,
      some.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    ]),
  );
}

function connect(port, { path, bytes }, state) {
  const connection = {
    socket: undefined,
    request: Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n` +
        "User-Agent: throughput\r\nConnection: keep-alive\r\n\r\n",
    ),
    sentAt: 0,
    head: "",
    /** What is missing of the body; undefined while the head is. */
    missing: undefined,
  };
  open(connection, port, bytes, state);
  return connection;
}

function open(connection, port, bytes, state) {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  connection.socket = socket;
  connection.missing = undefined;
  connection.head = "";
  const send = () => {
    connection.sentAt = performance.now();
    socket.write(connection.request);
  };
  const lose = () => {
    if (state.isOver || connection.socket !== socket) return;
    if (state.isMeasuring) state.lost++;
    socket.destroy();
    setImmediate(() => {
      if (!state.isOver) open(connection, port, bytes, state);
    });
    connection.socket = undefined;
  };
  socket.on("connect", send);
  socket.on("error", lose);
  socket.on("close", lose);
  socket.on("data", (chunk) => {
    let length = chunk.length;
    if (connection.missing === undefined) {
      const before = connection.head.length;
      connection.head += chunk.latin1Slice(0, Math.min(length, 4096));
      const end = connection.head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const found = /^content-length: *(\d+)/im.exec(connection.head);
      if (!connection.head.startsWith("HTTP/1.1 200 ") || found === null)
        return lose();
      length -= end + 4 - before;
      connection.missing = Number(found[1]);
      connection.head = "";
      if (connection.missing !== bytes) return lose();
    }
    connection.missing -= length;
    if (connection.missing > 0) return;
    if (connection.missing < 0) return lose();
    connection.missing = undefined;
    if (state.isMeasuring)
      state.times.push(performance.now() - connection.sentAt);
    if (!state.isOver) send();
  });
}
