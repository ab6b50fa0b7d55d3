/** Steps in a folder, with real commands: what is due, what they made, what is their own work. No watcher, no server. */
import fs from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeAtomically } from "../../../src/compiler/atomic-write.js";
import { fileListing } from "../../../src/manifest/listing.js";
import { resolveSources } from "../../../src/manifest/resolve.js";
import type { SourceEntry } from "../../../src/manifest/types.js";
import { Steps } from "../../../src/steps/steps.js";
import type {
  StepEvent,
  StepProject,
  Turn,
  TurnResult,
} from "../../../src/steps/types.js";
import { kill, temporaryFolder } from "../child-program.js";

/** A project of steps. */
class World {
  readonly root = fs.realpathSync(temporaryFolder());
  readonly events: StepEvent[] = [];
  entries: readonly SourceEntry[];
  /** What the manifest imports. */
  imported: readonly string[] = [];
  steps: Steps;
  rereads = 0;
  #project: StepProject | undefined;
  readonly #heard = new Set<() => void>();

  constructor(...entries: SourceEntry[]) {
    this.entries = entries;
    this.write("server.ts", "");
    this.steps = this.open();
    onTestFinished(async () => await this.steps.kill());
  }

  /** As another run of the tool does. */
  open(): Steps {
    this.#project = undefined;
    return (this.steps = new Steps({
      recordFile: path.join(this.root, "cache/steps.json"),
      write: writeAtomically,
      glob: (pattern, directory) => fileListing.glob(pattern, directory),
      onGroup: (pid) => onTestFinished(() => kill(-pid)),
      onEvent: (event) => {
        this.events.push(event);
        for (const listener of this.#heard) listener();
      },
    }));
  }

  path(file: string): string {
    return path.join(this.root, file);
  }

  write(file: string, text: string): void {
    fs.mkdirSync(path.dirname(this.path(file)), { recursive: true });
    fs.writeFileSync(this.path(file), text);
  }

  read(file: string): string {
    return fs.readFileSync(this.path(file), "utf8");
  }

  /** The commands that have begun since it was last asked. */
  began(): string[] {
    return this.events
      .splice(0)
      .flatMap(({ kind, command }) => (kind === "started" ? [command] : []));
  }

  /** Fulfils when a step has begun. */
  async untilBegun(): Promise<void> {
    const isBegun = (): boolean =>
      this.events.some(({ kind }) => kind === "started");
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (isBegun()) resolve();
      };
      this.#heard.add(look);
      look();
    });
  }

  #resolve(): StepProject {
    const { root } = this;
    const manifest = this.path("prefork.config.ts");
    const { steps } = resolveSources(
      { entry: "server.ts", sources: this.entries },
      { name: "m", path: manifest, root },
      fileListing,
    );
    return { root, manifest, steps, definedBy: [manifest, ...this.imported] };
  }

  async run(look: Turn["look"], ...changed: string[]): Promise<TurnResult> {
    if (look !== "changes") this.#project = undefined;
    return await this.steps.run({
      project: () => (this.#project ??= this.#resolve()),
      paths: new Set(changed.map((file) => this.path(file))),
      look,
      reread: async () => {
        this.rereads++;
        this.#project = undefined;
        await Promise.resolve();
      },
    });
  }

  /** What a turn says has changed, relative. */
  changed({ changed }: TurnResult): string[] {
    return [...changed].map((file) => path.relative(this.root, file)).sort();
  }
}

/** Copies `a` to `b` with a mark; counts its runs in `runs`. */
const COPY = 'sed "s/^/made /" a > b; echo run >> runs';
const copying: SourceEntry = {
  file: "a",
  run: { command: COPY, makes: ["b"] },
};

function copyWorld(): World {
  const world = new World(copying);
  world.write("a", "1\n");
  return world;
}

test("a first run makes what is missing; the next start runs nothing, unless something is different", async () => {
  const world = copyWorld();
  const first = await world.run("all");
  expect(first).toMatchObject({ kind: "done", hasRun: true });
  expect(world.changed(first)).toEqual(["a", "b"]);
  expect(world.read("b")).toBe("made 1\n");
  expect(world.rereads).toBe(1);

  const restart = async (): Promise<boolean> => {
    world.open();
    return (await world.run("all")).hasRun;
  };
  expect(await restart()).toBe(false);
  world.write("a", "2\n");
  expect(await restart()).toBe(true);
  world.write("b", "edited");
  expect(await restart()).toBe(true);
  expect(world.read("b")).toBe("made 2\n");
  fs.rmSync(world.path("b"));
  expect(await restart()).toBe(true);
  world.entries = [
    { file: "a", run: { command: `${COPY}; true`, makes: ["b"] } },
  ];
  expect(await restart()).toBe(true);
  expect(await restart()).toBe(false);
  fs.rmSync(world.path("cache/steps.json"));
  expect(await restart()).toBe(true);
});

