/**
 * What answers mean for one save: a pure reading of them, and a wait until
 * there is nothing more to learn.
 */

/**
 * Follows one save.
 *
 * @param version - what a new answer says
 * @param savedAt - `performance.now()` just before the write
 * @param processes - how many processes have to answer with it
 */
export function observeSave(version, savedAt, processes) {
  const newPids = new Set();
  let firstNewAt;
  let lastPidAt;
  let lastOldAt = savedAt;
  let stale = 0;
  return {
    /**
     * Takes an answer; says whether it changed what is known. One from a
     * worker's own port (`isProbe`) only tells which processes are new.
     */
    take(answer, isProbe = false) {
      if (answer.sentAt < savedAt || answer.loss !== undefined) return false;
      if (answer.version === version) {
        if (!isProbe) firstNewAt ??= answer.receivedAt;
        if (newPids.has(answer.pid)) return false;
        newPids.add(answer.pid);
        lastPidAt = answer.receivedAt;
        return true;
      }
      lastOldAt = Math.max(lastOldAt, answer.receivedAt);
      const isStale = firstNewAt !== undefined && answer.sentAt > firstNewAt;
      if (isStale && !isProbe) stale++;
      return true;
    },
    seenAll: () => firstNewAt !== undefined && newPids.size >= processes,
    /** Times in milliseconds from the save; `undefined` when never seen. */
    result() {
      if (firstNewAt === undefined) return { stale };
      return {
        firstMs: firstNewAt - savedAt,
        allMs:
          newPids.size < processes
            ? undefined
            : Math.max(firstNewAt, lastPidAt, lastOldAt) - savedAt,
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
      if (!observer.take(answer, isProbe) || !observer.seenAll()) return;
      clearTimeout(quiet);
      quiet = setTimeout(end, settleMs);
    });
  });
}
