/**
 * Request smuggling: whatever the bytes, each request that the worker reads is exactly one that the front passed on and
 * answered, and what can't be that is refused, with the connection. Both ends are compared, request by request.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RawClient, World } from "../helpers.js";
import { mutations } from "./mutations.js";
import type { Mutation } from "./mutations.js";
import { StrictWorker, readMessage } from "./strict-worker.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

/** What never becomes a whole request is given up after this, so that each connection ends. */
const TIMEOUT_MS = 100;
const AT_ONCE = 40;

/** What a client received: the bodies of the worker's answers, and the status of the refusal behind them. */
interface Outcome {
  readonly answers: string[];
  readonly refusal: number | undefined;
  /** Whether the last answer said that it is the last. */
  readonly isAnnounced: boolean;
}

function outcomeOf(text: string): Outcome {
  const answers: string[] = [];
  let isAnnounced = false;
  let rest = text;
  while (rest !== "") {
    const answer = readMessage(rest, /^HTTP\/1\.1 \d{3} /);
    if (answer === undefined) throw new Error(`half an answer: ${rest}`);
    rest = rest.slice(answer.length);
    const status = Number(answer.line.split(" ")[1]);
    isAnnounced = answer.fields.some(
      ([name, value]) => name === "connection" && value === "close",
    );
    if (answer.fields.some(([name]) => name === "x-prefork-worker")) {
      answers.push(answer.body);
      continue;
    }
    if (status === 100) continue;
    if (rest !== "") throw new Error(`more behind a refusal: ${rest}`);
    return { answers, refusal: status, isAnnounced };
  }
  return { answers, refusal: undefined, isAnnounced };
}

async function send(port: number, mutation: Mutation): Promise<string> {
  const client = await RawClient.connect(port);
  client.socket.write(mutation.bytes, "latin1");
  const text = await client.closed();
  if (client.error !== undefined)
    throw new Error(`${mutation.name}: ${client.error.message}`);
  return text;
}

describe("request smuggling", () => {
  const all = mutations();

  it("is tried in several hundred ways", () => {
    expect(all.length).toBeGreaterThan(500);
  });

  it("finds no way", { timeout: 60_000 }, async () => {
    const worker = new StrictWorker();
    const { front, port } = await world.simple(worker.server, {
      headersTimeoutMs: TIMEOUT_MS,
      bodyTimeoutMs: TIMEOUT_MS,
    });
    let answered = 0;
    let refused = 0;
    for (let i = 0; i < all.length; i += AT_ONCE) {
      const batch = all.slice(i, i + AT_ONCE);
      const texts = await Promise.all(batch.map((each) => send(port, each)));
      for (const [j, mutation] of batch.entries()) {
        const tag = `/m${i + j}-/`;
        const outcome = outcomeOf(texts[j] ?? "");
        const read = worker.requests.filter(({ target }) =>
          target.includes(tag),
        );
        // Each request that the worker read was answered, to this client, in this order; and no other answer was given.
        expect(outcome.answers, mutation.name).toEqual(
          read.map(({ serial, target }) => `${serial} ${target}`),
        );
        expect(outcome.isAnnounced, mutation.name).toBe(true);
        if (outcome.refusal !== undefined) {
          expect([400, 405, 408, 413, 431, 501, 505], mutation.name).toContain(
            outcome.refusal,
          );
          refused++;
        }
        answered += outcome.answers.length;
      }
    }
    expect(worker.faults).toEqual([]);
    expect(worker.requests).toHaveLength(answered);
    expect(front.stats().retries).toBe(0);
    expect(front.stats().requests).toBeGreaterThanOrEqual(answered);
    // Not because everything is refused, nor because nothing is.
    expect(refused).toBeGreaterThan(200);
    expect(answered).toBeGreaterThan(100);
  });
});
