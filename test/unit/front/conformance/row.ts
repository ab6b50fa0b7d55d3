/**
 * One row of the conformance suite: what the client sends, what the worker answers, what each must have received.
 * Raw sockets on both sides of a real front, so that every byte counts.
 */
import { expect, vi } from "vitest";

import type { FrontOptions } from "../../../../src/front/types.js";
import * as certificate from "../certificate.js";
import { RawClient } from "../helpers.js";
import type { World } from "../helpers.js";
import { ScriptedWorker } from "./scripted-worker.js";
import type { Step } from "./scripted-worker.js";

/** What the client does: sends these bytes (latin1), waits for something, ends its half. */
type Act =
  | string
  | { readonly sees: string | RegExp }
  | { readonly workerSees: string | RegExp }
  | { readonly end: true };

/** See this file's header. */
export interface Row {
  readonly name: string;
  /** The section of an RFC (9110 unless it says otherwise), or the bug of other proxies, that it guards against. */
  readonly guards: string;
  readonly send: readonly Act[];
  readonly worker?: readonly Step[];
  readonly options?: Partial<FrontOptions>;
  /** All that the worker received; undefined: nothing ever. */
  readonly forwards: string | RegExp | undefined;
  /** All that the client received, without `Date` fields. */
  readonly gets: string | RegExp;
  /** Whether the front then closes the client's connection. */
  readonly closes?: boolean;
}

/** Nothing is timed here; this is for a machine that is busy. */
const DEADLINE_MS = 20_000;
vi.setConfig({ testTimeout: 30_000 });
const CRLF = "\r\n";

/** Lines, each with its end. */
export function lines(...list: readonly string[]): string {
  return list.map((line) => line + CRLF).join("");
}

/** A header: lines, and the empty one. */
export function head(...list: readonly string[]): string {
  return lines(...list, "");
}

/** The fields that the front adds for the process. */
export function hop(host: string): string[] {
  return [
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: http",
    `X-Forwarded-Host: ${host}`,
    `Forwarded: for=127.0.0.1;host="${host}";proto=http`,
  ];
}

/** A request's header as the process gets it, for Host x. */
export function passed(...list: readonly string[]): string {
  return head(...list, ...hop("x"), "Connection: keep-alive");
}

const TAGS = ["x-prefork-worker: 0", "x-prefork-generation: 1"];

/** An answer's header as the client gets it. */
export function relayed(...list: readonly string[]): string {
  return head(
    ...list,
    ...TAGS,
    "Connection: keep-alive",
    "Keep-Alive: timeout=330",
  );
}

/** The same, chunked by the front. */
export function relayedChunked(...list: readonly string[]): string {
  return head(
    ...list,
    ...TAGS,
    "Connection: keep-alive",
    "Keep-Alive: timeout=330",
    "Transfer-Encoding: chunked",
  );
}

/** The same, the last on its connection. */
export function relayedLast(...list: readonly string[]): string {
  return head(...list, ...TAGS, "Connection: close");
}

/** An answer of the front's own, which refuses: nothing of it may look like the app's. */
export function refused(status: number | string): RegExp {
  return new RegExp(
    `^HTTP/1\\.1 (?:${status}) (?:(?!x-prefork)[^])*\\r\\nConnection: close\\r\\n\\r\\nprefork-dev refused this request\\. [^]*\\n$`,
  );
}

/** Runs it, without TLS and with it: fails when either side received anything else. */
export async function run(world: World, row: Row): Promise<void> {
  await runOn(world, row, "http");
  await runOn(world, row, "https");
}

async function runOn(
  world: World,
  row: Row,
  protocol: "http" | "https",
): Promise<void> {
  const worker = new ScriptedWorker(row.worker);
  const isSecure = protocol === "https";
  const { front, port, process } = await world.simple(worker.server, {
    ...row.options,
    ...(isSecure ? { tls: certificate } : {}),
  });
  const alpn = isSecure ? "http/1.1" : undefined;
  const client = await RawClient.connect(port, alpn);
  const seen = (): string => client.text.replaceAll(/Date: [^\r]*\r\n/g, "");
  await within(
    async () => {
      for (const act of row.send) await perform(client, worker, act);
      await client.until(() =>
        row.closes === true ? client.ended : matches(seen(), row.gets),
      );
    },
    () =>
      `${protocol}, client: ${JSON.stringify(seen())}\nworker: ${JSON.stringify(worker.text)}`,
  );
  expectMatch(seen(), row.gets);
  client.socket.destroy();
  if (row.forwards === undefined) {
    // Whatever might still have been under way would come before this.
    const sentinel = await RawClient.connect(port, alpn);
    // A name that is always allowed.
    sentinel.send("GET /sentinel HTTP/1.1", "Host: localhost", "", "");
    await sentinel.sees("\r\n\r\n");
    sentinel.socket.destroy();
    expect(worker.text).toMatch(/^GET \/sentinel HTTP\/1\.1\r\n/);
  } else {
    const { forwards } = row;
    expectMatch(
      asWithoutTls(worker.text, protocol),
      typeof forwards === "string"
        ? asWithoutTls(forwards, protocol)
        : forwards,
    );
  }
  // Every lease is back.
  await front.drain(process.target.id);
}

/** What the process is told of TLS, taken back: the rows say what it gets without. */
function asWithoutTls(text: string, protocol: "http" | "https"): string {
  return protocol === "http"
    ? text
    : text
        .replaceAll(
          "X-Forwarded-Proto: https\r\n",
          "X-Forwarded-Proto: http\r\n",
        )
        .replaceAll(";proto=https\r\n", ";proto=http\r\n");
}

async function perform(
  client: RawClient,
  worker: ScriptedWorker,
  act: Act,
): Promise<void> {
  if (typeof act === "string") client.socket.write(act, "latin1");
  else if ("sees" in act) await client.sees(act.sees);
  else if ("workerSees" in act) await worker.sees(act.workerSees);
  else client.socket.end();
}

/** Waits for it, and says what was seen when it takes too long. */
async function within(
  what: () => Promise<void>,
  seen: () => string,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`nothing more came after this:\n${seen()}`));
    }, DEADLINE_MS);
  });
  try {
    await Promise.race([what(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function matches(text: string, what: string | RegExp): boolean {
  return typeof what === "string" ? text === what : what.test(text);
}

function expectMatch(text: string, what: string | RegExp): void {
  if (typeof what === "string") expect(text).toBe(what);
  else expect(text).toMatch(what);
}
