/** What the front says itself, where the app can't: every text in one place. */
import { formFor } from "./accept.js";
import type { ClientResponse } from "./client.js";
import { bodyOf } from "./own-body.js";
import { livePagePolicy, pagePolicy } from "./own-page.js";
import { STRICT_POLICY, ownFields } from "./own-policy.js";
import type { Outage } from "./types.js";

/** An answer of the front's own. */
export interface OwnAnswer {
  readonly status: 400 | 502 | 503;
  /** Says what happened and what to do; ends without a newline. */
  readonly text: string;
  /** Why it happened, where that's known. */
  readonly outage?: Outage;
  /** Is there nothing but waiting until something is ready? */
  readonly isOutage?: boolean;
}

/** Nothing could take the request in time. */
export function nothingReady(
  outage: Outage | undefined,
  stopping: boolean,
): OwnAnswer {
  if (stopping) {
    return { status: 503, text: "prefork-dev is stopping." };
  }
  const why =
    outage?.title ??
    "No worker is ready. The terminal shows what they are doing.";
  return {
    status: 503,
    isOutage: true,
    text: `prefork-dev: nothing is ready to answer this request. ${why}`,
    ...(outage === undefined ? {} : { outage }),
  };
}

/** All that could take the request had their hands full, for too long or with too many others that wait. */
export function tooBusy(): OwnAnswer {
  return {
    status: 503,
    text:
      "prefork-dev: every worker has as many requests in hand as it may (concurrency), and no more can wait for so long " +
      "(maxHeld, holdTimeoutMs). Try again, or raise one of these or the number of workers.",
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

/** Clients whose script sees when the app serves look by themselves as well, but seldom. */
const SELDOM_SECONDS = "10";

/**
 * Sends an answer of the front's own, in the form that the client asks for. Never cached.
 *
 * @param token - for a page that may ask the front's own endpoints
 */
export function sendOwnAnswer(
  response: ClientResponse,
  own: OwnAnswer,
  token?: string,
): void {
  const { method, headers } = response.req;
  const form = formFor(headers.accept);
  const isPage = form === "html";
  // What was sent with another method would be lost: a page is fetched anew with GET.
  const isRefreshed = isPage && own.status === 503 && method === "GET";
  // What is busy is ready all the same: there is nothing to wait for but time.
  const isLive = isRefreshed && own.isOutage === true && token !== undefined;
  const { type, text } = bodyOf(own, form, isLive ? token : undefined);
  const body = Buffer.from(text);
  response.writeHead(own.status, {
    "Content-Type": type,
    "Content-Length": body.length,
    ...ownFields(
      isPage ? (isLive ? livePagePolicy : pagePolicy) : STRICT_POLICY,
    ),
    ...(own.status === 503 ? { "Retry-After": "1" } : {}),
    ...(isRefreshed ? { Refresh: isLive ? SELDOM_SECONDS : "1" } : {}),
  });
  response.end(body);
}
