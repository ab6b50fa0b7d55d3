import { describe, expect, it } from "vitest";
import {
  commandNames,
  runCommand,
  UnknownCommand,
} from "../../../src/commands/dispatch.js";
import { Worker } from "../../../src/commands/worker.js";

class Base extends Worker {
  readonly log: unknown[] = [];
  childFoo(...args: unknown[]): string {
    this.log.push(["Base.childFoo", ...args]);
    return "base";
  }
  childStart(): void {
    this.log.push("childStart");
  }
}

class Derived extends Base {
  childField = (): string => "a field";
  get childAccessor(): () => string {
    return () => "an accessor";
  }
  async onFoo(...args: unknown[]): Promise<void> {
    await Promise.resolve();
    this.log.push(["onFoo", ...args]);
  }
  override childFoo(...args: unknown[]): string {
    return `${super.childFoo(...args)}, derived`;
  }
  childHTTPInfo(): string {
    return "info";
  }
  children(): string {
    return "no command";
  }
  onlyOn(): void {
    this.log.push("onlyOn");
  }
  onBar(): void {
    this.log.push("onBar");
  }
}

const worker = (): Derived => new Derived({ index: 1, port: 2 });

describe("a command", () => {
  it("runs onFoo, awaited, then childFoo, with its arguments, and super", async () => {
    const it = worker();
    expect(await runCommand(it, "foo", [1, "a"])).toBe("base, derived");
    expect(it.log).toEqual([
      ["onFoo", 1, "a"],
      ["Base.childFoo", 1, "a"],
    ]);
  });

  it("has a name like its method", async () => {
    expect(await runCommand(worker(), "hTTPInfo", [])).toBe("info");
    expect(commandNames(worker())).toEqual([
      "foo",
      "hTTPInfo",
      "reload",
      "stop",
    ]);
  });

  it.each([
    ["nobody has", "nothing"],
    ["only has its first half", "bar"],
    ["is a field", "field"],
    ["is an accessor", "accessor"],
    ["is a hook's", "start"],
    ["would be a method of every object", "constructor"],
    ["is no name", "toString()"],
    ["is a prototype's", "__proto__"],
    ["is empty", ""],
    ["has a capital", "Foo"],
    ["has a dash", "foo-bar"],
    ["has a line end", "foo\n"],
  ])("that %s is unknown, and runs nothing", async (_what, name) => {
    const it = worker();
    await expect(runCommand(it, name, [])).rejects.toBeInstanceOf(
      UnknownCommand,
    );
    expect(it.log).toEqual([]);
  });

  it("isn't run when onFoo throws", async () => {
    class Refusing extends Base {
      onFoo(): never {
        throw new Error("refused");
      }
    }
    const it = new Refusing({ index: 0, port: 0 });
    await expect(runCommand(it, "foo", [])).rejects.toThrow("refused");
    expect(it.log).toEqual([]);
  });
});
