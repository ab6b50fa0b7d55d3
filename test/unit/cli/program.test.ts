/** What of the command line is said, and what is left to the manifest. */
import { afterEach, expect, test, vi } from "vitest";
import { choosePort, parseCommandLine } from "../../../src/cli/program.js";
import type { Flags } from "../../../src/cli/program.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

const flagsOf = (...argv: string[]): Flags | undefined =>
  parseCommandLine(argv, "0")?.flags;

test("flags that weren't given say nothing", () => {
  expect(flagsOf()).toEqual({ watch: true });
  expect(parseCommandLine([], "0")?.target).toBe(".");
});

test.each([
  [["--no-front"], { front: false }],
  [["--front"], { front: true }],
  [["--host", "::1"], { host: "::1" }],
  [["--consistency", "fresh"], { consistency: "fresh" }],
  [["--workers", "3", "--standby", "0"], { workers: 3, standby: 0 }],
  [["--concurrency", "1"], { concurrency: 1 }],
  [
    ["--allowed-host", "app.test", "--allowed-host", ".b.test"],
    { allowedHost: ["app.test", ".b.test"] },
  ],
])("%j is said", (argv, flags) => {
  expect(flagsOf(...argv)).toEqual({ watch: true, ...flags });
});

test("the port of the environment wins over that of the env file, and 3000 is the last", () => {
  vi.stubEnv("PORT", undefined);
  expect(choosePort(undefined)).toBe(3000);
  expect(choosePort("4000")).toBe(4000);
  vi.stubEnv("PORT", "5000");
  expect(choosePort("4000")).toBe(5000);
  vi.stubEnv("PORT", "many");
  expect(() => choosePort(undefined)).toThrow(/PORT is "many": give/);
});
