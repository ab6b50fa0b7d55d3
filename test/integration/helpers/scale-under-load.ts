/** 2 -> 6 -> 1 -> 3 workers behind an external front that is under load. */
import { expect } from "vitest";
import type { UpstreamKeeper } from "../../../src/upstream/keep-in-step.js";
import type { Backend } from "./backends.js";
import { startLoad } from "./load.js";
import type { LoadReport } from "./load.js";

const DEADLINE_MS = 30_000;

/**
 * Changes the list under load; servers that left are closed as soon as the front has confirmed, as the master does.
 *
 * @param startMore - makes new servers for workers 1 and 2
 */
export async function scaleUnderLoad(
  port: number,
  keeper: UpstreamKeeper,
  backends: readonly Backend[],
  startMore: () => Promise<readonly Backend[]>,
): Promise<LoadReport> {
  const answers = new AnswerCount();
  expect(await keeper.set(backends.slice(0, 2))).toBe(true);
  const load = startLoad({
    targets: [{ name: "front", port }],
    keepAlive: 3,
    freshPerSecond: 60,
    timeoutMs: 10_000,
    onAnswer: ({ worker }) => answers.add(worker),
  });
  await answers.from(times(10, [0, 1]));

  expect(await keeper.set(backends)).toBe(true);
  await answers.from(times(5, [0, 1, 2, 3, 4, 5]));

  expect(await keeper.set(backends.slice(0, 1))).toBe(true);
  const served = backends.map((backend) => backend.requests());
  await Promise.all(backends.slice(1).map((backend) => backend.close()));
  await answers.from(times(30, [0]));
  // Those that left got nothing after the confirmation.
  expect(backends.slice(1).map((backend) => backend.requests())).toEqual(
    served.slice(1),
  );

  const more = await startMore();
  const three = [...backends.slice(0, 1), ...more];
  expect(await keeper.set(three)).toBe(true);
  await answers.from(times(10, [0, 1, 2]));
  return await load.stop();
}

function times(count: number, workers: readonly number[]): number[] {
  return Array.from({ length: count }, () => workers).flat();
}

/** Waits for answers of certain workers. */
class AnswerCount {
  #onAnswer: (worker: number | undefined) => void = () => undefined;

  add(worker: number | undefined): void {
    this.#onAnswer(worker);
  }

  /** Fulfils when each of these has answered once more, as often as it's listed. */
  from(workers: readonly number[]): Promise<void> {
    const awaited = [...workers];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(
            `Waited ${DEADLINE_MS} ms for answers of workers ${awaited.join(", ")}`,
          ),
        );
      }, DEADLINE_MS);
      this.#onAnswer = (worker) => {
        const at = awaited.findIndex((each) => each === worker);
        if (at !== -1) awaited.splice(at, 1);
        if (awaited.length > 0) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * nginx closes idle connections of clients when it reloads, and a request may cross that on its way: RFC 9112, 9.3.1, has clients
 * repeat it. Nothing else may be lost.
 */
export function lostBeyondReloads({ lost }: LoadReport): LoadReport["lost"] {
  return lost.filter(
    ({ reason, reusedConnection }) => !(reason === "reset" && reusedConnection),
  );
}
