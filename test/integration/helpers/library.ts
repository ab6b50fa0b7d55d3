/** Programs that use the library instead of the command, with the command's log. */
import type { Cli } from "./cli.js";

/**
 * A script that serves `process.argv[2]`, watches it, stops on SIGTERM, and says its status on SIGUSR2.
 *
 * @param options - the source text of the server's options
 */
export function libraryRunner(options: string): string {
  return `
import { createServer, loadProject } from "prefork-dev";

const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const server = createServer(await loadProject(process.argv[2]), ${options});
server.on("listening", (address) => say("listening", address));
server.on("reload", ({ kind, ...fields }) => say("reload", { outcome: kind, ...fields }));
server.on("process", ({ kind, ...fields }) => say("process", { what: kind, ...fields }));
server.on("worker", ({ kind, ...fields }) => say("worker", { what: kind, ...fields }));
server.on("standby", ({ kind, ...fields }) => say("standby", { what: kind, ...fields }));
server.on("output", (line) => say("output", line));
server.on("warning", (message) => say("warning", { message }));
server.watch();
process.on("SIGUSR2", () => say("status", { status: server.status() }));
process.on("SIGHUP", () => void server.reload());
process.once("SIGTERM", () => void server.stop());
await server.start();
await server.watching();
say("watching", {});
`;
}

/**
 * To be put behind {@link libraryRunner}: evaluates JavaScript, sent to a port that the log tells, with `server` in scope. The answer
 * is what it comes to. See {@link caller}.
 */
export const CONTROLLABLE = `
import http from "node:http";
const AsyncFunction = (async () => undefined).constructor;
const evaluate = async (request, response) => {
  let code = "";
  response.setHeader("connection", "close");
  for await (const chunk of request) code += chunk;
  try {
    const value = await new AsyncFunction("server", code)(server);
    response.end(JSON.stringify({ value }));
  } catch (error) {
    response.end(JSON.stringify({ code: error.code, message: error.message }));
  }
};
const control = http.createServer((request, response) => void evaluate(request, response));
control.listen(0, "127.0.0.1", () => say("control", { port: control.address().port }));
control.unref();
`;

/** What a call came to: its value, or the error's code and message. */
export interface Called {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
}

/** Evaluates code in a {@link CONTROLLABLE} program, e.g. `return await server.scale(3)`. */
export async function caller(
  cli: Cli,
): Promise<(code: string) => Promise<Called>> {
  const { port } = await cli.waitFor(
    "the control port",
    ({ event }) => event === "control",
  );
  return async (code) => {
    const response = await fetch(`http://127.0.0.1:${String(port)}/`, {
      method: "POST",
      body: code,
    });
    return (await response.json()) as Called;
  };
}
