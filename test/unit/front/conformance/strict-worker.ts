/**
 * A worker with a parser of its own, naive and strict: RFC 9112 to the letter, nothing guessed. It answers each request with
 * a number and the request's target, and keeps what it couldn't read.
 */
import net from "node:net";

/** A message, and where it ends. */
export interface Message {
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly length: number;
}

const FIELD = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/**
 * Reads one message from the start of a text (latin1).
 *
 * @returns `undefined` when more must come
 * @throws Error for anything that isn't exactly right
 */
export function readMessage(
  text: string,
  startLine: RegExp,
): Message | undefined {
  const end = text.indexOf("\r\n\r\n");
  // What can't become right is wrong at once.
  const header = end === -1 ? text : text.slice(0, end);
  const [line = "", ...rest] = header.split("\r\n");
  if (/[\r\n\0]/.test(header.replaceAll("\r\n", "").replace(/\r$/, ""))) {
    throw new Error("a lonely CR, LF or NUL in the header");
  }
  if (end === -1) return undefined;
  if (!startLine.test(line)) throw new Error(`start line ${line}`);
  const fields = rest.map((each) => {
    const [, name, value] = FIELD.exec(each) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`field ${each}`);
    return [name.toLowerCase(), value] as const;
  });
  const all = (name: string): string[] =>
    fields.flatMap(([key, value]) => (key === name ? [value] : []));
  const lengths = all("content-length");
  const codings = all("transfer-encoding");
  if (lengths.length + codings.length > 1) throw new Error("framed twice");
  const body = text.slice(end + 4);
  if (codings.length > 0) {
    if (codings[0] !== "chunked")
      throw new Error(`coding ${String(codings[0])}`);
    const chunks = readChunks(body);
    return (
      chunks && {
        line,
        fields,
        body: chunks.body,
        length: end + 4 + chunks.length,
      }
    );
  }
  const [length = "0"] = lengths;
  if (!/^\d+$/.test(length)) throw new Error(`length ${length}`);
  if (body.length < Number(length)) return undefined;
  return {
    ...{ line, fields },
    body: body.slice(0, Number(length)),
    length: end + 4 + Number(length),
  };
}

function readChunks(
  text: string,
): { body: string; length: number } | undefined {
  let body = "";
  for (let at = 0; ;) {
    const end = text.indexOf("\r\n", at);
    if (end === -1) return undefined;
    const size = text.slice(at, end);
    // The front makes chunks anew: what it sends has neither extensions nor zeros in front.
    if (!/^(?:0|[1-9a-f][0-9a-f]*)$/.test(size))
      throw new Error(`chunk size ${size}`);
    at = end + 2;
    if (size === "0") {
      if (text.startsWith("\r\n", at)) return { body, length: at + 2 };
      const last = text.indexOf("\r\n\r\n", at);
      if (last === -1) return undefined;
      for (const each of text.slice(at, last).split("\r\n")) {
        if (!FIELD.test(each)) throw new Error(`trailer ${each}`);
      }
      return { body, length: last + 4 };
    }
    const count = Number.parseInt(size, 16);
    if (text.length < at + count + 2) return undefined;
    body += text.slice(at, at + count);
    if (!text.startsWith("\r\n", at + count)) throw new Error("end of chunk");
    at += count + 2;
  }
}

/** A request as the worker read it. */
export interface ReadRequest {
  readonly serial: number;
  readonly target: string;
  readonly body: string;
}

/** See this file's header. */
export class StrictWorker {
  readonly server: net.Server;
  readonly requests: ReadRequest[] = [];
  readonly faults: string[] = [];

  constructor() {
    this.server = net.createServer((socket) => {
      let text = "";
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        try {
          for (;;) {
            const message = readMessage(
              text,
              /^[A-Z]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.1$/,
            );
            if (message === undefined) break;
            text = text.slice(message.length);
            socket.write(this.#answer(message), "latin1");
          }
        } catch (error) {
          this.faults.push(`${String(error)} in ${JSON.stringify(text)}`);
          socket.destroy();
        }
      });
    });
  }

  #answer(message: Message): string {
    const [, target = ""] = message.line.split(" ");
    const serial = this.requests.length;
    this.requests.push({ serial, target, body: message.body });
    const text = `${serial} ${target}`;
    const isHead = message.line.startsWith("HEAD ");
    return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${isHead ? "" : text}`;
  }
}
