/** What is loaded and not listed: told once, in sets, when nothing is under way. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ResolvedProject } from "../../src/manifest/types.js";
import { Undeclared } from "../../src/undeclared.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function project(
  listed: readonly string[],
  more: Partial<ResolvedProject> = {},
): ResolvedProject {
  return {
    name: "app",
    root: "/app",
    manifest: "/app/prefork.config.ts",
    isOneOfList: false,
    entry: "/app/server.ts",
    sources: ["/app/server.ts", ...listed].map((path) => ({
      ...{ path, needs: [], standby: true, reload: true },
    })),
    steps: [],
    globs: [],
    listsSources: true,
    preload: [],
    mixins: [],
    server: {},
    definedBy: [],
    ...more,
  };
}

/** A server as far as it matters: what it has loaded, what its manifest lists, and whether it is at rest. */
class World {
  loaded: ReadonlySet<string> = new Set(["/app/server.ts"]);
  project: ResolvedProject = project([]);
  readonly told: (readonly string[])[] = [];
  readonly undeclared: Undeclared;
  #rest: Promise<void> = Promise.resolve();

  constructor() {
    this.undeclared = new Undeclared({
      compiler: { loadedSources: () => this.loaded },
      reloader: this,
      onUndeclared: (paths) => this.told.push(paths),
    });
  }

  load(...paths: string[]): void {
    this.loaded = new Set([...this.loaded, ...paths]);
    this.undeclared.look();
  }

  list(...paths: string[]): void {
    this.project = project(paths);
    this.undeclared.look();
  }

  /** Fulfils when no reload is under way. */
  async rest(): Promise<void> {
    await this.#rest;
  }

  /** A reload is under way, until what is returned is called. */
  begin(): () => void {
    let end: () => void = () => undefined;
    this.#rest = new Promise((resolve) => {
      end = resolve;
    });
    return end;
  }

  async quiet(): Promise<void> {
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

it("tells what was loaded in a row at once, and nothing twice", async () => {
  const world = new World();
  world.load("/app/b.ts");
  await vi.advanceTimersByTimeAsync(50);
  world.load("/app/a.ts");
  expect(world.undeclared.paths).toEqual(["/app/a.ts", "/app/b.ts"]);
  await world.quiet();
  world.undeclared.look();
  await world.quiet();
  expect(world.told).toEqual([["/app/a.ts", "/app/b.ts"]]);
  world.load("/app/c.ts");
  await world.quiet();
  expect(world.told.slice(1)).toEqual([["/app/c.ts"]]);
});

it("waits until no reload is under way", async () => {
  const world = new World();
  const end = world.begin();
  world.load("/app/a.ts");
  await world.quiet();
  world.load("/app/b.ts");
  await world.quiet();
  expect(world.told).toEqual([]);
  end();
  await world.quiet();
  expect(world.told).toEqual([["/app/a.ts", "/app/b.ts"]]);
});

it("forgets what is listed by now, and tells it again when it isn't any more", async () => {
  const world = new World();
  world.load("/app/a.ts");
  await world.quiet();
  world.list("/app/a.ts");
  expect(world.undeclared.paths).toEqual([]);
  await world.quiet();
  world.list();
  await world.quiet();
  expect(world.told).toEqual([["/app/a.ts"], ["/app/a.ts"]]);
});

it("means nothing outside of the root, no package.json, no mixin, and nothing where nothing is listed", () => {
  const world = new World();
  world.project = project([], { mixins: ["/app/mixin.ts"] });
  world.loaded = new Set([
    ...["/app/server.ts", "/app/mixin.ts", "/app/package.json"],
    ...["/app2/a.ts", "/shared/b.ts", "/app/data.json"],
  ]);
  expect(world.undeclared.paths).toEqual(["/app/data.json"]);
  world.project = project([], { listsSources: false });
  expect(world.undeclared.paths).toEqual([]);
});

it("says nothing after its end", async () => {
  const world = new World();
  world.load("/app/a.ts");
  world.undeclared.close();
  world.load("/app/b.ts");
  await world.quiet();
  expect(world.told).toEqual([]);
});
