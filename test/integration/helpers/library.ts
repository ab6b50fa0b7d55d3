/** Programs that use the library instead of the command, with the command's log. */

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
