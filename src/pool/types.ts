/** The plain values of the pool. Types only. */
import type { Diagnostic } from "../diagnostic.js";
import type {
  AheadStep,
  MixinOutput,
  ResolveAnswer,
  ResolveRequest,
  ServedProtocol,
} from "../ipc/messages.js";

/** What a process is to run: one generation's program. */
export interface Program {
  /** The generation's number. */
  readonly generation: number;
  /** Absolute path of the compiled entry. */
  readonly output: string;
  /** Absolute path of the original entry. */
  readonly entry: string;
  /** The modules of mixins, in the order in which they're applied. */
  readonly mixins: readonly MixinOutput[];
  /** The environment, whole. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of a directory for V8's code cache. */
  readonly codeCache: string;
  /** Answers a computed specifier of a process that runs this program. */
  readonly resolve: (request: ResolveRequest) => Promise<ResolveAnswer>;
  /** What a standby may do before it's known what the next program is. */
  readonly ahead: Ahead;
}

/** How far a standby goes: up to what is likely to change next, or, for a surprise, hardly into the project. */
export type StandbyDepth = "deep" | "shallow";

/** A module that was evaluated ahead. */
export interface EvaluatedModule {
  /** A source's original path, or a package's file. */
  readonly path: string;
  /** Another one: it changed. */
  readonly identity: string;
}

/** A step, and the original that it's about. */
export interface PlannedStep extends AheadStep {
  readonly path: string;
}

/** What a standby does ahead, in order. */
export interface StandbyPlan {
  /** Compiled files to load without evaluating them, dependencies first. */
  readonly link: readonly string[];
  readonly steps: readonly PlannedStep[];
  /** Everything that the steps evaluate, in order. */
  readonly evaluated: readonly EvaluatedModule[];
  /** The source where it ends, if not at the entry. */
  readonly stoppedBy: string | undefined;
}

/** How a program can be started ahead. Made by `ahead.ts` of the composition root, which knows the build. */
export interface Ahead {
  /** What can't differ between what a standby was forked with and the program it gets: environment, packages, entry. */
  readonly surroundings: string;
  /** `process.argv[1]` of the program; is its compiled form an ES module? */
  readonly isModule: boolean;
  /** @param isBarred - modules that are not to be evaluated ahead since they misbehaved */
  plan(
    depth: StandbyDepth,
    isBarred: (path: string) => boolean,
  ): Promise<StandbyPlan>;
  /** Whether a process that evaluated this did what a cold boot of the program would have done first: `undefined`, or why not. */
  misfit(evaluated: readonly EvaluatedModule[]): Promise<string | undefined>;
  /** A module's identity in the program, as {@link EvaluatedModule} has it. */
  identityOf(path: string): string | undefined;
}

/** A standby's state. */
export interface StandbyStatus {
  readonly pid: number;
  /** `booting` until it stands by. */
  readonly state: "booting" | "ready";
  /** The newest generation that it fits. */
  readonly generation: number;
  readonly depth: StandbyDepth;
  /** How many modules it has evaluated. */
  readonly evaluated: number;
  /** The source before which it stopped; `undefined`: it evaluated all but inert ones. */
  readonly stoppedBy: string | undefined;
  /** Resident memory when it began to stand by, in bytes. Much of it is shared with the other processes. */
  readonly rssBytes: number | undefined;
}

/** What happens to standbys. */
export type StandbyEvent =
  | { readonly kind: "forked"; readonly pid: number }
  | {
      readonly kind: "ready";
      readonly pid: number;
      readonly depth: StandbyDepth;
      readonly evaluated: number;
      readonly stoppedBy: string | undefined;
      readonly rssBytes: number;
      /** From fork to standing by. */
      readonly bootMs: number;
    }
  | {
      readonly kind: "discarded";
      readonly pid: number;
      readonly reason: string;
    }
  /** A module isn't evaluated ahead any more, until it changes. */
  | { readonly kind: "barred"; readonly path: string; readonly reason: string };

/** Times of a process's life, in milliseconds. Documented where they are options of the server. */
export interface Deadlines {
  readonly bootTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly lingerMs: number;
  readonly hookTimeoutMs: number;
}

/** A line that a process wrote to stdout or stderr. */
export interface OutputLine {
  readonly worker: number;
  readonly pid: number;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the process said about its end, if it could. */
  readonly diagnostic: Diagnostic | undefined;
  /** The last lines that it wrote to stderr. */
  readonly lastWords: readonly string[];
}

/** A ready process. */
export interface ReadyProcess {
  readonly protocol: ServedProtocol;
  /** From fork, or a standby's activation, to listening. */
  readonly bootMs: number;
  /** … of it: until the process began to load the program; */
  readonly activateMs: number;
  /** until the program called `listen()`, */
  readonly loadMs: number;
  /** until it listened and the master knew. */
  readonly listenMs: number;
}
