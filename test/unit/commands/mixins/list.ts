/** A list of mixins for the tests of types. */
import type { WorkerConstructor } from "../../../../src/commands/worker.js";

const first = <Base extends WorkerConstructor>(base: Base) =>
  class extends base {
    childFirst(): 1 {
      return 1;
    }

    /** Also `heap.ts` has it. */
    childHeap(): "list" {
      return "list";
    }
  };

const second = <Base extends WorkerConstructor>(base: Base) =>
  class extends base {
    childSecond(name: string): { name: string } {
      return { name };
    }
  };

export default [first, second];
