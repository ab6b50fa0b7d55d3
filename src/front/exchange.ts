/**
 * The life of one request: find a process, send, relay, and, where that is
 * safe, try elsewhere. It holds a lease from the moment that a process is picked until that process is done with it.
 *
 * Not here: which process (`admission.ts`, `policy.ts`), the wire (`attempt.ts`, `relay.ts`, `tunnel.ts`).
 */
import type { IncomingMessage } from "node:http";

import {
  badAnswer,
  badRequest,
  noAnswer,
  nothingReady,
  sendOwnAnswer,
  tooBusy,
} from "./answers.js";
import type { OwnAnswer } from "./answers.js";
import { asError, attemptRequest } from "./attempt.js";
import type { Attempt, AttemptFailure, Way } from "./attempt.js";
import { slowBody } from "./client-errors.js";
import type { ClientRequest, ClientResponse } from "./client.js";
import { clientHead } from "./client-head.js";
import type { ConnectionUse } from "./connections.js";
import { faultOfAnswer } from "./faults.js";
import type { ExchangeContext } from "./exchange-context.js";
import type { RequestHead } from "./headers.js";
import { isRepeatable } from "./policy.js";
import { isEventStream, relayAnswer, relayInformation } from "./relay.js";
import type { Lease, LeaseHolder, Target } from "./targets.js";
import { Tries } from "./tries.js";
import type { SeekHint } from "./tries.js";
import { openTunnel } from "./tunnel.js";
import type { Upgrade } from "./upgrade.js";
import { uploadClock } from "./upload-clock.js";
import type { UploadClock } from "./upload-clock.js";

/** One request, from the front's point of view. */
export class Exchange implements ConnectionUse, LeaseHolder {
  readonly #context: ExchangeContext;
  readonly #request: ClientRequest;
  readonly #upgrade: Upgrade | undefined;
  readonly #head: RequestHead;
  readonly #repeatable: boolean;
  readonly #tries: Tries;
  readonly #clock: UploadClock | undefined;
  #response: ClientResponse | undefined;
  #lease: Lease | undefined;
  #attempt: Attempt | undefined;
  #leaveWait: (() => void) | undefined;
  #isTunnel = false;
  #answered = false;
  #continued = false;
  #gone = false;

