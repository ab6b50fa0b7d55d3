import { describe, expect, it } from "vitest";
import type { CommandMessage } from "../../../src/ipc/messages.js";
import { PendingAnswers } from "../../../src/pool/pending-answers.js";

function pending(): {
  readonly answers: PendingAnswers;
  readonly sent: CommandMessage[];
  readonly exit: () => void;
} {
  const sent: CommandMessage[] = [];
  let exit = (): void => undefined;
  const exited = new Promise<void>((resolve) => (exit = resolve));
  const answers = new PendingAnswers((message) => sent.push(message), exited);
  return { answers, sent, exit: () => exit() };
}

describe("commands under way", () => {
  it("each get their own answer, in whatever order they come", async () => {
    const { answers, sent } = pending();
    const first = answers.ask("a", "x", 60_000);
    const second = answers.ask("b", "y", 60_000);
    expect(sent.map(({ name, args }) => [name, args])).toEqual([
      ["a", "x"],
      ["b", "y"],
    ]);
    const [a, b] = sent.map(({ id }) => id);
    answers.received({ type: "answer", id: b ?? 0, value: "2" });
    answers.received({ type: "answer", id: a ?? 0, value: "1" });
    expect(await second).toMatchObject({ value: "2" });
    expect(await first).toMatchObject({ value: "1" });
  });

  it("end with the process, also those that are sent after its end", async () => {
    const { answers, exit } = pending();
    const asked = answers.ask("a", "", 60_000);
    exit();
    expect(await asked).toBe("exited");
    expect(await answers.ask("b", "", 60_000)).toBe("exited");
  });

  it("end at their deadline; an answer that comes later finds nobody", async () => {
    const { answers, sent } = pending();
    expect(await answers.ask("a", "", 1)).toBe("timeout");
    answers.received({ type: "answer", id: sent[0]?.id ?? 0, value: "1" });
    answers.received({ type: "answer", id: 99, value: "?" });
  });
});
