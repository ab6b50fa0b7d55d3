/** A real HAProxy in front of servers that come and go. */
import { readFileSync } from "node:fs";
import http from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { haproxyUpstream } from "../../src/upstream/haproxy.js";
import type { HaproxyUpstreamOptions } from "../../src/upstream/haproxy.js";
import { UpstreamKeeper } from "../../src/upstream/keep-in-step.js";
import { startBackends } from "./helpers/backends.js";
import { makeHaproxy } from "./helpers/haproxy.js";
import type { TestHaproxy, TestHaproxyOptions } from "./helpers/haproxy.js";
import { isMissing } from "./helpers/programs.js";
import { scaleUnderLoad } from "./helpers/scale-under-load.js";
import { get } from "./helpers/session.js";

function keeperOf(
  haproxy: TestHaproxy,
  options: Partial<HaproxyUpstreamOptions> = {},
): { keeper: UpstreamKeeper; warnings: string[] } {
  const warnings: string[] = [];
  const keeper = new UpstreamKeeper({
    upstream: haproxyUpstream({ ...haproxy.options, ...options }),
    onWarning: (message) => warnings.push(message),
    // The machine may be busy.
    confirmTimeoutMs: 30_000,
  });
  onTestFinished(() => keeper.close());
  return { keeper, warnings };
}

async function running(options?: TestHaproxyOptions): Promise<TestHaproxy> {
  const haproxy = await makeHaproxy(options);
  await haproxy.start();
  return haproxy;
}

/** The names of the servers that it has. */
async function names(haproxy: TestHaproxy): Promise<string[]> {
  const state = await haproxy.ask("show servers state app");
  return [...state.matchAll(/ (worker-\d+)_/g)].map(([, name = ""]) => name);
}

