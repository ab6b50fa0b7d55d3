import { describe, expect, test } from "vitest";
import {
  decideListen,
  parseListenArguments,
} from "../../../src/worker/listen-request.js";

describe("parseListenArguments reads every documented form of listen()", () => {
  const callback = (): void => undefined;
  test.each([
    [[3000], 3000, undefined],
    [["3000"], 3000, undefined],
    [[3000, callback], 3000, undefined],
    [[3000, "0.0.0.0", callback], 3000, "0.0.0.0"],
    [[3000, "0.0.0.0", 511, callback], 3000, "0.0.0.0"],
    [[3000, undefined, callback], 3000, undefined],
    [[{ port: 3000 }], 3000, undefined],
    [[{ port: "3000", host: "::1" }, callback], 3000, "::1"],
  ])("%j", (args, port, host) => {
    expect(parseListenArguments(args)).toMatchObject({ port, host });
  });

  test("the callback is found wherever it stands", () => {
    expect(parseListenArguments([3000, callback])?.callback).toBe(callback);
    expect(parseListenArguments([3000, "::", 5, callback])?.callback).toBe(
      callback,
    );
    expect(parseListenArguments([{ port: 1 }, callback])?.callback).toBe(
      callback,
    );
    expect(parseListenArguments([3000])?.callback).toBeUndefined();
  });

  test("an abort signal is kept", () => {
    const { signal } = new AbortController();
    expect(parseListenArguments([{ port: 80, signal }])?.signal).toBe(signal);
  });

  test.each([
    [[]],
    [[callback]],
    [[0]],
    [["0"]],
    [[{ port: 0 }]],
    [["/tmp/app.sock"]],
    [[{ path: "/tmp/app.sock" }]],
    [[{ fd: 3 }]],
    [[{ _handle: {} }]],
    [[70_000]],
    [[-1]],
    [[null]],
  ])("passes through to Node: %j", (args) => {
    expect(parseListenArguments(args)).toBeUndefined();
  });
});

describe("decideListen", () => {
  test("the first server is adopted, whatever port it asked for", () => {
    expect(decideListen(8080, undefined, 2)).toBe("adopt");
  });
  test("the same port again is an alias", () => {
    expect(decideListen(8080, 8080, 0)).toBe("alias");
  });
  test("another port goes to worker 0 alone", () => {
    expect(decideListen(9090, 8080, 0)).toBe("share");
    expect(decideListen(9090, 8080, 1)).toBe("stand-in");
  });
});