test("a change of what it reads makes it due, a change of anything else doesn't, nor does an edit of what it made", async () => {
  const world = copyWorld();
  await world.run("all");
  world.began();
  world.write("b", "edited");
  expect((await world.run("changes", "b", "c")).hasRun).toBe(false);
  expect((await world.run("definitions")).hasRun).toBe(false);
  expect(world.read("b")).toBe("edited");
  world.write("a", "2\n");
  expect(world.changed(await world.run("changes", "a"))).toEqual(["a", "b"]);
  expect(world.read("b")).toBe("made 2\n");
  expect(world.events.at(-1)).toMatchObject({
    kind: "done",
    step: "sources[0].run",
    made: [world.path("b")],
  });
});

test("what is made again as it was hasn't changed", async () => {
  const world = new World({
    file: "a",
    run: { command: "echo same > b", makes: ["b"] },
  });
  world.write("a", "1");
  await world.run("all");
  world.write("a", "2");
  const { hasRun, changed } = await world.run("changes", "a");
  expect([hasRun, [...changed]]).toEqual([true, [world.path("a")]]);
});

test("what is gone is made again", async () => {
  const world = copyWorld();
  await world.run("all");
  fs.rmSync(world.path("b"));
  expect((await world.run("changes", "b")).hasRun).toBe(true);
  expect(world.read("b")).toBe("made 1\n");
});

test("it runs once, however many of its sources have changed, and is told which", async () => {
  const world = new World({
    file: "*.sql",
    run: {
      command: 'echo "$PREFORK_CHANGED" > out; echo >> runs',
      makes: ["out"],
    },
  });
  for (const name of ["a", "b", "c"]) world.write(`${name}.sql`, "1");
  await world.run("all");
  expect(world.read("out")).toBe("\n");
  world.write("a.sql", "2");
  world.write("c.sql", "2");
  await world.run("changes", "a.sql", "c.sql");
  expect(world.read("out")).toBe("a.sql\nc.sql\n");
  expect(world.read("runs")).toBe("\n\n");
});

test("what else it reads makes it due, and then it isn't known what is different", async () => {
  const world = new World({
    file: "a",
    run: {
      command: 'echo "${PREFORK_CHANGED-all}" > b; sh gen.sh >> b',
      reads: ["gen.sh"],
      makes: ["b"],
    },
  });
  world.write("a", "");
  world.write("gen.sh", "echo 1");
  await world.run("all");
  world.write("a", "a");
  await world.run("changes", "a");
  expect(world.read("b")).toBe("a\n1\n");
  world.write("gen.sh", "echo 2");
  expect(world.changed(await world.run("changes", "gen.sh"))).toEqual([
    ...["a", "b"],
  ]);
  expect(world.read("b")).toBe("all\n2\n");
  world.write("gen.sh", "echo 3");
  world.open();
  expect((await world.run("all")).hasRun).toBe(true);
});

test("a failure says source, command, exit code and what it wrote; it's tried again, whatever changes", async () => {
  const command = 'grep -q good a || { echo "bad a"; exit 7; }; cp a b';
  const world = new World({ file: "a", run: { command, makes: ["b"] } });
  world.write("a", "bad");
  const failed = await world.run("all");
  expect(failed).toMatchObject({ kind: "failed", hasRun: true });
  expect(failed.diagnostics).toEqual([
    {
      message: `\`${command}\` (sources[0].run of a) failed with exit code 7. It wrote:\nbad a`,
      file: world.path("a"),
    },
  ]);
  expect(world.steps.status()).toMatchObject([{ state: "failed" }]);
  expect((await world.run("changes", "c")).kind).toBe("failed");
  world.open();
  expect((await world.run("all")).kind).toBe("failed");
  world.write("a", "good");
  const mended = await world.run("changes", "a");
  expect(mended.kind).toBe("done");
  expect(world.changed(mended)).toEqual(["a", "b"]);
  expect(world.steps.status()).toMatchObject([{ state: "done" }]);
});