describe.skipIf(isMissing("haproxy"))("HAProxy", () => {
  test("2 -> 6 -> 1 -> 3 under load, with ports that refuse once a server has left: nothing is lost", async () => {
    const haproxy = await running();
    const { keeper, warnings } = keeperOf(haproxy);
    const { lost, requests } = await scaleUnderLoad(
      haproxy.port,
      keeper,
      await startBackends(6),
      async () => (await startBackends(3)).slice(1),
    );
    expect(lost).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    expect(warnings).toEqual([]);
    // Those that left are deleted, at the latest at the second look after their last connection has ended.
    await vi.waitFor(
      async () =>
        expect(await names(haproxy)).toEqual([
          "worker-0",
          "worker-1",
          "worker-2",
        ]),
      { timeout: 20_000, interval: 100 },
    );
  });

  test("without any server it answers 503, and goes on when there is one", async () => {
    const haproxy = await running();
    const backends = await startBackends(1);
    const { keeper } = keeperOf(haproxy);
    expect(await keeper.set([])).toBe(true);
    expect((await get(haproxy.port)).status).toBe(503);
    expect(await keeper.set(backends)).toBe(true);
    expect((await get(haproxy.port)).text).toBe("worker 0");
    expect(await keeper.set([])).toBe(true);
    expect((await get(haproxy.port)).status).toBe(503);
  });

  test("a server with a connection is left alone and stays until that has ended", async () => {
    const haproxy = await running();
    const backends = await startBackends(2);
    const { keeper, warnings } = keeperOf(haproxy, { recheckMs: 100 });
    expect(await keeper.set(backends.slice(0, 1))).toBe(true);
    const stream = await new Promise<http.IncomingMessage>(
      (resolve, reject) => {
        http
          .get(
            {
              port: haproxy.port,
              host: "127.0.0.1",
              path: "/stream",
              agent: false,
            },
            resolve,
          )
          .once("error", reject);
      },
    );
    stream.on("error", () => undefined).resume();
    expect(await keeper.set(backends.slice(1))).toBe(true);
    expect((await get(haproxy.port)).text).toBe("worker 1");
    expect(await names(haproxy)).toEqual(["worker-0", "worker-1"]);
    expect(stream.destroyed).toBe(false);
    // Back, while it drains: the same server again.
    expect(await keeper.set(backends)).toBe(true);
    expect(await names(haproxy)).toEqual(["worker-0", "worker-1"]);
    expect(await keeper.set(backends.slice(1))).toBe(true);
    stream.destroy();
    await vi.waitFor(
      async () => expect(await names(haproxy)).toEqual(["worker-1"]),
      { timeout: 20_000 },
    );
    expect(warnings).toEqual([]);
  });

  test("down at the start: told once, and in step when it comes up", async () => {
    const haproxy = await makeHaproxy();
    const backends = await startBackends(1);
    const { keeper, warnings } = keeperOf(haproxy);
    const confirmed = keeper.set(backends);
    await vi.waitFor(
      () => expect(keeper.status().failures).toBeGreaterThan(1),
      { timeout: 10_000 },
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("is HAProxy running");
    await haproxy.start();
    expect(await confirmed).toBe(true);
    expect((await get(haproxy.port)).text).toBe("worker 0");
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("in step again");
  });

  test("hanging: told, and confirmed when it goes on", async () => {
    const haproxy = await running();
    const backends = await startBackends(2);
    const { keeper, warnings } = keeperOf(haproxy, { timeoutMs: 200 });
    expect(await keeper.set(backends)).toBe(true);
    haproxy.signal("SIGSTOP");
    const confirmed = keeper.set(backends.slice(1));
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    expect(warnings[0]).toContain("did not answer");
    haproxy.signal("SIGCONT");
    expect(await confirmed).toBe(true);
    for (let request = 0; request < 4; request++)
      expect((await get(haproxy.port)).text).toBe("worker 1");
  });

  test("killed and started again without a file: it has the workers back by itself", async () => {
    const haproxy = await running();
    const backends = await startBackends(2);
    const { keeper } = keeperOf(haproxy, { recheckMs: 100 });
    expect(await keeper.set(backends)).toBe(true);
    await haproxy.kill();
    await haproxy.start();
    await vi.waitFor(
      async () => {
        expect(await names(haproxy)).toEqual(["worker-0", "worker-1"]);
        expect((await get(haproxy.port)).status).toBe(200);
      },
      { timeout: 10_000 },
    );
  });

  test("killed and started again with its file: it has the newest workers at once, and they can be removed", async () => {
    const haproxy = await makeHaproxy({ backend: false });
    const backends = await startBackends(3);
    const { keeper, warnings } = keeperOf(haproxy, { recheckMs: 100 });
    // The file has to be there before HAProxy can start.
    const first = keeper.set(backends.slice(0, 2));
    await vi.waitFor(
      () => expect(keeper.status().failures).toBeGreaterThan(0),
      { timeout: 10_000 },
    );
    await haproxy.start();
    expect((await get(haproxy.port)).status).toBe(200);
    expect(await first).toBe(true);
    expect(await keeper.set(backends)).toBe(true);
    await keeper.close();
    await haproxy.kill();
    await haproxy.start();
    // Nobody but the file could have told it.
    expect(await names(haproxy)).toEqual(["worker-0", "worker-1", "worker-2"]);
    const texts = new Set<string>();
    for (let request = 0; request < 6; request++)
      texts.add((await get(haproxy.port)).text);
    expect([...texts].sort()).toEqual(["worker 0", "worker 1", "worker 2"]);

    const next = keeperOf(haproxy, { recheckMs: 100 });
    expect(await next.keeper.set(backends.slice(0, 1))).toBe(true);
    expect((await get(haproxy.port)).text).toBe("worker 0");
    await vi.waitFor(
      async () => expect(await names(haproxy)).toEqual(["worker-0"]),
      { timeout: 20_000 },
    );
    expect(next.warnings).toEqual([]);
    expect(warnings).toHaveLength(2);
  });

  test("a file that it refuses: the old one is back, and the running one has the workers all the same", async () => {
    const haproxy = await makeHaproxy({ backend: false });
    const backends = await startBackends(2);
    const { keeper: good } = keeperOf(haproxy);
    void good.set(backends.slice(0, 1));
    await vi.waitFor(() => expect(good.status().failures).toBeGreaterThan(0), {
      timeout: 10_000,
    });
    await haproxy.start();
    await good.close();
    const file = haproxy.options.configFile ?? "";
    const before = readFileSync(file, "utf8");
    const { keeper, warnings } = keeperOf(haproxy, {
      settings: ["balance roundrobin", "nonsense on"],
    });
    void keeper.set(backends);
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    expect(warnings[0]).toContain("nonsense");
    await vi.waitFor(() => expect(readFileSync(file, "utf8")).toBe(before));
    expect(await names(haproxy)).toEqual(["worker-0", "worker-1"]);
  });

  test.each<[string, TestHaproxyOptions, string]>([
    [
      "a backend whose algorithm takes no new servers",
      { backend: ["balance static-rr"] },
      "balance roundrobin",
    ],
    ["a socket that may only look", { level: "operator" }, "level admin"],
  ])("%s: the remedy is told", async (_what, options, remedy) => {
    const haproxy = await running(options);
    const { keeper, warnings } = keeperOf(haproxy);
    void keeper.set(await startBackends(1));
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    expect(warnings[0]).toContain(remedy);
  });

  test("a backend that isn't there: the remedy is told", async () => {
    const haproxy = await running();
    const { keeper, warnings } = keeperOf(haproxy, { backend: "other" });
    void keeper.set(await startBackends(1));
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    expect(warnings[0]).toContain('a backend "other"');
  });

  test("servers of others, and parameters with a health check", async () => {
    const haproxy = await running({
      backend: ["balance roundrobin", "server sorry 127.0.0.1:1 backup"],
    });
    const { keeper } = keeperOf(haproxy, {
      parameters: "check inter 100 weight 10",
    });
    expect(await keeper.set(await startBackends(1))).toBe(true);
    expect((await get(haproxy.port)).text).toBe("worker 0");
    await vi.waitFor(
      async () =>
        expect(await haproxy.ask("show stat")).toMatch(/worker-0_.*L4OK/),
      { timeout: 10_000 },
    );
    expect(await keeper.set([])).toBe(true);
    const state = await haproxy.ask("show servers state app");
    expect(state).toContain(" sorry ");
  });
});