  /** @param to - where the answer goes: Node's response, or a connection that is to be upgraded */
  constructor(
    context: ExchangeContext,
    request: ClientRequest,
    to: { response: ClientResponse } | { upgrade: Upgrade },
  ) {
    this.#context = context;
    this.#request = request;
    if ("response" in to) this.#response = to.response;
    else this.#upgrade = to.upgrade;
    this.#head = clientHead(request, "upgrade" in to, context);
    this.#repeatable = isRepeatable(request.method, this.#head.hasBody);
    this.#clock = uploadClock(request, this.#head, {
      timeoutMs: context.limits.bodyTimeoutMs,
      onSlow: () => this.#onSlow(),
    });
    this.#tries = new Tries(this.#repeatable);
  }

  start(onDone: () => void): void {
    const response = this.#response;
    response?.on("error", () => undefined);
    response?.once("close", () => {
      if (!response.writableFinished) this.clientGone();
      onDone();
    });
    this.#seek();
  }

  /** The client has gone: nobody waits for this any more. */
  clientGone(): void {
    this.#gone = true;
    this.#leaveWait?.();
    // A tunnel closes its other side by itself.
    if (this.#isTunnel) return;
    this.#attempt?.cancel();
    this.#lease?.release();
  }

  breakOff(): "received" | "dropped" | "cut" {
    if (this.#request.complete) return "received";
    const isBegun = this.#response?.headersSent ?? false;
    this.clientGone();
    return isBegun ? "cut" : "dropped";
  }

  drained(): void {
    this.#response?.emit("drain");
  }

  abortUnanswered(reason: Error): void {
    if (!this.#answered) this.#attempt?.destroy(reason);
  }

  abortUnsent(reason: Error): void {
    if (this.#attempt?.isSent() === false) this.#attempt.destroy(reason);
  }

  #seek(hint: SeekHint = {}): void {
    const { admission, sessions } = this.#context;
    const home = sessions.homeOf(this.#request.url);
    const target = admission.find(this.#tries.avoid, "fresh", home);
    if (target !== undefined) {
      this.#send(target);
      return;
    }
    this.#leaveWait = admission.wait({
      ...hint,
      home,
      avoid: this.#tries.avoid,
      isRepeated: this.#tries.last !== undefined,
      onTarget: (found) => {
        this.#leaveWait = undefined;
        this.#send(found);
      },
      onTimeout: () => {
        this.#leaveWait = undefined;
        this.#onTimeout();
      },
    });
  }

  #onTimeout(): void {
    const { admission, outage, isClosing } = this.#context;
    const { last, avoid } = this.#tries;
    if (admission.isBusy(avoid)) {
      this.#answerOwn(tooBusy());
      return;
    }
    if (last !== undefined && admission.get(last.target.id) !== undefined) {
      this.#answerOwn(noAnswer(last.target.worker, last.error, "nowhere-else"));
      return;
    }
    this.#answerOwn(nothingReady(outage(), isClosing()));
  }

  #send(target: Target): void {
    const lease = this.#context.admission.lease(target, this);
    this.#lease = lease;
    try {
      this.#attempt = attemptRequest(
        this.#request,
        this.#head,
        target,
        this.#way(),
        {
          onUpload: () => this.#clock?.begin(),
          onInformation: (information) => {
            relayInformation(information, this.#request, this.#response);
            if (information.statusCode !== 100) return;
            this.#continued = true;
            this.#clock?.run();
          },
          onAnswer: (answer) => this.#onAnswer(answer, lease),
          onTunnel: (answer, socket, early) => {
            this.#answered = true;
            this.#context.counters.upgrades++;
            target.totals.upgrades++;
            const upgrade = this.#upgrade;
            if (upgrade === undefined) return void socket.destroy();
            this.#isTunnel = true;
            lease.becomeStream();
            openTunnel(
              answer,
              {
                client: upgrade.socket,
                clientEarly: upgrade.early,
                upstream: socket,
                upstreamEarly: early,
              },
              target.info,
              lease.release,
            );
          },
          onFailure: (failure) => {
            lease.release();
            this.#onFailure(failure, target);
          },
        },
      );
    } catch (error) {
      lease.release();
      this.#answerOwn(badRequest(asError(error)));
    }
  }

  #way(): Way {
    if (this.#upgrade !== undefined) return "tunnels";
    return this.#repeatable && !this.#tries.afresh ? "pooled" : "fresh";
  }

  #onSlow(): void {
    // An answer that is through, or under way, is the last that this connection carries.
    if (this.#response?.headersSent === true) this.#request.destroy();
    else this.#context.breakOff(this.#request, slowBody);
  }

  #onAnswer(answer: IncomingMessage, lease: Lease): void {
    this.#answered = true;
    lease.answered();
    const fault = faultOfAnswer(answer);
    if (fault !== undefined) {
      this.#onBadAnswer(new Error(fault), lease);
      return;
    }
    if (isEventStream(answer)) lease.becomeStream();
    const request = this.#request;
    const response = this.#respond();
    // The client was told not to send the body that it announced. What it sends next on this connection
    // can't be told from that body with certainty.
    const refused =
      this.#head.expectsContinue && !this.#continued && !request.complete;
    if (refused || this.#context.isClosing()) response.shouldKeepAlive = false;
    try {
      relayAnswer(answer, request, response, lease.target.info, () => {
        lease.release();
        if (refused) this.#attempt?.cancel();
      });
    } catch (error) {
      this.#onBadAnswer(asError(error), lease);
      return;
    }
    this.#context.sessions.watch(request.url, answer, lease.target);
    answer.once("close", lease.release);
  }

  /** Nothing of it was passed on, and its connection isn't used again. */
  #onBadAnswer(error: Error, lease: Lease): void {
    this.#attempt?.cancel();
    lease.release();
    this.#answerOwn(badAnswer(lease.target.info.worker, error));
  }

  #onFailure(failure: AttemptFailure, target: Target): void {
    if (this.#gone) return;
    const { admission, counters } = this.#context;
    const next = this.#tries.failed(
      target.info,
      failure,
      (avoid) => admission.find(avoid) !== undefined,
    );
    if ("status" in next) {
      this.#answerOwn(next);
      return;
    }
    counters.retries++;
    target.totals.retries++;
    this.#seek(next);
  }

  #answerOwn(own: OwnAnswer): void {
    if (this.#gone) return;
    const response = this.#respond();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    this.#context.counters.ownAnswers++;
    const { method, url } = this.#request;
    this.#context.log(
      `${own.status} ${method ?? ""} ${url ?? ""}: ${own.text.replaceAll("\n", " ")}`,
    );
    if (this.#context.isClosing()) response.shouldKeepAlive = false;
    sendOwnAnswer(response, own, this.#context.tokenFor(this.#request));
  }

  /** For an upgrade that comes to nothing, a response is made when there is something to say. */
  #respond(): ClientResponse {
    return (this.#response ??= this.#upgrade?.respond() ?? unreachable());
  }
}

function unreachable(): never {
  throw new Error("an exchange has a response or an upgrade");
}