test("what a failure left half done is told, and so is what mends it", async () => {
  const world = new World({
    file: "a",
    run: { command: "cp a b; grep -q good a", makes: ["b"] },
  });
  world.write("a", "good 1");
  await world.run("all");
  world.write("a", "bad");
  expect(world.changed(await world.run("changes", "a"))).toEqual(["b"]);
  world.write("a", "good 2");
  expect(world.changed(await world.run("changes", "a"))).toEqual(["a", "b"]);
});

test("a step that doesn't make what it should has failed", async () => {
  const world = new World({
    file: "a",
    run: { command: "true", makes: ["b", "gen/*.ts"] },
  });
  world.write("a", "");
  const { kind, diagnostics } = await world.run("all");
  expect(kind).toBe("failed");
  expect(diagnostics[0]?.message).toContain(
    "ended well, but didn't make b, gen/*.ts",
  );
});

test("steps that read what others make run in the same turn, if that is different", async () => {
  const world = new World(
    { file: "b", run: { command: "cat b > c", makes: ["c"] } },
    { file: "a", run: { command: "head -n 1 a > b", makes: ["b"] } },
  );
  world.write("a", "1\n");
  expect((await world.run("all")).kind).toBe("done");
  expect(world.began()).toEqual(["head -n 1 a > b", "cat b > c"]);
  world.write("a", "2\n");
  const both = await world.run("changes", "a");
  expect(world.changed(both)).toEqual(["a", "b", "c"]);
  expect(world.read("c")).toBe("2\n");
  world.began();
  world.write("a", "2\nmore\n");
  expect(world.changed(await world.run("changes", "a"))).toEqual(["a"]);
  expect(world.began()).toEqual(["head -n 1 a > b"]);
});

test("a glob reads what another step makes only now", async () => {
  const world = new World(
    { file: "gen/*.txt", run: { command: "cat gen/*.txt > c", makes: ["c"] } },
    {
      file: "a",
      run: { command: "mkdir -p gen; cp a gen/a.txt", makes: ["gen/*.txt"] },
    },
  );
  world.write("a", "1");
  expect((await world.run("all")).kind).toBe("done");
  expect(world.read("c")).toBe("1");
  world.write("a", "2");
  await world.run("changes", "a");
  expect(world.read("c")).toBe("2");
});

test("a function is due when its text is another, or what the manifest imports", async () => {
  const world = new World();
  world.write("a", "1");
  const made: string[] = [];
  const entry = (fn: () => void): SourceEntry => ({
    file: "a",
    run: { fn, makes: ["b"] },
  });
  const one = (): void => {
    made.push("one");
    world.write("b", "1");
  };
  world.entries = [entry(one)];
  expect((await world.run("all")).hasRun).toBe(true);
  expect((await world.run("definitions")).hasRun).toBe(false);
  world.entries = [
    entry(() => {
      made.push("two");
      world.write("b", "2");
    }),
  ];
  expect((await world.run("definitions")).hasRun).toBe(true);
  expect(made).toEqual(["one", "two"]);
  world.write("generate.ts", "");
  world.imported = [world.path("generate.ts")];
  expect((await world.run("definitions")).hasRun).toBe(true);
  expect((await world.run("definitions")).hasRun).toBe(false);
  world.write("generate.ts", "// other");
  expect((await world.run("definitions")).hasRun).toBe(true);
});

test("its own writes are its own, as long as nobody touches them", async () => {
  const world = copyWorld();
  await world.run("all");
  const isOwn = (file: string): boolean =>
    world.steps.ownAmong([world.path(file)]).has(world.path(file));
  expect(["b", "runs"].map(isOwn)).toEqual([true, false]);
  expect(world.steps.mayOwn(world.path("b"))).toBe(true);
  // What it has read, too: it's as the step saw it.
  expect(isOwn("a")).toBe(true);
  const now = new Date(Date.now() + 1_000);
  fs.utimesSync(world.path("b"), now, now);
  expect(isOwn("b")).toBe(false);
  world.write("a", "1\n");
  expect(isOwn("a")).toBe(false);
  fs.rmSync(world.path("b"));
  expect(isOwn("b")).toBe(false);
});

