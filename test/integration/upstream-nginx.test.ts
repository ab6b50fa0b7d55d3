/** A real nginx in front of servers that come and go. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { UpstreamKeeper } from "../../src/upstream/keep-in-step.js";
import { nginxUpstream } from "../../src/upstream/nginx.js";
import type { NginxUpstreamOptions } from "../../src/upstream/nginx.js";
import { startBackends } from "./helpers/backends.js";
import { makeNginx } from "./helpers/nginx.js";
import type { TestNginx } from "./helpers/nginx.js";
import { isMissing } from "./helpers/programs.js";
import {
  lostBeyondReloads,
  scaleUnderLoad,
} from "./helpers/scale-under-load.js";
import { get } from "./helpers/session.js";

function keeperOf(
  nginx: TestNginx,
  options: Partial<NginxUpstreamOptions> = {},
): { keeper: UpstreamKeeper; warnings: string[] } {
  const warnings: string[] = [];
  const keeper = new UpstreamKeeper({
    upstream: nginxUpstream({ ...nginx.options, ...options }),
    onWarning: (message) => warnings.push(message),
    // The machine may be busy.
    confirmTimeoutMs: 30_000,
  });
  onTestFinished(() => keeper.close());
  return { keeper, warnings };
}

/** An nginx that runs with these servers. */
async function running(
  options?: Parameters<typeof makeNginx>[0],
): Promise<TestNginx> {
  const nginx = await makeNginx(options);
  writeFileSync(nginx.options.file, "upstream app { server 127.0.0.1:1; }\n");
  await nginx.start();
  return nginx;
}

