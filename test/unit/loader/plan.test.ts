/** What is loaded, in which order and why, against a model that knows nothing of identities, hashes or closures: it compares all that a source reaches. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { edit, sourceAt, stepLists, templates, World } from "./world.js";
import type { Step } from "./world.js";

// Hundreds of runs each: the deadline is for hangs, not for busy machines.
vi.setConfig({ testTimeout: 60_000 });

/** The paths that a source depends on, over any number of edges; itself only in a cycle. */
function reach(world: World, from: string): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    for (const { to } of world.sources.get(path)?.edges ?? []) {
      if (found.has(to)) continue;
      found.add(to);
      visit(to);
    }
  };
  visit(from);
  return found;
}

function isCycle(world: World, one: string, other: string): boolean {
  return reach(world, one).has(other) && reach(world, other).has(one);
}

/** All that decides what a source is: the text and the edges of everything that it reaches. */
function picture(world: World, path: string): string {
  const all = [...new Set([path, ...reach(world, path)])].sort();
  return JSON.stringify(all.map((each) => own(world, each)));
}

/** A source itself. That an import becomes a lazy one would be a change of its content. */
function own(world: World, path: string): unknown {
  const { content, edges = [] } = world.sources.get(path) ?? {};
  const imports = edges.filter(({ kind }) => kind !== "needs");
  return [
    path,
    content,
    ...[imports, edges].map((all) => all.map(({ to }) => to)),
  ];
}

/** What is loaded at all: the list, and over plain imports what is evaluated before. */
function loadable(world: World): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const { to, kind } of world.sources.get(path)?.edges ?? []) {
      if (kind === "import") visit(to);
    }
  };
  world.listed.forEach(visit);
  return found;
}

