/** A process that is no HTTP server: it answers byte for byte as it's told, and records the bytes that it got. */
import net from "node:net";

/** One thing that the worker does. */
export interface Step {
  /** Does it once a connection has brought this since the last step. Default: the end of a header. */
  readonly when?: string | RegExp;
  /** Says this, in one piece. */
  readonly say?: string;
  /** Then ends the connection. */
  readonly end?: boolean;
}

/** What a worker says that is told nothing. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** See this file's header. */
export class ScriptedWorker {
  readonly server: net.Server;
  /** All that was received on all connections, in the order in which it came; latin1. */
  text = "";
  /** How many connections brought anything. */
  connections = 0;
  readonly #steps: Step[];
  readonly #watchers = new Set<() => void>();

  /** @param steps - one after the other, whatever connection it is; when they're through, {@link OK} for each header */
  constructor(steps: readonly Step[] = []) {
    this.#steps = [...steps];
    this.server = net.createServer({ allowHalfOpen: true }, (socket) => {
      let pending = "";
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        if (pending === "" && socket.bytesRead === chunk.length) {
          this.connections++;
        }
        const text = chunk.toString("latin1");
        this.text += text;
        pending += text;
        pending = this.#act(socket, pending);
        for (const check of [...this.#watchers]) check();
      });
      socket.on("end", () => socket.end());
    });
  }

  /** Resolves once it has received this. */
  async sees(what: string | RegExp): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!includes(this.text, what)) return;
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** @returns what no step has taken */
  #act(socket: net.Socket, pending: string): string {
    for (;;) {
      const step = this.#steps[0];
      const { when = "\r\n\r\n", say, end = false } = step ?? { say: OK };
      if (!includes(pending, when)) return pending;
      this.#steps.shift();
      pending = "";
      if (say !== undefined) socket.write(say, "latin1");
      if (end) socket.end();
    }
  }
}

function includes(text: string, what: string | RegExp): boolean {
  return typeof what === "string" ? text.includes(what) : what.test(text);
}