test("while it runs, what it makes is its own: by path and by glob, nothing else", async () => {
  const command =
    "mkdir -p gen; echo > gen/old.ts; echo > gen/new.ts; echo > b; echo > ready; until [ -e go ]; do sleep 0.05; done";
  const world = new World({
    file: "a",
    run: { command, makes: ["b", "gen/*.ts"] },
  });
  world.write("a", "");
  const running = world.run("all");
  await expect
    .poll(() => fs.existsSync(world.path("ready")), { timeout: 10_000 })
    .toBe(true);
  const paths = ["b", "gen/new.ts", "a", "gen/x.json", "c"];
  const own = world.steps.ownAmong(paths.map((file) => world.path(file)));
  expect([...own]).toEqual(["b", "gen/new.ts"].map((file) => world.path(file)));
  expect(world.steps.status()).toMatchObject([{ state: "running" }]);
  world.write("go", "");
  expect((await running).kind).toBe("done");
});

/** Waits for `go`, and copies `a` to `b`. */
const WAIT =
  "cp a seen; echo > ready; until [ -e go ]; do sleep 0.05; done; cp seen b";

test("a change of what it reads cancels it, and the next turn runs it again", async () => {
  const world = new World({ file: "a", run: { command: WAIT, makes: ["b"] } });
  world.write("a", "1");
  const running = world.run("all");
  await world.untilBegun();
  world.write("a", "2");
  world.steps.supersede([world.path("a")]);
  expect(await running).toMatchObject({ kind: "cancelled", hasRun: true });
  expect(world.events.map(({ kind }) => kind)).toEqual([
    "started",
    "cancelled",
  ]);
  expect(world.steps.status()).toMatchObject([{ state: "due" }]);
  world.write("go", "");
  expect(await world.run("changes")).toMatchObject({ kind: "done" });
  expect(world.read("b")).toBe("2");
});

test("a change of something else, or a bare touch, doesn't cancel it", async () => {
  const world = new World({ file: "a", run: { command: WAIT, makes: ["b"] } });
  world.write("a", "1");
  const running = world.run("all");
  await world.untilBegun();
  world.write("a", "1");
  world.steps.supersede([world.path("c"), world.path("a")]);
  world.write("go", "");
  expect((await running).kind).toBe("done");
});

test("what it reads changed, and nobody has heard of it yet: it runs once more", async () => {
  const world = new World({ file: "a", run: { command: WAIT, makes: ["b"] } });
  world.write("a", "0");
  world.write("go", "");
  await world.run("all");
  for (const file of ["go", "ready"]) fs.rmSync(world.path(file));
  world.write("a", "1");
  const running = world.run("changes", "a");
  await expect
    .poll(() => fs.existsSync(world.path("ready")), { timeout: 10_000 })
    .toBe(true);
  world.write("a", "2");
  world.write("go", "");
  expect((await running).kind).toBe("done");
  expect(world.read("b")).toBe("2");
});

test("a step that writes what it reads ends, and isn't due by that", async () => {
  const world = new World({
    file: "a",
    run: { command: "tr a-z A-Z < a > t; cat t > a; cp a b", makes: ["b"] },
  });
  world.write("a", "text");
  await world.run("all");
  expect(world.read("b")).toBe("TEXT");
  expect((await world.run("changes", "a")).hasRun).toBe(false);
  world.write("a", "other");
  await world.run("changes", "a");
  expect(world.read("b")).toBe("OTHER");
  expect((await world.run("changes", "a")).hasRun).toBe(false);
});

test("the end cancels what runs, and nothing runs any more", async () => {
  const world = new World({ file: "a", run: { command: WAIT, makes: ["b"] } });
  world.write("a", "1");
  const running = world.run("all");
  await world.untilBegun();
  await world.steps.close();
  expect((await running).kind).toBe("cancelled");
  expect(await world.run("all")).toMatchObject({
    kind: "cancelled",
    hasRun: false,
  });
});

test("a run that nobody saw the end of is repeated", async () => {
  const world = copyWorld();
  await world.run("all");
  world.write("a", "2\n");
  world.entries = [{ file: "a", run: { command: COPY, makes: ["b"] } }];
  const running = world.run("changes", "a");
  await world.untilBegun();
  const record = world.read("cache/steps.json");
  await running;
  expect(JSON.parse(record)).toEqual({ version: 1, steps: {} });
});
