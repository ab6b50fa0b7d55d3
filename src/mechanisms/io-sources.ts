/** What an io handler can be added for, made into the one way in which it is told. It doesn't call handlers: `io-calls.ts` does. */
import net from "node:net";
import type { Readable } from "node:stream";
import tls from "node:tls";
import { PreforkError } from "../errors.js";
import type { IoEvent } from "./io-calls.js";
import { readableOf } from "./readable-of-fd.js";

/**
 * What a handler can be added for: a readable stream (a `net.Socket` is one), a server (`net.Server`, `http.Server`, …), or an open file
 * descriptor: of a pipe, a fifo, a terminal, a connected socket or a character device.
 */
export type IoSource = Readable | net.Server | number | { readonly fd: number };

/** A source that is listened to. */
export interface AttachedSource {
  /** Stops listening; closes the source if it was made here. */
  detach(): void;
  /** Closes a connection that no handler took, unless somebody else listens for them: an HTTP server reads its own. */
  abandon(socket: net.Socket): void;
}

/** Is told what happens; after an event that is the last it is told nothing more. */
type Tell = (event: IoEvent, isLast: boolean) => void;

/**
 * Listens to a source. Never tells anything within this call.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION` for a source that can't be waited for
 */
export function attach(source: IoSource, tell: Tell): AttachedSource {
  if (source instanceof net.Server) return attachServer(source, tell);
  if (typeof source === "object") {
    if ("readableLength" in source) return attachStream(source, tell);
    if ("createReadStream" in source) {
      throw new PreforkError(
        "ERR_PREFORK_OPTION",
        "addIoHandler: a FileHandle closes its descriptor by itself. Open the file with fs.openSync, and give the number.",
      );
    }
  }
  const stream = readableOf(typeof source === "number" ? source : source.fd);
  // Nobody else is there for errors that come once it's detached.
  stream.on("error", () => undefined);
  const attached = attachStream(stream, tell);
  return {
    ...attached,
    detach: () => {
      attached.detach();
      stream.destroy();
    },
  };
}

function attachStream(stream: Readable, tell: Tell): AttachedSource {
  const readable = (): void =>
    tell({ kind: "readable", source: stream }, false);
  const over = (): void => {
    detach();
    tell({ kind: "end" }, true);
  };
  const failed = (error: Error): void => {
    const isLast = stream.destroyed;
    if (isLast) detach();
    tell({ kind: "error", error }, isLast);
  };
  const detach = (): void => {
    stream.off("readable", readable).off("error", failed);
    stream.off("end", over).off("close", over);
  };
  stream.on("readable", readable).on("error", failed);
  stream.on("end", over).on("close", over);
  // It ended before, and won't say so again.
  if (stream.destroyed || stream.readableEnded) queueMicrotask(over);
  return { detach, abandon: () => undefined };
}

function attachServer(server: net.Server, tell: Tell): AttachedSource {
  // The connection that TLS runs on has nothing to read for anybody else.
  const name = server instanceof tls.Server ? "secureConnection" : "connection";
  const connection = (socket: net.Socket): void => {
    // Until the handler listens, and if it never does: a client's reset must not end this process.
    socket.on("error", () => undefined);
    tell({ kind: "connection", socket }, false);
  };
  const failed = (error: Error): void => tell({ kind: "error", error }, false);
  const closed = (): void => {
    detach();
    tell({ kind: "end" }, true);
  };
  const detach = (): void => {
    server.off(name, connection).off("error", failed).off("close", closed);
  };
  server.on(name, connection).on("error", failed).on("close", closed);
  return {
    detach,
    abandon: (socket) => {
      const others = server.listeners(name).filter((it) => it !== connection);
      if (others.length === 0) socket.destroy();
    },
  };
}
