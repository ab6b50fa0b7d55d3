/** Makes a stream of a file descriptor: the kind of stream that asks the kernel when there is something to read. */
import fs from "node:fs";
import net from "node:net";
import type { Readable } from "node:stream";
import tty from "node:tty";
import { messageOf, PreforkError } from "../errors.js";

/**
 * The stream of a pipe, a fifo, a terminal, a connected socket or a character device. The descriptor is the stream's from then on:
 * it is closed with it, and non-blocking (also for other processes that share its open file).
 *
 * @param fd - the descriptor
 * @throws PreforkError `ERR_PREFORK_OPTION` for anything that can't be waited for: a regular file, a directory, a number that isn't open
 */
export function readableOf(fd: number): Readable {
  const stats = statOf(fd);
  if (stats.isFile()) {
    throw refusal(
      fd,
      "is a regular file, which can always be read: there is nothing to wait for. Read it with fs.createReadStream, or have it watched with fs.watch.",
    );
  }
  if (tty.isatty(fd)) return new tty.ReadStream(fd);
  if (stats.isFIFO()) {
    return new net.Socket({ fd, readable: true, writable: false });
  }
  if (stats.isSocket()) return socketOf(fd);
  if (stats.isCharacterDevice()) return fs.createReadStream("", { fd });
  throw refusal(
    fd,
    "is no pipe, fifo, terminal, socket or character device. Give a stream that reads it instead.",
  );
}

function statOf(fd: number): fs.Stats {
  try {
    return fs.fstatSync(fd);
  } catch (error) {
    throw refusal(
      fd,
      `can't be looked at: ${messageOf(error)}. Give one that is open.`,
      error,
    );
  }
}

function socketOf(fd: number): net.Socket {
  try {
    return new net.Socket({ fd, readable: true, writable: true });
  } catch (error) {
    // Node makes streams of TCP and Unix stream sockets only.
    throw refusal(
      fd,
      "is a socket, but no stream. Receive datagrams with node:dgram (bind({ fd })).",
      error,
    );
  }
}

function refusal(fd: number, what: string, cause?: unknown): PreforkError {
  return new PreforkError(
    "ERR_PREFORK_OPTION",
    `addIoHandler: file descriptor ${fd} ${what}`,
    { cause },
  );
}
