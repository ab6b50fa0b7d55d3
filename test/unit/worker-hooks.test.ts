/** The hooks that run in the master. Those of processes: `test/integration/hooks.test.ts`. */
import { describe, expect, it } from "vitest";
import { decode } from "../../src/commands/values.js";
import { Worker } from "../../src/commands/worker.js";
import type { WorkerConstructor } from "../../src/commands/worker.js";
import { WorkerHooks } from "../../src/worker-hooks.js";

const never = new Promise<never>(() => undefined);

function hooks(
  made: WorkerConstructor,
  hookTimeoutMs = 60_000,
): { readonly hooks: WorkerHooks; readonly warnings: string[] } {
  const warnings: string[] = [];
  const options = {
    files: [],
    cwd: "/",
    hookTimeoutMs,
    onWarning: (message: string) => warnings.push(message),
  };
  return { hooks: new WorkerHooks(made, options), warnings };
}

describe("onRegister and onUnregister", () => {
  it("run on one instance per worker, which has the state; processes get it encoded", async () => {
    const seen: unknown[] = [];
    class Stateful extends Worker {
      override async onRegister(): Promise<unknown> {
        await Promise.resolve();
        return { key: `${this.index}:${this.port}` };
      }
      override onUnregister(): void {
        seen.push(this.state);
      }
    }
    const { hooks: of, warnings } = hooks(Stateful);
    const states = [await of.register(0, 10), await of.register(1, 11)];
    expect(states.map((state) => decode(state ?? ""))).toEqual([
      { key: "0:10" },
      { key: "1:11" },
    ]);
    await of.unregister(1);
    await of.unregister(0);
    await of.unregister(0);
    expect(seen).toEqual([{ key: "1:11" }, { key: "0:10" }]);
    expect(warnings).toEqual([]);
  });

  it("that fail are reported, and stop nothing", async () => {
    class Failing extends Worker {
      override onRegister(): never {
        throw new TypeError("no database");
      }
      override onUnregister(): Promise<never> {
        return Promise.reject(new Error("gone already"));
      }
    }
    const { hooks: of, warnings } = hooks(Failing);
    expect(await of.register(3, 10)).toBeUndefined();
    await of.unregister(3);
    expect(warnings).toEqual([
      "worker 3: onRegister threw TypeError: no database (ERR_PREFORK_HOOK)",
      "worker 3: onUnregister threw Error: gone already (ERR_PREFORK_HOOK)",
    ]);
  });

  it("that are too slow are reported, and not waited for", async () => {
    class Slow extends Worker {
      override onRegister(): Promise<never> {
        return never;
      }
    }
    const { hooks: of, warnings } = hooks(Slow, 1);
    expect(await of.register(0, 10)).toBeUndefined();
    expect(warnings).toEqual([
      "worker 0: onRegister took longer than 1 ms (ERR_PREFORK_HOOK)",
    ]);
  });

  it("a state that can't be cloned is reported; the master's instance keeps it", async () => {
    const state = { close: (): void => undefined };
    let seen: unknown;
    class Uncloneable extends Worker {
      override onRegister(): unknown {
        return state;
      }
      override onUnregister(): void {
        seen = this.state;
      }
    }
    const { hooks: of, warnings } = hooks(Uncloneable);
    expect(await of.register(0, 10)).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("can't be serialised");
    await of.unregister(0);
    expect(seen).toBe(state);
  });

  it("aren't waited for, nor run, once the server is killed", async () => {
    let runs = 0;
    class Counting extends Worker {
      override onRegister(): Promise<never> {
        runs++;
        return never;
      }
      override onUnregister(): void {
        runs++;
      }
    }
    const { hooks: of, warnings } = hooks(Counting);
    const registered = of.register(0, 10);
    await Promise.resolve();
    of.end();
    expect(await registered).toBeUndefined();
    await of.unregister(0);
    expect(runs).toBeLessThanOrEqual(1);
    expect(warnings).toEqual([]);
  });
});
