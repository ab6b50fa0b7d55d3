/**
 * What answers mean for an edit: a pure reading of them, and a wait until
 * there is nothing more to learn.
 */

/**
 * Follows one edit of one file: a save, or several in a row of which the last
 * is timed. Versions are numbers that only grow.
 *
 * @param processes - how many processes have to answer with the last version
 */
export function observeEdit(processes) {
  /** When each version was saved and first answered with. */
  const savedAt = [];
  const seen = [];
  let version;
  let newPids = new Set();
  let firstNewAt;
  let lastPidAt;
  let lastOldAt;
  let stale = 0;
  return {
    /** Just before the write, time by `performance.now()`. */
    saved(nextVersion, at) {
      version = nextVersion;
      savedAt.push(at);
      newPids = new Set();
      firstNewAt = lastPidAt = undefined;
      lastOldAt = at;
    },
    /**
     * Takes an answer; says whether it changed what is known. One from a
     * worker's own port (`isProbe`) only tells which processes are new.
     */
    take(answer, isProbe = false) {
      if (answer.loss !== undefined || answer.sentAt < savedAt[0]) return false;
      const answered = Number(answer.version);
      if (!isProbe) {
        const isStale = seen.some(
          (each) => each.version > answered && each.at < answer.sentAt,
        );
        if (isStale) stale++;
        if (!seen.some((each) => each.version >= answered)) {
          seen.push({ version: answered, at: answer.receivedAt });
        }
      }
      if (answered === version) {
        const isFirst = !isProbe && firstNewAt === undefined;
        if (isFirst) firstNewAt = answer.receivedAt;
        if (newPids.has(answer.pid)) return isFirst;
        newPids.add(answer.pid);
        lastPidAt = answer.receivedAt;
        return true;
      }
      // What was asked before the last save may well be answered by older code.
      if (answer.sentAt < savedAt.at(-1)) return false;
      lastOldAt = Math.max(lastOldAt, answer.receivedAt);
      return true;
    },
    seenAll: () => firstNewAt !== undefined && newPids.size >= processes,
    /** Times in milliseconds from the last save; `undefined` when never seen. */
    result() {
      if (firstNewAt === undefined) return { stale };
      const from = savedAt.at(-1);
      return {
        firstMs: firstNewAt - from,
        allMs:
          newPids.size < processes
            ? undefined
            : Math.max(firstNewAt, lastPidAt, lastOldAt) - from,
        stale,
      };
    },
  };
}

/**
 * Resolves when all processes are new and nothing old was seen for `settleMs`,
 * when `timeoutMs` has passed, or when `over` resolves: then nothing will come.
 *
 * @param subscribe - takes a listener `(answer, isProbe)`, returns its removal
 */
export function settled(observer, subscribe, { settleMs, timeoutMs, over }) {
  return new Promise((resolve) => {
    let quiet;
    const end = () => {
      unsubscribe();
      clearTimeout(quiet);
      clearTimeout(deadline);
      resolve();
    };
    const deadline = setTimeout(end, timeoutMs);
    void over.then(() => end());
    const unsubscribe = subscribe((answer, isProbe) => {
      if (!observer.take(answer, isProbe)) return;
      clearTimeout(quiet);
      if (observer.seenAll()) quiet = setTimeout(end, settleMs);
    });
  });
}