/** Pictures by path. */
class Model {
  readonly #world: World;
  recorded: ReadonlyMap<string, string> | undefined;
  /** What loads that failed have evaluated since. */
  readonly since = new Map<string, string>();
  /** What failed since: whatever knows an earlier instance of it must get the next one. */
  readonly broken = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  #now(): Map<string, string> {
    const world = this.#world;
    const paths = [...loadable(world)];
    return new Map(paths.map((path) => [path, picture(world, path)]));
  }

  #known(): Set<string> {
    const { listed } = this.#world;
    const reached = listed.flatMap((path) => [...reach(this.#world, path)]);
    return new Set([...listed, ...reached]);
  }

  /** What is to be loaded. */
  due(): Set<string> {
    const now = [...this.#now()];
    const isDue = ([path, picture]: [string, string]): boolean =>
      this.recorded?.get(path) !== picture || this.#isBroken(path);
    return new Set(now.filter(isDue).map(([path]) => path));
  }

  #isBroken(path: string): boolean {
    const all = [path, ...reach(this.#world, path)];
    return all.some((each) => this.broken.has(each));
  }

  /** Of that, what isn't evaluated already. */
  toEvaluate(): Set<string> {
    const now = this.#now();
    const due = [...this.due()];
    return new Set(
      due.filter((path) => this.since.get(path) !== now.get(path)),
    );
  }

  succeed(isForced = false): void {
    const recorded = this.#now();
    // What is no longer loaded, but still known and as it was, stays loaded.
    for (const path of isForced ? [] : this.#known()) {
      const now = picture(this.#world, path);
      const former = [this.recorded?.get(path), this.since.get(path)];
      if (former.includes(now)) recorded.set(path, now);
    }
    this.recorded = recorded;
    this.since.clear();
    this.broken.clear();
  }

  fail(evaluated: readonly string[]): void {
    const now = this.#now();
    for (const path of evaluated) this.since.set(path, now.get(path) ?? "");
    const failed = evaluated.at(-1) ?? "";
    // Nobody knows how much of its cycle was evaluated.
    for (const path of now.keys()) {
      if (path === failed || isCycle(this.#world, path, failed)) {
        this.broken.add(path);
        this.since.delete(path);
      }
      if (reach(this.#world, path).has(failed)) this.since.delete(path);
    }
  }
}

interface Run {
  readonly world: World;
  readonly model: Model;
  readonly step: Step;
}

/**
 * Goes through random edits of random projects.
 *
 * @param mode - `undo`: contents come back, no load fails. `fail`: loads fail, every content is new
 */
async function go(
  mode: "undo" | "fail",
  check: (run: Run) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(templates, stepLists, async (template, all) => {
      const world = new World(template.sources, template.listed);
      const model = new Model(world);
      let contents = 0;
      for (const step of all) {
        edit(world, step, (content) =>
          String(mode === "fail" ? ++contents : content),
        );
        await check({ world, model, step });
      }
    }),
    { numRuns: 150 },
  );
}

const pathsOf = (sources: readonly { readonly path: string }[]): string[] =>
  sources.map(({ path }) => path);

describe("a load", () => {
  it("loads exactly what is different, itself or through what it depends on, also when a change is taken back", async () => {
    await go("undo", async ({ world, model, step: { force } }) => {
      const due = force ? loadable(world) : model.due();
      const { loaded, evaluated } = await world.load({ force });
      expect(new Set(pathsOf(loaded ?? []))).toEqual(due);
      expect([...evaluated].sort()).toEqual([...due].sort());
      model.succeed(force);
    });
  });

  it("has nothing to do a second time", async () => {
    await go("undo", async ({ world, step: { force } }) => {
      await world.load({ force });
      expect(await world.load()).toEqual({
        loaded: [],
        said: [],
        evaluated: [],
      });
    });
  });

  it("goes the same way each time", async () => {
    await go("undo", async ({ world, step: { force } }) => {
      const inRoot = (text: string): string =>
        text.replaceAll(/\/worlds\/\d+\//g, "");
      const again = (): World =>
        new World(
          new Map(
            Array.from(world.sources, ([path, { content, edges }]) => [
              inRoot(path),
              {
                content,
                edges: edges.map(({ to, kind }) => ({ to: inRoot(to), kind })),
              },
            ]),
          ),
          world.listed.map(inRoot),
        );
      const [one, other] = [again(), again()];
      const first = inRoot(JSON.stringify(await one.load()));
      expect(inRoot(JSON.stringify(await other.load()))).toBe(first);
      // In that order again when everything is asked for, whatever happened before.
      await world.load({ force });
      const { loaded } = await world.load({ force: true });
      const { loaded: all } = await one.load({ force: true });
      expect(pathsOf(loaded ?? []).map(inRoot)).toEqual(
        pathsOf(all ?? []).map(inRoot),
      );
    });
  });

  it("loads each once, dependencies first, cycles apart", async () => {
    await go("undo", async ({ world, step: { force } }) => {
      const { loaded, said } = await world.load({ force });
      expect(said).toEqual(loaded);
      const order = pathsOf(said);
      expect(new Set(order).size).toBe(order.length);
      order.forEach((path, index) => {
        for (const dependency of reach(world, path)) {
          const place = order.indexOf(dependency);
          if (place === -1 || isCycle(world, path, dependency)) continue;
          expect(place).toBeLessThan(index);
        }
      });
    });
  });

  it("keeps the listed order, unless something listed no later depends on what comes first", async () => {
    await go("undo", async ({ world, step: { force } }) => {
      const { listed } = world;
      const { said } = await world.load({ force });
      const order = pathsOf(said).filter((path) => listed.includes(path));
      order.forEach((later, index) => {
        const place = listed.indexOf(later);
        const pullers = listed.slice(0, place + 1);
        for (const earlier of order.slice(0, index)) {
          if (listed.indexOf(earlier) < place) continue;
          const isPulled = pullers.some((path) =>
            reach(world, path).has(earlier),
          );
          expect(isPulled).toBe(true);
        }
      });
    });
  });

  it("loads the members of a cycle together, and evaluates first the one that stands last", async () => {
    await go("undo", async ({ world, step: { force } }) => {
      const { said, evaluated } = await world.load({ force });
      const order = pathsOf(said);
      const cycles = order.map((path) =>
        order.filter((other) => other === path || isCycle(world, path, other)),
      );
      order.forEach((path, index) => {
        const members = cycles[index] ?? [];
        const start = order.indexOf(members[0] ?? "");
        expect(order.slice(start, start + members.length)).toEqual(members);
        expect(evaluated[start]).toBe(members.at(-1));
        expect(members).toContain(path);
      });
    });
  });

  it("says why", async () => {
    await go("undo", async ({ world, model, step: { force } }) => {
      const due = model.due();
      const { recorded } = model;
      const { loaded = [] } = await world.load({ force });
      for (const { path, reason, because } of loaded) {
        const before = recorded?.get(path);
        const itself = JSON.stringify(own(world, path));
        if (recorded === undefined) expect(reason).toBe("first");
        else if (before === undefined) expect(reason).toBe("missing");
        else if (!due.has(path)) expect(reason).toBe("forced");
        else if (before.includes(itself)) expect(reason).toBe("needs");
        else expect(["changed", "needs"]).toContain(reason);
        expect(because.length > 0).toBe(reason === "needs");
        const edges = world.sources.get(path)?.edges ?? [];
        for (const other of because) {
          expect(edges.map(({ to }) => to)).toContain(other);
          if (loadable(world).has(other)) expect(due).toContain(other);
        }
      }
      model.succeed(force);
    });
  });
});

describe("a load that fails", () => {
  it("records nothing; what it evaluated is not evaluated again, all else is", async () => {
    await go("fail", async ({ world, model, step }) => {
      const failing =
        step.failing === undefined ? undefined : sourceAt(world, step.failing);
      const due = model.due();
      const toEvaluate = model.toEvaluate();
      const { loaded, evaluated } = await world.load({ failing });
      if (loaded === undefined) {
        expect(evaluated.at(-1)).toBe(failing);
        for (const path of evaluated) expect(toEvaluate).toContain(path);
        model.fail(evaluated);
      } else {
        if (failing !== undefined) expect(toEvaluate).not.toContain(failing);
        expect(new Set(pathsOf(loaded))).toEqual(due);
        expect([...evaluated].sort()).toEqual([...toEvaluate].sort());
        model.succeed();
      }
    });
  });

  it("is mended by the next one, without a change", async () => {
    await go("fail", async ({ world, model, step }) => {
      const failing = sourceAt(world, step.failing ?? 0);
      const failed = await world.load({ failing });
      if (failed.loaded === undefined) {
        model.fail(failed.evaluated);
        const { loaded, evaluated } = await world.load();
        expect(new Set(pathsOf(loaded ?? []))).toEqual(model.due());
        expect(evaluated).toContain(failing);
      }
      expect((await world.load()).loaded).toEqual([]);
      model.succeed();
    });
  });
});
