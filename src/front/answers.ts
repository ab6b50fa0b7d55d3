/** What the front says itself, where the app can't: every text in one place. */
import type { ServerResponse } from "node:http";

/** An answer of the front's own. */
export interface OwnAnswer {
  readonly status: 400 | 502 | 503;
  /** Says what happened and what to do; ends without a newline. */
  readonly text: string;
}

/** Nothing could take the request in time. */
export function nothingReady(
  outage: string | undefined,
  stopping: boolean,
): OwnAnswer {
  if (stopping) {
    return { status: 503, text: "prefork-dev is stopping." };
  }
  const why =
    outage ?? "No worker is ready. The terminal shows what they are doing.";
  return {
    status: 503,
    text: `prefork-dev: nothing is ready to answer this request.\n\n${why}`,
  };
}

const notRepeated = {
  repeated:
    "A second process did the same, so the request was not tried again.",
  unsafe:
    "It may have begun the work, so the request was not given to another process.",
  "nowhere-else": "There was no other process to try.",
} as const;

/** The process was lost, or hung up, after it had (or may have) seen the request. */
export function noAnswer(
  worker: number,
  error: Error,
  why: keyof typeof notRepeated,
): OwnAnswer {
  return {
    status: 502,
    text:
      `prefork-dev: worker ${worker} died or hung up before it answered this request ` +
      `(${error.message}).\n${notRepeated[why]} The terminal shows why it ended.`,
  };
}

/** The process was connected to, but what it said is no HTTP answer that can be passed on. */
export function badAnswer(worker: number, error: Error): OwnAnswer {
  return {
    status: 502,
    text: `prefork-dev: worker ${worker} answered with something that can't be passed on (${error.message}).`,
  };
}

/** Node's client won't send it. */
export function badRequest(error: Error): OwnAnswer {
  return {
    status: 400,
    text: `prefork-dev: this request can't be passed on (${error.message}).`,
  };
}

/** Sends an answer of the front's own. Never cached. */
export function sendOwnAnswer(response: ServerResponse, own: OwnAnswer): void {
  const body = Buffer.from(`${own.text}\n`);
  response.writeHead(own.status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(own.status === 503 ? { "Retry-After": "1" } : {}),
  });
  response.end(body);
}
