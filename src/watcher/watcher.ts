/**
 * The watcher: it is told paths, and gives batches of those that changed.
 *
 * It doesn't know what a source is or what a change means; the composition root calls it. Nor does it believe events:
 * an event only says where to look, and whether something changed is decided by comparing a file's stamp with the one
 * before. So nothing is lost that an event was merged, delayed or dropped for, and nothing is reported twice.
 *
 * Directories are watched, not files, which is why every way of saving is seen; and each one is watched by itself,
 * never what is below it. A file that is reached through a symbolic link is only seen under its real path.
 */
import path from "node:path";
import { PreforkError } from "../errors.js";
import { createAppearances } from "./appearances.js";
import { createBatcher } from "./batcher.js";
import type { OpenEye } from "./eye.js";
import { createEyes, isSameSet } from "./eyes.js";
import { createEyeOpener } from "./open-eye.js";
import {
  codeNamesIn,
  identityOf,
  isCodeName,
  isRacy,
  isSameStamp,
  stampOf,
} from "./stamp.js";
import { createGitLock } from "./git-lock.js";
import type { FileStamp, Watched, Watcher, WatcherOptions } from "./types.js";

/** A deleted file is waited for this long: delete-and-recreate is one change. */
const MISSING_MS = 100;
/** inotify's queue holds 16,384 events (Linux default); those beyond are lost, and Node doesn't tell. */
const HINTS_THAT_MAY_OVERFLOW = 4_000;

/** No file has this stamp. */
const NOWHERE: FileStamp = { mtimeMs: -1, size: -1, ino: -1, birthtimeMs: -1 };

/** What tests replace. */
export interface WatcherEffects {
  readonly openNative?: OpenEye;
  readonly stampOf?: (file: string) => FileStamp | undefined;
}

function milliseconds(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw new PreforkError(
    "ERR_PREFORK_OPTION",
    `The watcher's option ${name} is ${value}. Give it a number of milliseconds, at least ${least}.`,
  );
}

/**
 * Makes a watcher; nothing is watched before its `watch`. Whoever made it closes it.
 *
 * @throws PreforkError ERR_PREFORK_OPTION - an option is no usable number
 */
