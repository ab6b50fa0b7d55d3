import { describe, expect, it } from "vitest";
import { sendCommand } from "../../../src/commands/sender.js";
import type { Answer } from "../../../src/commands/sender.js";
import { decode, encode } from "../../../src/commands/values.js";
import type { PreforkError } from "../../../src/errors.js";

/** Sends to a process that answers with this. */
async function send(answer: Answer, args: unknown[] = []): Promise<unknown> {
  return await sendCommand(
    { worker: 2, pid: 71, ask: () => Promise.resolve(answer) },
    "foo",
    args,
    1_234,
  );
}

async function failure(
  answer: Answer,
  args?: unknown[],
): Promise<PreforkError> {
  return await send(answer, args).then(
    () => Promise.reject(new Error("expected a failure")),
    (error: unknown) => error as PreforkError,
  );
}

const answer = { type: "answer", id: 1 } as const;

describe("what a process answers", () => {
  it("is the value, as structured cloning has it", async () => {
    const value = {
      when: new Date(5),
      map: new Map([["a", new Set([1n])]]),
      bytes: new Uint8Array([1, 2]),
      nothing: undefined,
    };
    expect(await send({ ...answer, value: encode(value) })).toEqual(value);
    expect(await send({ ...answer, value: encode(undefined) })).toBeUndefined();
  });

  it("can be a circle", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const clone = decode(encode(circle)) as Record<string, unknown>;
    expect(clone["self"]).toBe(clone);
  });

  it.each<[string, Answer, string, RegExp]>([
    [
      "that there's no such command",
      {
        ...answer,
        error: {
          reason: "unknown",
          name: "Error",
          message: "no method childFoo; there are: heap",
        },
      },
      "ERR_PREFORK_COMMAND_UNKNOWN",
      /"foo".*worker 2 \(pid 71\).*childFoo; there are: heap/,
    ],
    [
      "that the result can't be cloned",
      {
        ...answer,
        error: {
          reason: "value",
          name: "DataCloneError",
          message: "() => 1 could not be cloned.",
        },
      },
      "ERR_PREFORK_COMMAND_VALUE",
      /result.*worker 2 \(pid 71\).*could not be cloned/,
    ],
    [
      "nothing, and ends",
      "exited",
      "ERR_PREFORK_WORKER_GONE",
      /worker 2 \(pid 71\) ended before it answered/,
    ],
    [
      "nothing in time",
      "timeout",
      "ERR_PREFORK_COMMAND_TIMEOUT",
      /worker 2 \(pid 71\) didn't answer within 1234 ms/,
    ],
  ])(
    "may be %s: an error with its own code",
    async (_what, given, code, text) => {
      const error = await failure(given);
      expect(error.code).toBe(code);
      expect(error.message).toMatch(text);
    },
  );

  it("may be what it threw: the cause has it", async () => {
    const error = await failure({
      ...answer,
      error: {
        reason: "threw",
        name: "RangeError",
        message: "too far",
        stack: "RangeError: too far\n    at childFoo (/app/m.ts:3:9)",
        code: "E_FAR",
      },
    });
    expect(error.code).toBe("ERR_PREFORK_COMMAND_FAILED");
    expect(error.message).toContain("RangeError: too far");
    expect(error.cause).toMatchObject({
      name: "RangeError",
      message: "too far",
      code: "E_FAR",
      stack: expect.stringContaining("m.ts:3:9") as string,
    });
  });
});

describe("arguments", () => {
  it("that can't be cloned are refused before anything is sent, with their number", async () => {
    const error = await failure({ ...answer, value: encode(1) }, [1, () => 2]);
    expect(error.code).toBe("ERR_PREFORK_COMMAND_VALUE");
    expect(error.message).toContain("argument 2");
  });
});
