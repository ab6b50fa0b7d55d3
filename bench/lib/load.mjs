/**
 * Load from outside: it knows a port and nothing of the server behind it.
 * Keep-alive connections, and new ones at a steady rate, as from browsers,
 * tests and curl. Every answer, good or not, goes to `onAnswer`.
 */
import http from "node:http";

const KEEP_ALIVE_PAUSE_MS = 3;
const START_PAUSE_MS = 5;
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * @param options - `{ port, keepAlive, freshPerSecond, onAnswer }`
 * @returns `aim(url)`, which sets what is asked for from now on (at first `/`),
 *   and `stop()`, which resolves when every request under way has ended
 */
export function startLoad({ port, keepAlive, freshPerSecond, onAnswer }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: keepAlive });
  const underWay = new Set();
  let stopped = false;
  let url = "/";

  const send = (withAgent) => {
    const answer = ask(port, url, withAgent).then(onAnswer);
    underWay.add(answer);
    return answer.finally(() => underWay.delete(answer));
  };
  const loop = async () => {
    while (!stopped) {
      await send(agent);
      await new Promise((resolve) => setTimeout(resolve, KEEP_ALIVE_PAUSE_MS));
    }
  };
  const loops = Array.from({ length: keepAlive }, loop);
  const timer =
    freshPerSecond > 0
      ? setInterval(() => void send(false), 1000 / freshPerSecond)
      : undefined;

  return {
    aim(next) {
      url = next;
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.all([...loops, ...underWay]);
      agent.destroy();
    },
  };
}

/**
 * Asks again and again until there is an answer with status 200.
 *
 * @param until - `AbortSignal` to give up
 * @returns whether there was one
 */
export async function firstAnswer(port, until) {
  while (!until.aborted) {
    const { loss } = await ask(port, "/");
    if (loss === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
  }
  return false;
}

/**
 * One GET. Never rejects: a failure is an answer with a `loss`.
 *
 * @returns `{ sentAt, receivedAt, version, pid, loss }`, times by `performance.now()`
 */
function ask(port, url, agent = false) {
  return new Promise((resolve) => {
    const sentAt = performance.now();
    const end = (found) =>
      resolve({ sentAt, receivedAt: performance.now(), ...found });
    const request = http.get({ host: "127.0.0.1", port, path: url, agent });
    request.setTimeout(ANSWER_TIMEOUT_MS, () => {
      end({ loss: "timeout" });
      request.destroy();
    });
    request.on("error", (error) => end({ loss: error.code ?? error.message }));
    request.on("response", (response) => {
      let version = "";
      response.setEncoding("utf8");
      response.on("data", (text) => (version += text));
      response.on("error", () => end({ loss: "cut off" }));
      response.on("end", () => {
        if (response.statusCode !== 200) {
          end({ loss: `status ${response.statusCode}` });
        } else {
          end({ version, pid: response.headers["x-app-pid"] });
        }
      });
    });
  });
}
