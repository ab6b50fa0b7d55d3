/** Whether somebody listens at a path. It never waits for an answer: the system accepts the connection, not the program. */
import net from "node:net";
import { systemErrorCode } from "../errors.js";

/** `dead`: the file is there, and the process that listened is gone. In doubt it's `live`, since what is dead gets deleted. */
export type Presence = "live" | "dead" | "absent";

/** Connects to a Unix socket and hangs up. */
export function probe(path: string): Promise<Presence> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve("live");
    });
    socket.once("error", (error) => {
      switch (systemErrorCode(error)) {
        case "ECONNREFUSED":
          resolve("dead");
          return;
        case "ENOENT":
        case "ENOTDIR":
          resolve("absent");
          return;
        case undefined:
        default:
          // EAGAIN, for one: it lives, and its queue is full.
          resolve("live");
      }
    });
  });
}
