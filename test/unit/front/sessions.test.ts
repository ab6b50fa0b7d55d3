/** Sessions of engine.io's polling stay with the process that opened them, as long as it gets requests. */
import { afterEach, beforeEach, expect, it } from "vitest";

import type { Listener } from "./helpers.js";
import { World, ask, signal } from "./helpers.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

/** Opens sessions as engine.io does, and says who is asked. */
const app =
  (name: string, before: Promise<void> = Promise.resolve()): Listener =>
  async (request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://x");
    if (searchParams.has("EIO") && !searchParams.has("sid")) {
      response.end(`0{"sid":"${name}-_1","upgrades":["websocket"]}`);
      return;
    }
    if (searchParams.has("slow")) await before;
    response.end(name);
  };

const OPEN = "/socket.io/?EIO=4&transport=polling";

async function opened(url: string): Promise<[sid: string, home: string]> {
  const { text } = await ask(url + OPEN);
  const sid = /"sid":"([^"]+)"/.exec(text)?.[1] ?? "";
  return [sid, sid.slice(0, 1)];
}

it("each request of a session goes to its process, others to all", async () => {
  const { front, url } = await world.front();
  for (const [worker, name] of ["a", "b", "c"].entries())
    front.admit((await world.process(app(name), { worker })).target);
  const asked = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const [sid, home] = await opened(url);
    for (let i = 0; i < 5; i++)
      expect((await ask(`${url}${OPEN}&sid=${sid}`)).text).toBe(home);
    // No session of engine.io's: any process will do.
    for (let i = 0; i < 3; i++)
      asked.add((await ask(`${url}/page?sid=${sid}`)).text);
    expect((await ask(`${url}${OPEN}&sid=unknown`)).text).toMatch(/^[abc]$/);
  }
  expect(asked).toEqual(new Set(["a", "b", "c"]));
});

it("a replaced process isn't asked any more, nor one of an older generation", async () => {
  const { front, url } = await world.front();
  const old = await world.process(app("a"), { worker: 0 });
  const other = await world.process(app("b"), { worker: 1 });
  front.admit(old.target);
  const [sid, home] = await opened(url);
  expect(home).toBe("a");
  front.admit(other.target);
  // The first new one takes the place of the other: from here on no old code answers.
  const next = await world.process(app("c"), { worker: 1, generation: 2 });
  front.admit(next.target, other.target.id);
  expect((await ask(`${url}${OPEN}&sid=${sid}`)).text).toBe("c");
  const last = await world.process(app("d"), { worker: 0, generation: 2 });
  front.admit(last.target, old.target.id);
  expect((await ask(`${url}${OPEN}&sid=${sid}`)).text).toMatch(/^[cd]$/);
});

it("a request waits for its process when that has its hands full", async () => {
  const go = signal();
  const { front, url } = await world.front({ concurrency: 1 });
  const home = await world.process(app("a", go.promise), { worker: 0 });
  front.admit(home.target);
  const [sid] = await opened(url);
  const other = await world.process(app("b"), { worker: 1 });
  front.admit(other.target);
  const begun = signal();
  home.server.once("request", () => begun.resolve());
  const slow = ask(`${url}${OPEN}&sid=${sid}&slow`);
  await begun.promise;
  const waiting = ask(`${url}${OPEN}&sid=${sid}`);
  while (front.stats().held === 0)
    expect((await ask(`${url}/page`)).text).toBe("b");
  go.resolve();
  expect([(await slow).text, (await waiting).text]).toEqual(["a", "a"]);
});
