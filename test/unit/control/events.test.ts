import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import net from "node:net";
import { onTestFinished, expect, it } from "vitest";
import { ControlClient } from "../../../src/control/control-client.js";
import type { ControlEvent } from "../../../src/control/types.js";
import { deferred, openSocket } from "./harness.js";

/** What tells of events, and how many listen to it. */
class Source {
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  readonly #waiting: { readonly size: number; readonly resolve: () => void }[] =
    [];

  readonly subscribe = (
    listener: (event: ControlEvent) => void,
  ): (() => void) => {
    this.#listeners.add(listener);
    this.#changed();
    return () => {
      this.#listeners.delete(listener);
      this.#changed();
    };
  };

  tell(event: ControlEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Fulfils when so many listen. */
  async until(size: number): Promise<void> {
    if (this.#listeners.size === size) return;
    const { promise, resolve } = deferred();
    this.#waiting.push({ size, resolve });
    await promise;
  }

  #changed(): void {
    for (const { size, resolve } of this.#waiting)
      if (size === this.#listeners.size) resolve();
  }
}

async function openStream(socketPath: string): Promise<IncomingMessage> {
  const asking = http.get({ socketPath, path: "/events", agent: false });
  onTestFinished(() => {
    asking.destroy();
  });
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}

it("events come in order, to every reader, from the headers on, until the server closes", async () => {
  const source = new Source();
  const { path, control } = await openSocket({ subscribe: source.subscribe });
  const client = new ControlClient(path);
  const streams = [await client.events(), await client.events()];
  const raw = await openStream(path);
  expect(raw.headers["content-type"]).toContain("application/x-ndjson");
  const sent = Array.from({ length: 100 }, (_, index) => ({
    type: "tick",
    index,
    text: "ä\n\u2028".repeat(index),
  }));
  for (const event of sent) source.tell(event);
  const reading = streams.map(async (stream) => {
    const got: ControlEvent[] = [];
    for await (const event of stream) got.push(event);
    return got;
  });
  raw.setEncoding("utf8");
  const lines = (async () => {
    let text = "";
    for await (const chunk of raw) text += String(chunk);
    return text.trimEnd().split("\n");
  })();
  await control.close();
  expect(await Promise.all(reading)).toEqual([sent, sent]);
  expect((await lines).map((line) => JSON.parse(line) as ControlEvent)).toEqual(
    sent,
  );
  expect(source.size).toBe(0);
});

it("a reader that leaves is forgotten", async () => {
  const source = new Source();
  const { path } = await openSocket({ subscribe: source.subscribe });
  const events = await new ControlClient(path).events();
  const gone = await new ControlClient(path).events();
  // It was never begun to be read.
  await gone.return?.();
  await source.until(1);
  source.tell({ type: "one" });
  for await (const event of events) {
    expect(event).toEqual({ type: "one" });
    break;
  }
  await source.until(0);
});

it("an event that isn't JSON is told to the server, and the stream goes on", async () => {
  const source = new Source();
  const { path, errors } = await openSocket({ subscribe: source.subscribe });
  const events = await new ControlClient(path).events();
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  source.tell({ type: "odd", circle });
  source.tell({ type: "fine" });
  expect(await events.next()).toEqual({ done: false, value: { type: "fine" } });
  expect(errors).toHaveLength(1);
  await events.return?.();
});

it("a reader that doesn't read is dropped when it's 1 MiB behind, and nobody else", async () => {
  const source = new Source();
  const { path } = await openSocket({ subscribe: source.subscribe });
  const slow = net.connect({ path });
  onTestFinished(() => {
    slow.destroy();
  });
  slow.on("error", () => undefined);
  slow.write("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  await source.until(1);
  const events = await new ControlClient(path).events();
  const text = "x".repeat(65_536);
  const dropped = source.until(1);
  let told = 0;
  for (; source.size === 2 && told < 1_000; told++) {
    source.tell({ type: "big", told, text });
    // The other one takes each before the next comes.
    const { value } = (await events.next()) as { value: ControlEvent };
    expect(value["told"]).toBe(told);
  }
  await dropped;
  // 1 MiB, and what the system holds for a socket.
  expect(told).toBeGreaterThan(16);
  expect(told).toBeLessThan(100);
  source.tell({ type: "last" });
  expect(await events.next()).toEqual({ done: false, value: { type: "last" } });
  await events.return?.();
});

it("closing doesn't wait for a reader that doesn't read", async () => {
  const source = new Source();
  const { path, control } = await openSocket({ subscribe: source.subscribe });
  const slow = net.connect({ path });
  onTestFinished(() => {
    slow.destroy();
  });
  slow.on("error", () => undefined);
  slow.write("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  await source.until(1);
  for (let index = 0; index < 12; index++)
    source.tell({ type: "big", text: "x".repeat(65_536) });
  await control.close();
  expect(source.size).toBe(0);
});
