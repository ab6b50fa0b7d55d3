/**
 * Sessions that live in the memory of one process: those of engine.io, which socket.io speaks. With its polling transport, where
 * clients begin unless they're told otherwise, each message is a request of its own, and any other process answers it with
 * "Session ID unknown". So the process that gave out an id gets what comes with it, for as long as it gets requests at all.
 *
 * Not here: who gets what has no session (`policy.ts`). Other kinds of sessions have a cookie, and a store that processes share.
 */
import type { IncomingMessage } from "node:http";

import type { Target } from "./targets.js";

/** So many are known at a time; beyond, the oldest is forgotten: its client connects anew. */
const MAX_SESSIONS = 10_000;

/** In the query of every request of engine.io's, whatever path it's served under. */
const PROTOCOL = /[?&]EIO=\d/;
const SESSION = /[?&]sid=([\w-]+)/;
/** The answer to the first: `0{"sid":"...", ...`; before version 4 of the protocol its length stands before it. */
const OPENED = /^[\d:]*0\{"sid":"([\w-]+)"/;

export class Sessions {
  readonly #homes = new Map<string, Target>();

  /** The process that knows the session of a request; `undefined` when there is none, or none that still gets requests. */
  homeOf(url: string | undefined): Target | undefined {
    const id = idOf(url);
    if (id === undefined) return undefined;
    const home = this.#homes.get(id);
    if (home === undefined || home.state === "admitted") return home;
    this.#homes.delete(id);
    return undefined;
  }

  /** Reads the id in an answer that opens a session. To be called before the answer's body flows. */
  watch(url: string | undefined, answer: IncomingMessage, home: Target): void {
    if (url === undefined || !PROTOCOL.test(url) || SESSION.test(url)) return;
    answer.once("data", (chunk: Buffer) => {
      const id = OPENED.exec(chunk.toString("latin1", 0, 100))?.[1];
      if (id === undefined) return;
      if (this.#homes.size >= MAX_SESSIONS) this.#makeRoom();
      this.#homes.set(id, home);
    });
  }

  #makeRoom(): void {
    for (const [id, { state }] of this.#homes) {
      if (state !== "admitted") this.#homes.delete(id);
    }
    const [oldest] = this.#homes.keys();
    if (this.#homes.size >= MAX_SESSIONS && oldest !== undefined)
      this.#homes.delete(oldest);
  }
}

function idOf(url: string | undefined): string | undefined {
  if (url === undefined || !PROTOCOL.test(url)) return undefined;
  return SESSION.exec(url)?.[1];
}
