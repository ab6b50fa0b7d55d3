/** The master's end of a process's synchronous channel: resolves computed specifiers, gives orders. */
import type { Duplex } from "node:stream";
import { messageOf } from "../errors.js";
import type {
  Order,
  ResolveAnswer,
  ResolveRequest,
  StandingRequest,
  SyncRequest,
  TroubleNotice,
} from "../ipc/messages.js";
import { readLines } from "./output-lines.js";

export interface SyncListeners {
  readonly resolve: (request: ResolveRequest) => Promise<ResolveAnswer>;
  /** The process stands by until {@link SyncAnswers.order}. */
  readonly onStanding: (request: StandingRequest) => void;
  readonly onTrouble: (notice: TroubleNotice) => void;
}

export class SyncAnswers {
  readonly #channel: Duplex;

  constructor(channel: Duplex, listeners: SyncListeners) {
    this.#channel = channel;
    channel.on("error", () => undefined); // the process is gone: its exit tells
    readLines(channel, (line) => {
      const request = JSON.parse(line) as SyncRequest;
      switch (request.kind) {
        case "standing":
          listeners.onStanding(request);
          return;
        case "trouble":
          listeners.onTrouble(request);
          return;
        case "import":
        case "require":
          void this.#resolve(request, listeners.resolve);
      }
    });
  }

  /** Answers a process that stands by. */
  order(order: Order): void {
    this.#write(order);
  }

  async #resolve(
    request: ResolveRequest,
    resolve: SyncListeners["resolve"],
  ): Promise<void> {
    try {
      this.#write(await resolve(request));
    } catch (error) {
      this.#write({ kind: "failed", message: messageOf(error) });
    }
  }

  #write(answer: ResolveAnswer | Order): void {
    this.#channel.write(`${JSON.stringify(answer)}\n`);
  }
}
