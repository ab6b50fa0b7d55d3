import { describe, expect, it } from "vitest";
import { applyMixins, defaultExportOf } from "../../../src/commands/mixins.js";
import { Worker } from "../../../src/commands/worker.js";
import type { WorkerConstructor } from "../../../src/commands/worker.js";
import { PreforkError } from "../../../src/errors.js";

/** A mixin whose `onRegister` says a word behind those of the mixins before. */
const saying =
  (word: string) =>
  <Base extends WorkerConstructor>(base: Base) =>
    class extends base {
      override onRegister(): string {
        return `${(super.onRegister() as string | undefined) ?? ""}${word}`;
      }
    };

function apply(...exported: unknown[]): WorkerConstructor {
  return applyMixins(
    exported.map((each) => ({ file: "/m.ts", exported: each })),
  );
}

function failure(...exported: unknown[]): string {
  try {
    apply(...exported);
  } catch (error) {
    if (error instanceof PreforkError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no failure";
}

describe("mixins", () => {
  it("are applied in order, lists flattened, and super reaches those before", () => {
    const Made = apply(saying("a"), [saying("b"), saying("c")], saying("d"));
    expect(new Made({ index: 0, port: 0 }).onRegister()).toBe("abcd");
  });

  it("that are none make the base itself", () => {
    expect(apply()).toBe(Worker);
    expect(apply([])).toBe(Worker);
  });

  it("leave the base as it is: another server's has none of it", () => {
    apply(saying("a"));
    expect(new Worker({ index: 0, port: 0 }).onRegister()).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "its default export is of type undefined"],
    ["null", null, "its default export is null"],
    ["an object", {}, "its default export is an object"],
    ["a class", class extends Worker {}, "its default export is a class"],
    ["a function without result", () => undefined, "returned no class"],
    [
      "a class that extends nothing",
      () =>
        class {
          index = 0;
        },
      "returned no class",
    ],
    ["one that forgets its base", () => Worker, "returned no class"],
    [
      "a list with a number",
      [saying("a"), 7],
      "mixin 1 of its list is of type",
    ],
  ])(
    "that export %s are refused, with what they should",
    (_what, bad, text) => {
      const message = failure(saying("x"), bad);
      expect(message).toContain("ERR_PREFORK_MIXIN /m.ts: ");
      expect(message).toContain(text);
      expect(message).toContain("class extends Base");
    },
  );

  it("that throw are refused with what they threw", () => {
    const thrower = (): never => {
      throw new Error("no licence");
    };
    expect(failure(thrower)).toContain(
      "ERR_PREFORK_MIXIN /m.ts: its default export threw when it was applied: no licence",
    );
  });
});

describe("a module's default export", () => {
  it("is found in ES modules, and in CommonJS compiled from them", () => {
    expect(defaultExportOf({ default: 1 })).toBe(1);
    expect(defaultExportOf({ default: { __esModule: true, default: 2 } })).toBe(
      2,
    );
    expect(defaultExportOf({})).toBeUndefined();
  });
});