describe.skipIf(isMissing("nginx"))("nginx", () => {
  test("2 -> 6 -> 1 -> 3 under load, with ports that refuse once a server has left: nothing is lost", async () => {
    // No second try at another server: one request to a server that has left is one that is lost.
    const nginx = await running({ location: "proxy_next_upstream off;" });
    const { keeper, warnings } = keeperOf(nginx);
    const report = await scaleUnderLoad(
      nginx.port,
      keeper,
      await startBackends(6),
      async () => (await startBackends(3)).slice(1),
    );
    expect(lostBeyondReloads(report)).toEqual([]);
    expect(report.requests).toBeGreaterThan(100);
    expect(warnings).toEqual([]);
  });

  test("without any server it answers 502, and goes on when there is one", async () => {
    const nginx = await running();
    const [backend] = await startBackends(1);
    const { keeper } = keeperOf(nginx);
    expect(await keeper.set([])).toBe(true);
    expect((await get(nginx.port)).status).toBe(502);
    expect(await keeper.set(backend === undefined ? [] : [backend])).toBe(true);
    expect((await get(nginx.port)).text).toBe("worker 0");
  });

  test("down at the start: told once, and in step when it comes up", async () => {
    const nginx = await makeNginx();
    const [backend] = await startBackends(1);
    const { keeper, warnings } = keeperOf(nginx);
    const confirmed = keeper.set(backend === undefined ? [] : [backend]);
    await vi.waitFor(
      () => expect(keeper.status().failures).toBeGreaterThan(1),
      {
        timeout: 10_000,
      },
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("is nginx running");
    await nginx.start();
    // It has read the file by itself.
    expect((await get(nginx.port)).text).toBe("worker 0");
    expect(await confirmed).toBe(true);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("in step again");
  });

  test("killed and started again: it has the newest servers", async () => {
    const nginx = await running();
    const backends = await startBackends(2);
    const { keeper, warnings } = keeperOf(nginx);
    expect(await keeper.set(backends.slice(0, 1))).toBe(true);
    await nginx.kill();
    const confirmed = keeper.set(backends.slice(1));
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    await nginx.start();
    expect((await get(nginx.port)).text).toBe("worker 1");
    expect(await confirmed).toBe(true);
    expect(keeper.status().state).toBe("in-step");
  });

  test("a configuration that it refuses: the old file is back, it serves on, and all is well once that is mended", async () => {
    const nginx = await running();
    const backends = await startBackends(2);
    const { keeper, warnings } = keeperOf(nginx);
    expect(await keeper.set(backends.slice(0, 1))).toBe(true);
    const before = readFileSync(nginx.options.file, "utf8");
    writeFileSync(nginx.config, `${nginx.configText}\nnonsense on;\n`);
    const confirmed = keeper.set(backends);
    await vi.waitFor(
      () => expect(keeper.status().failures).toBeGreaterThan(1),
      {
        timeout: 10_000,
      },
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('unknown directive "nonsense"');
    // Between two tries.
    await vi.waitFor(() =>
      expect(readFileSync(nginx.options.file, "utf8")).toBe(before),
    );
    expect((await get(nginx.port)).text).toBe("worker 0");
    writeFileSync(nginx.config, nginx.configText);
    expect(await confirmed).toBe(true);
    expect(readFileSync(nginx.options.file, "utf8")).toContain(
      String(backends[1]?.port),
    );
    expect(warnings).toHaveLength(2);
  });

  test("a reload that has no effect isn't confirmed", async () => {
    const nginx = await running();
    const [backend] = await startBackends(1);
    const { keeper, warnings } = keeperOf(nginx, {
      reload: [process.execPath, "-e", "0"],
      reloadTimeoutMs: 300,
    });
    const confirmed = keeper.set(backend === undefined ? [] : [backend]);
    await vi.waitFor(() => expect(warnings).toHaveLength(1), {
      timeout: 10_000,
    });
    expect(warnings[0]).toContain("still accept requests");
    await keeper.close();
    expect(await confirmed).toBe(false);
  });

  test("a stream through an old process stays, and keeps nobody waiting", async () => {
    const nginx = await running({ location: "proxy_buffering off;" });
    const backends = await startBackends(2);
    const { keeper } = keeperOf(nginx, { finishMs: 200 });
    expect(await keeper.set(backends.slice(0, 1))).toBe(true);
    const stream = await new Promise<http.IncomingMessage>(
      (resolve, reject) => {
        http
          .get(
            {
              port: nginx.port,
              host: "127.0.0.1",
              path: "/stream",
              agent: false,
            },
            resolve,
          )
          .once("error", reject);
      },
    );
    let ended = false;
    stream.on("error", () => (ended = true)).on("close", () => (ended = true));
    stream.resume();
    expect(await keeper.set(backends.slice(1))).toBe(true);
    expect((await get(nginx.port)).text).toBe("worker 1");
    expect(ended).toBe(false);
    stream.destroy();
  });

  test("a request that an old process has begun to read is waited for, since it goes by the old configuration", async () => {
    const nginx = await running({ location: "proxy_next_upstream off;" });
    const backends = await startBackends(2);
    const { keeper } = keeperOf(nginx, { finishMs: 25_000 });
    expect(await keeper.set(backends.slice(0, 1))).toBe(true);
    const upload = http.request({
      port: nginx.port,
      host: "127.0.0.1",
      method: "POST",
      agent: false,
      headers: { "content-length": 4, expect: "100-continue" },
    });
    upload.flushHeaders();
    // Now nginx reads the body; it connects to a server when it has all of it.
    await once(upload, "continue");
    const before = nginx.log().length;
    let isConfirmed = false;
    const confirmed = keeper.set(backends.slice(1)).then((value) => {
      isConfirmed = true;
      return value;
    });
    await vi.waitFor(
      () =>
        expect(nginx.log().slice(before)).toContain("gracefully shutting down"),
      { timeout: 10_000 },
    );
    for (let request = 0; request < 30; request++)
      expect((await get(nginx.port)).text).toBe("worker 1");
    expect(isConfirmed).toBe(false);
    upload.end("body");
    const [response] = (await once(upload, "response")) as [
      http.IncomingMessage,
    ];
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(response.headers["x-prefork-worker"]).toBe("0");
    expect(await confirmed).toBe(true);
  });

  test("several changes at once become few reloads, and the last one counts", async () => {
    const nginx = await running();
    const backends = await startBackends(6);
    const { keeper } = keeperOf(nginx);
    expect(await keeper.set([])).toBe(true);
    const before = reloads(nginx);
    const all = [1, 2, 3, 4, 5, 6].map((count) =>
      keeper.set(backends.slice(0, count)),
    );
    expect(await Promise.all(all)).toEqual(Array(6).fill(true));
    expect(reloads(nginx) - before).toBeLessThanOrEqual(2);
    expect(readFileSync(nginx.options.file, "utf8")).toContain("# worker 5");
  });
});

/** How often it was told to reload. */
function reloads(nginx: TestNginx): number {
  return nginx.log().split("reconfiguring").length - 1;
}
