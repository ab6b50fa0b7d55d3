import { describe, expect, test } from "vitest";
import { resolveServerOptions } from "../../src/server-options.js";
import type { ServerOptions } from "../../src/server-options.js";

describe("options of the server", () => {
  test("every default is filled in", async () => {
    const resolved = await resolveServerOptions({});
    expect(resolved).toMatchObject({
      port: 3000,
      host: "127.0.0.1",
      front: true,
      consistency: "fresh",
      deadlines: {
        bootTimeoutMs: 30_000,
        drainTimeoutMs: 10_000,
        stopTimeoutMs: 5_000,
        lingerMs: 1_000,
        hookTimeoutMs: 5_000,
      },
      holdTimeoutMs: 30_000,
      freshTimeoutMs: 10_000,
      concurrency: 0,
      maxHeld: 1_000,
      endStreams: true,
      maxDraining: 8,
    });
    expect(resolved.workers).toBeGreaterThanOrEqual(2);
    expect(resolved.workers).toBeLessThanOrEqual(4);
  });

  test.each<[ServerOptions, RegExp]>([
    [{ port: 70_000 }, /port is 70000: give a whole number from 0 to 65535/],
    [{ port: 1.5 }, /port is 1.5/],
    [{ workers: 0 }, /workers is 0: give a whole number from 1/],
    [{ bootTimeoutMs: -1 }, /bootTimeoutMs is -1/],
    [{ concurrency: -1 }, /concurrency is -1: give a whole number from 0/],
    [{ key: "k.pem" }, /key is "k.pem", and there is no cert: give both/],
    [{ https: true, front: false }, /https is the front's, and front is false/],
    [{ stopTimeoutMs: Number.NaN }, /stopTimeoutMs is NaN/],
    [
      { allowedHosts: ["http://app.test:80"] },
      /allowedHosts is \["http:\/\/app.test:80"\]. It must be a list of host names/,
    ],
  ])(
    "%j is refused with its name, the value and what is allowed",
    async (options, message) => {
      await expect(resolveServerOptions(options)).rejects.toMatchObject({
        code: "ERR_PREFORK_OPTION",
        message: expect.stringMatching(message) as string,
      });
    },
  );

  test("a host name becomes the address to bind", async () => {
    expect((await resolveServerOptions({ host: "localhost" })).host).toBe(
      "127.0.0.1",
    );
    expect((await resolveServerOptions({ host: "::1" })).host).toBe("::1");
  });

  test.each([
    [undefined, "::1", []],
    ["localhost", "::1", ["localhost"]],
    ["127.0.0.1", undefined, []],
    ["::1", undefined, []],
  ])("host %j: also on %j, names %j", async (host, twinHost, ownNames) => {
    const options = host === undefined ? {} : { host };
    expect(await resolveServerOptions(options)).toMatchObject({
      ...{ host: host === "::1" ? "::1" : "127.0.0.1" },
      ...{ twinHost, ownNames, allowedHosts: undefined },
    });
  });
});
