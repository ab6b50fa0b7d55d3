import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import {
  controlDirectory,
  controlSocketPath,
  isSocketOf,
  LONGEST_PATH_BYTES,
  searchedDirectories,
} from "../../../src/control/control-path.js";
import type { Surroundings } from "../../../src/control/control-path.js";
import { temporaryDirectory } from "./harness.js";

const uid = process.getuid?.();

function place(runtime: string | undefined, temporary = "/tmp"): Surroundings {
  return { env: { XDG_RUNTIME_DIR: runtime }, temporary, uid };
}

it("a project's path is the same every time, and another project's is another", () => {
  const here = place(undefined);
  const own = controlSocketPath("/srv/app", "/srv/app/a.ts", here);
  expect(own).toMatch(
    /^\/tmp\/prefork-dev-\w+\/[0-9a-f]{10}-[0-9a-f]{10}\.sock$/,
  );
  expect(controlSocketPath("/srv/app", "/srv/app/a.ts", here)).toBe(own);
  const others = [
    controlSocketPath("/srv/app", "/srv/app/b.ts", here),
    controlSocketPath("/srv/app2", "/srv/app/a.ts", here),
  ];
  expect(new Set([own, ...others]).size).toBe(3);
  const names = [own, ...others].map((one) => path.basename(one));
  expect(names.map((name) => isSocketOf("/srv/app", name))).toEqual([
    true,
    true,
    false,
  ]);
});

it("the user's runtime directory is preferred if it can be used", () => {
  const runtime = temporaryDirectory();
  expect(controlDirectory(place(runtime))).toBe(`${runtime}/prefork-dev`);
  const file = path.join(runtime, "file");
  fs.writeFileSync(file, "");
  const long = path.join(runtime, "x".repeat(60));
  fs.mkdirSync(long);
  const fallback = controlDirectory(place(undefined));
  for (const unusable of ["", "relative", `${runtime}/no`, file, long])
    expect(controlDirectory(place(unusable))).toBe(fallback);
});

it.runIf(uid === 0)("another user's runtime directory is not used", () => {
  const runtime = temporaryDirectory();
  fs.chownSync(runtime, 12_345, 12_345);
  expect(controlDirectory(place(runtime))).toMatch(/^\/tmp\//);
});

it("a long directory of temporary files is replaced by /tmp", () => {
  const name = `prefork-dev-${uid ?? "user"}`;
  const long = `/var/${"x".repeat(60)}`;
  expect(controlDirectory(place(undefined, long))).toBe(`/tmp/${name}`);
  // A macOS user's.
  const usual = `/var/folders/zz/${"z".repeat(30)}/T`;
  expect(controlDirectory(place(undefined, usual))).toBe(`${usual}/${name}`);
  const longest = controlSocketPath("/a", "/b", place(undefined, usual));
  expect(longest.length).toBeLessThan(LONGEST_PATH_BYTES);
});

it("clients look everywhere a server could have been started from", () => {
  const runtime = temporaryDirectory();
  const searched = searchedDirectories(place(runtime, "/var/tmp"));
  const name = `prefork-dev-${uid ?? "user"}`;
  expect(searched).toContain(`${runtime}/prefork-dev`);
  expect(searched).toContain(`/var/tmp/${name}`);
  expect(searched).toContain(`/tmp/${name}`);
  expect(new Set(searched).size).toBe(searched.length);
});