export function createWatcher(
  options: WatcherOptions,
  effects: WatcherEffects = {},
): Watcher {
  const stamp = effects.stampOf ?? stampOf;
  const settleMs = milliseconds("settleMs", options.settleMs ?? 60, 0);
  const poll =
    options.poll === undefined
      ? undefined
      : milliseconds("poll", options.poll, 1);

  let watched: Watched = { files: new Set(), directories: new Set() };
  /** What each file of the set looked like when it was last reported, or first seen. */
  let stamps = new Map<string, FileStamp | undefined>();
  /** The files whose stamp can't prove that nothing happened since, see `isRacy`. */
  const racy = new Set<string>();
  /** The files of the set by directory. */
  let filesIn = new Map<string, string[]>();
  /** The code files' names in each directory of the set. */
  let namesIn = new Map<string, Set<string>>();
  let hints = 0;
  let settleTimer: NodeJS.Timeout | undefined;
  const unsettled = new Set<string>();
  let closing: Promise<void> | undefined;

  const batcher = createBatcher({
    quietMs: milliseconds("quietMs", options.quietMs ?? 5, 0),
    capMs: milliseconds("capMs", options.capMs ?? 250, 0),
    missingMs: MISSING_MS,
    isBusy: createGitLock(),
    isMissing: (paths) => {
      for (const file of paths) {
        if (stamps.get(file) !== undefined && stamp(file) === undefined)
          return true;
      }
      return false;
    },
    onDirty: options.onDirty,
    onBatch: (batch) => {
      for (const file of batch.paths) remember(file);
      settleLater(batch.paths);
      options.onBatch(batch);
    },
  });

  const eyes = createEyes({
    open: createEyeOpener({
      poll,
      onError: options.onError,
      ...(effects.openNative && { openNative: effects.openNative }),
    }),
    identityOf,
    namesIn: (directory) =>
      (filesIn.get(directory) ?? []).map((file) => path.basename(file)),
    onHint: (directory, name) => {
      hints += 1;
      if (hints === HINTS_THAT_MAY_OVERFLOW) settleLater(new Set());
      const entry = path.join(directory, name);
      if (stamps.has(entry)) {
        inspect(entry, true);
        return;
      }
      if (namesIn.has(directory) && isCodeName(name)) inspectName(entry);
      appearances.hint(directory, name);
    },
    onLook: look,
  });
  const appearances = createAppearances({
    open: (directory) => eyes.add(directory),
    onFile: (file) => {
      if (batcher.has(file)) batcher.prolong();
      // What is watched is known by its stamp.
      else if (!stamps.has(file)) batcher.add(file);
    },
  });

  /** This is what the path is like from now on. */
  function remember(file: string): void {
    const now = stamp(file);
    racy.delete(file);
    if (stamps.has(file)) {
      stamps.set(file, now);
      // Polling says when it looked, not when something happened: its hints prove nothing more.
      const canProve = poll !== undefined || now === undefined;
      if (!canProve && isRacy(now, Date.now())) racy.add(file);
    }
    const names = namesIn.get(path.dirname(file));
    if (names === undefined || !isCodeName(file)) return;
    if (now === undefined) names.delete(path.basename(file));
    else names.add(path.basename(file));
  }

  function inspect(file: string, isHinted: boolean): void {
    // What the batch's files are like is found when it closes; until then it matters only that they aren't quiet.
    if (batcher.has(file)) {
      if (isHinted) batcher.prolong();
      return;
    }
    const now = stamp(file);
    const isSame = isSameStamp(stamps.get(file), now);
    if (!isSame || (isHinted && racy.has(file))) batcher.add(file);
    // From here on, a write would show.
    else if (now !== undefined && !isRacy(now, Date.now())) racy.delete(file);
  }

  function inspectName(file: string): void {
    const isKnown = namesIn.get(path.dirname(file))?.has(path.basename(file));
    if (batcher.has(file)) batcher.prolong();
    else if ((stamp(file) !== undefined) !== isKnown) batcher.add(file);
  }

  function look(directory: string): void {
    for (const file of filesIn.get(directory) ?? []) {
      if (stamps.has(file)) inspect(file, false);
    }
    appearances.look(directory);
    const known = namesIn.get(directory);
    if (known === undefined) return;
    const names = codeNamesIn(directory);
    for (const name of new Set([...known, ...names])) {
      const file = path.join(directory, name);
      if (known.has(name) !== names.has(name) && !batcher.has(file))
        batcher.add(file);
    }
  }

  /** Looks at the files once more: the last event of a burst may have been lost. */
  function settleLater(paths: ReadonlySet<string>): void {
    for (const file of paths) unsettled.add(file);
    clearTimeout(settleTimer);
    settleTimer = setTimeout(() => {
      const isAll = hints >= HINTS_THAT_MAY_OVERFLOW;
      const files = [...unsettled];
      hints = 0;
      unsettled.clear();
      if (isAll) eyes.lookEverywhere();
      for (const file of files) {
        if (stamps.has(file)) inspect(file, false);
        else if (namesIn.has(path.dirname(file)) && isCodeName(file))
          inspectName(file);
      }
    }, settleMs);
  }

  return {
    watch: (set, seen) => {
      if (closing !== undefined) return;
      // Called after each build; nearly always it is the same set, and must then not cost what its size is.
      const isSame =
        set.expected === watched.expected &&
        isSameSet(set.files, watched.files) &&
        isSameSet(set.directories, watched.directories);
      if (isSame) return;
      watched = {
        files: new Set(set.files),
        directories: new Set(set.directories),
        expected: set.expected,
      };
      const former = { stamps, namesIn };
      stamps = new Map();
      filesIn = new Map();
      namesIn = new Map();
      const added: string[] = [];
      for (const file of set.files) {
        if (former.stamps.has(file)) stamps.set(file, former.stamps.get(file));
        else added.push(file);
        const directory = path.dirname(file);
        const files = filesIn.get(directory);
        if (files === undefined) filesIn.set(directory, [file]);
        else files.push(file);
      }
      for (const directory of set.directories) {
        const names = former.namesIn.get(directory);
        if (names !== undefined) namesIn.set(directory, names);
      }
      // First the eyes, then the first look: so that there is no moment that neither sees.
      const named = [...filesIn.keys(), ...set.directories];
      eyes.want(new Set([...named, ...appearances.directories]));
      for (const directory of set.directories) {
        if (!namesIn.has(directory))
          namesIn.set(directory, codeNamesIn(directory));
      }
      for (const file of added) {
        const current = stamp(file);
        const readAt = seen?.get(file);
        if (readAt === undefined) {
          stamps.set(file, current);
          continue;
        }
        // As the caller saw it: what is different by now is a change.
        stamps.set(file, { ...(current ?? NOWHERE), mtimeMs: readAt });
        inspect(file, false);
      }
      for (const file of racy) if (!stamps.has(file)) racy.delete(file);
      if (appearances.expect(set.expected))
        eyes.want(new Set([...named, ...appearances.directories]));
    },
    ready: () => Promise.resolve(),
    close: () => {
      if (closing === undefined) {
        clearTimeout(settleTimer);
        batcher.close();
        eyes.close();
        closing = Promise.resolve();
      }
      return closing;
    },
  };
}
