/** Two workers after a save, of which one was a standby and the other booted cold: what either answers. */
import { expect } from "vitest";
import type { TestApp } from "./app.js";
import { get, reloaded, startSession } from "./session.js";
import type { Session } from "./session.js";
import { linesOf, standbyEvent } from "./standbys.js";

/** Answers to the same question, as text. */
export interface TwinAnswers {
  readonly standby: string;
  readonly cold: string;
}

/**
 * Starts two workers with one standby, which stands by before `likely`.
 *
 * @param likely - a source of the app; saved once as `text`, so that it's likely to change next
 */
export async function startTwins(
  app: TestApp,
  likely: string,
  text: string,
  target?: string,
): Promise<Session> {
  const session = await startSession(app, {
    ...(target === undefined ? {} : { target }),
    workers: 2,
    args: ["--standby", "1"],
  });
  await standbyEvent(session.cli, "ready");
  const from = session.cli.lines.length;
  app.write(likely, text);
  await reloaded(session.cli, "done", from);
  await standbyEvent(session.cli, "ready", from);
  return session;
}

/** What both workers answer, in the order of their indices; through the front, which knows the newest processes. */
export async function askBoth(
  { port }: Session,
  path = "/",
): Promise<[string, string]> {
  const texts = new Map<string, string>();
  while (texts.size < 2) {
    const pair = await Promise.all([get(port, path), get(port, path)]);
    for (const { text, headers } of pair)
      texts.set(String(headers["x-prefork-worker"]), text);
  }
  return [texts.get("0") ?? "", texts.get("1") ?? ""];
}

/** Saves, and asks both workers. Fails when none was a standby. */
export async function saveAndAsk(
  session: Session,
  file: string,
  text: string,
): Promise<TwinAnswers> {
  const { app, cli } = session;
  const from = cli.lines.length;
  app.write(file, text);
  const reload = await reloaded(cli, "any", from);
  expect(reload).toMatchObject({ outcome: "done", isStandby: true });
  const ready = linesOf(cli, "process", "ready", from);
  const worker = ready.find((line) => line["isStandby"] === true)?.["worker"];
  const [first, second] = await askBoth(session);
  return worker === 0
    ? { standby: first, cold: second }
    : { standby: second, cold: first };
}
