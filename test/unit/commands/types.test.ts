/** What the compiler knows of commands. Checked by `tsc`; at run time only that nothing happens before `start()`. */
import { describe, expectTypeOf, it } from "vitest";
import type {
  CommandName,
  CommandOutcome,
  CommandsOf,
} from "../../../src/commands/commands-of.js";
import { mixin } from "../../../src/commands/references.js";
import type { MixinReference } from "../../../src/commands/references.js";
import type { DevServer } from "../../../src/dev-server.js";
import { createServer } from "../../../src/create-server.js";
import type { ResolvedProject } from "../../../src/manifest/types.js";
import type * as heapModule from "./mixins/heap.js";
import type { HeapReport } from "./mixins/heap.js";
import type * as listModule from "./mixins/list.js";

type Heap = MixinReference<typeof heapModule>;
type List = MixinReference<typeof listModule>;

const project: ResolvedProject = {
  name: "types",
  root: "/",
  manifest: undefined,
  isOneOfList: false,
  globs: [],
  listsSources: false,
  entry: "/a.ts",
  sources: [],
  preload: [],
  mixins: [],
  server: {},
  steps: [],
  definedBy: [],
};

const heap = mixin<typeof heapModule>("./heap.ts");
const list = mixin<typeof listModule>("./list.ts");

/** Never called: only its types are of interest. */
async function typed(): Promise<void> {
  const server = createServer(project, { mixins: [heap, list] });
  const [outcome] = await server.send("grow", 5, "kB");
  expectTypeOf(outcome).toEqualTypeOf<CommandOutcome<string> | undefined>();
  if (outcome?.error === undefined)
    expectTypeOf(outcome?.value).toEqualTypeOf<string | undefined>();
  const [worker] = server.workers;
  expectTypeOf(await worker?.send("second", "a")).toEqualTypeOf<
    { name: string } | undefined
  >();
  expectTypeOf(await worker?.send("first")).toEqualTypeOf<1 | undefined>();
  await server.send("stop");
  await server.send("reload", "any", 1);

  // @ts-expect-error -- no such command
  await server.send("heep");
  // @ts-expect-error -- starts like a command's method, but is none
  await server.send("ren");
  // @ts-expect-error -- a hook is no command
  await server.send("start");
  // @ts-expect-error -- an argument is missing
  await server.send("grow");
  // @ts-expect-error -- of the wrong type
  await server.send("grow", "5");
  // @ts-expect-error -- one too many
  await server.send("heap", 1);
  // @ts-expect-error -- also for one worker
  await worker?.send("heep");
}

async function untyped(): Promise<void> {
  const server = createServer(project, { port: 0 });
  const [outcome] = await server.send("anything", 1, "a", {});
  expectTypeOf(outcome).toEqualTypeOf<CommandOutcome | undefined>();

  const half = createServer(project, { mixins: [heap, "./other.ts"] });
  await half.send("anything", 1);
  const [known] = await half.send("heap");
  expectTypeOf(known).toEqualTypeOf<CommandOutcome<HeapReport> | undefined>();

  // @ts-expect-error -- a module without mixins
  mixin<{ default: number }>("./number.ts");
}

describe("the types of commands", () => {
  it("are those of the mixins' methods, later ones over earlier ones", () => {
    expectTypeOf<CommandName<CommandsOf<[Heap]>>>().toEqualTypeOf<
      "heap" | "grow" | "stop" | "reload"
    >();
    expectTypeOf<CommandsOf<[Heap]>["heap"]>().toEqualTypeOf<
      () => HeapReport
    >();
    expectTypeOf<CommandsOf<[Heap]>["grow"]>().toEqualTypeOf<
      (bytes: number, unit?: "kB") => string
    >();
    expectTypeOf<CommandsOf<[Heap, List]>["heap"]>().toEqualTypeOf<
      () => "list"
    >();
    expectTypeOf<CommandsOf<[List, Heap]>["heap"]>().toEqualTypeOf<
      () => HeapReport
    >();
    expectTypeOf<CommandName<CommandsOf<[]>>>().toEqualTypeOf<
      "stop" | "reload"
    >();
  });

  it("are checked where commands are sent", () => {
    expectTypeOf(typed).returns.resolves.toBeVoid();
    expectTypeOf(untyped).returns.resolves.toBeVoid();
  });

  it("let a typed server be taken for any", () => {
    const server = createServer(project, { mixins: [heap, list] });
    const any: DevServer = server;
    expectTypeOf(any).toEqualTypeOf<DevServer>();
  });
});
