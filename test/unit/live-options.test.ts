/** Which of the manifest's server options take effect while the server runs, and what is said of the others. */
import { expect, test } from "vitest";
import { LiveOptions, liveOptions } from "../../src/live-options.js";
import { serverFields } from "../../src/manifest/server-fields.js";
import type { ServerConfig } from "../../src/manifest/server-config.js";
import { layered } from "../../src/option-layers.js";
import {
  resolveServerOptions,
  type ResolvedServerOptions,
  type ServerOptions,
} from "../../src/server-options.js";

interface Live {
  /** What was told to the parts, and to the developer. */
  readonly told: string[];
  /** The concurrency that the front could read each time that it was woken. */
  readonly woken: number[];
  readonly options: ResolvedServerOptions;
  /** The manifest is saved with these. */
  readonly save: (now: ServerConfig) => Promise<boolean>;
}

async function live(
  atStart: ServerConfig,
  given: ServerOptions = {},
  scaled: () => Promise<never> = () => new Promise(() => undefined),
): Promise<Live> {
  const told: string[] = [];
  const woken: number[] = [];
  const layers = { given, fallback: {} };
  const options = await resolveServerOptions(layered(layers, atStart));
  const followed = new LiveOptions({
    layers,
    options,
    atStart,
    parts: {
      master: {
        scale: (workers) => {
          told.push(`scale ${workers}`);
          return scaled();
        },
      },
      standbys: {
        clear: () => told.push("clear"),
        refill: () => told.push("refill"),
      },
      front: { wake: () => woken.push(options.concurrency) },
    },
    onWarning: (message) => told.push(message),
  });
  let before = atStart;
  return {
    told,
    woken,
    options,
    async save(now) {
      const isOther = await followed.follow(before, now);
      before = now;
      return isOther;
    },
  };
}

test("nothing happens when nothing has changed", async () => {
  const { told, save } = await live({ workers: 2, args: ["a"] });
  expect(await save({ args: ["a"], workers: 2 })).toBe(false);
  expect(told).toEqual([]);
});

test("workers: as many as the manifest says now, or by default", async () => {
  const { told, save } = await live({ workers: 1 });
  expect(await save({ workers: 7 })).toBe(false);
  expect(told).toEqual(["scale 7"]);
  await save({});
  const { workers } = await resolveServerOptions({});
  expect(told).toEqual(["scale 7", `scale ${workers}`]);
});

test("workers whose port can't be had: a warning that names the field", async () => {
  const { told, save } = await live({ workers: 1 }, {}, () =>
    Promise.reject(new Error("port 1 is taken")),
  );
  await save({ workers: 2 });
  await expect
    .poll(() => told)
    .toEqual(["scale 2", "server.workers of the manifest: port 1 is taken"]);
});

test("standbys: those there are go, new ones come", async () => {
  const { told, save, options } = await live({ standbys: 3 });
  await save({ standbys: 0 });
  expect(options.standbys).toBe(0);
  expect(told).toEqual(["clear", "refill"]);
});

test("variables: processes must be replaced for them, also beside the caller's own", async () => {
  const { save, options } = await live({}, { env: { A: "given" } });
  expect(await save({ env: { A: "m", B: "m" } })).toBe(true);
  expect(options.env).toEqual({ A: "given", B: "m" });
});

test("deadlines: in place, so that whoever holds them has them", async () => {
  const { told, save, options } = await live({});
  const { deadlines } = options;
  await save({ drainTimeoutMs: 7, commandTimeoutMs: 8, slowStartMs: 9 });
  expect(deadlines.drainTimeoutMs).toBe(7);
  expect(deadlines.bootTimeoutMs).toBe(30_000);
  expect(options).toMatchObject({ commandTimeoutMs: 8, slowStartMs: 9 });
  expect(told).toEqual([]);
});

test("what the front and drains go by: in place, and the front looks who can go on", async () => {
  const { told, woken, save, options } = await live({ concurrency: 1 });
  await save({
    ...{ concurrency: 3, maxHeld: 5, endStreams: false, maxDraining: 0 },
    allowedHosts: ["app.test"],
  });
  expect(options).toMatchObject({
    allowedHosts: ["app.test"],
    ...{ concurrency: 3, maxHeld: 5, endStreams: false, maxDraining: 0 },
  });
  expect(woken).toEqual([3]);
  await save({});
  expect(options).toMatchObject({
    allowedHosts: undefined,
    ...{ concurrency: 0, maxHeld: 1_000, endStreams: true, maxDraining: 8 },
  });
  expect(told).toEqual([]);
});

test("what the caller gave stays, without a word", async () => {
  const { told, save, options } = await live({}, { workers: 2, port: 1 });
  await save({ workers: 5, port: 5 });
  expect(told).toEqual([]);
  expect(options).toMatchObject({ workers: 2, port: 1 });
});

test("the others wait for a restart, which is said once; not when they are as at the start again", async () => {
  const { told, save, options } = await live({ port: 1, host: "127.0.0.1" });
  await save({ port: 2, hookTimeoutMs: 5 });
  expect(told).toEqual([
    "The manifest has changed server.port, server.host, server.hookTimeoutMs: stop the server and start it again for that to take effect.",
  ]);
  expect(options.port).toBe(1);
  expect(options.deadlines.hookTimeoutMs).toBe(5_000);
  await save({ port: 2, hookTimeoutMs: 5 });
  await save({ port: 1, host: "127.0.0.1" });
  expect(told).toHaveLength(1);
});

test("what can't be meant is an error, and nothing has changed", async () => {
  const { told, save, options } = await live({ workers: 1 });
  const host = "no.such.host.invalid";
  await expect(save({ workers: 2, standbys: 0, host })).rejects.toMatchObject({
    code: "ERR_PREFORK_OPTION",
  });
  expect(told).toEqual([]);
  expect(options.standbys).toBeUndefined();
});

test("every option is one that a manifest can give", () => {
  expect(Object.keys(serverFields)).toEqual(
    expect.arrayContaining([...liveOptions]),
  );
});
