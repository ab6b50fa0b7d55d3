import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** The files that take minutes: begun first, or the others would have to wait for them at the end. */
const LONGEST = ["standby-soak", "saves-under-load", "kills", "standby-purity"];

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) =>
    moduleId.endsWith(`/${name}.test.ts`),
  );
  return place === -1 ? LONGEST.length : place;
}

class LongestFirst extends BaseSequencer {
  override async sort(
    files: TestSpecification[],
  ): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
          // Each file forks servers of its own, and waits a lot: two cores carry three files.
          maxWorkers: 3,
        },
      },
    ],
  },
});
