/**
 * Boots a process for a place: a standby if one fits, else one that is forked now. It carries out one boot;
 * whether and when there is one is decided in `decide.ts`, what follows from it in `master.ts`.
 */
import type { Diagnostic } from "../diagnostic.js";
import { messageOf } from "../errors.js";
import { BootFailure } from "../pool/boot-failure.js";
import type { Forker } from "../pool/forker.js";
import type { StandbyPool } from "../pool/standby-pool.js";
import type { Program, ReadyProcess } from "../pool/types.js";
import type { PlacedProcess, WorkerPlace } from "../pool/worker-place.js";
import type { WorkerProcess } from "../pool/worker-process.js";
import { startReason } from "./place.js";
import type { Place, Serving } from "./place.js";
import type { Canary, ProcessEvent, ServingProcess, Traffic } from "./types.js";

export interface BootOptions {
  readonly forker: Forker;
  readonly standbys: StandbyPool;
  readonly traffic: Traffic;
  readonly onEvent: (event: ProcessEvent) => void;
}

export type BootResult =
  | {
      readonly kind: "ready";
      readonly serving: Serving;
      readonly canary: Canary;
    }
  | {
      readonly kind: "failed";
      readonly placed: PlacedProcess;
      readonly diagnostic: Diagnostic;
    };

/**
 * See this file's header. Sets `place.booting`; if that is another one at the end, the boot was given up
 * meanwhile, and its result is of no interest.
 */
export async function boot(
  place: Place,
  program: Program,
  isCanary: boolean,
  options: BootOptions,
): Promise<BootResult> {
  const { forker, standbys } = options;
  const standby = standbys.take(program, isCanary);
  if (standby !== undefined) {
    const result = await bootWith(place, program, standby, true, options);
    if (result.kind !== "failed" || standby.explained) return result;
    if (place.booting !== result.placed) return result;
    // What was wrong may have been the standby: a cold boot decides.
    standbys.returned(standby, program);
  }
  const fresh = forker.fork(program);
  return await bootWith(place, program, fresh, false, options);
}

async function bootWith(
  place: Place,
  program: Program,
  process: WorkerProcess,
  isStandby: boolean,
  options: BootOptions,
): Promise<BootResult> {
  const { forker, traffic, onEvent } = options;
  const { worker } = place;
  const { generation } = program;
  const reason = startReason(place, generation);
  const placed = worker.place(process, program);
  place.booting = placed;
  const identity = { worker: worker.index, pid: process.pid, generation };
  onEvent({
    kind: isStandby ? "activated" : "forked",
    ...identity,
    port: worker.port,
    reason,
  });
  try {
    const ready = await whenReady(placed, worker, isStandby, forker);
    const target: ServingProcess = {
      id: placed.id,
      socketPath: placed.socketPath,
      protocol: ready.protocol,
      ...identity,
    };
    const readyAt = performance.now();
    await traffic.connect(target);
    if (process.gone)
      throw new BootFailure({
        message: "the process died as soon as it was ready",
      });
    const admittedAt = performance.now();
    const connectMs = admittedAt - readyAt;
    return {
      kind: "ready",
      serving: { placed, target, readyAt: admittedAt, bootMs: ready.bootMs },
      canary: { ...ready, id: placed.id, isStandby, connectMs, admittedAt },
    };
  } catch (error) {
    await process.kill();
    worker.forget(placed);
    const diagnostic =
      error instanceof BootFailure
        ? error.diagnostic
        : { message: messageOf(error) };
    return { kind: "failed", placed, diagnostic };
  }
}

function whenReady(
  placed: PlacedProcess,
  worker: WorkerPlace,
  isStandby: boolean,
  forker: Forker,
): Promise<ReadyProcess> {
  if (isStandby) return worker.whenReady(placed, undefined);
  return worker.whenReady(placed, (order) =>
    forker.begin(placed.process, worker.index, order),
  );
}
