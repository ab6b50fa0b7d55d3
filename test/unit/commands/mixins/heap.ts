/** Mixins for the tests of types: two typed commands, a helper that is none, and a hook. */
import type { WorkerConstructor } from "../../../../src/commands/worker.js";

export interface HeapReport {
  readonly usedBytes: number;
}

const heap = <Base extends WorkerConstructor>(base: Base) =>
  class extends base {
    childHeap(): HeapReport {
      return { usedBytes: this.helper(1) };
    }

    async childGrow(bytes: number, unit?: "kB"): Promise<string> {
      return await Promise.resolve(`${bytes}${unit ?? ""}`);
    }

    override onStart(): string {
      return "started";
    }

    override childReload(reason: string): string {
      return reason;
    }

    /** Begins like a command, but isn't one. */
    children(): number {
      return 0;
    }

    helper(value: number): number {
      return value;
    }
  };

export default heap;
