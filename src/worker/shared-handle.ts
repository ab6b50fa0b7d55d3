/**
 * A listening socket that the master owns, as a process receives it: Node's
 * internal `TCP` object, which `server.listen(handle)` takes (Node docs,
 * net, "server.listen(handle[, backlog][, callback])").
 */
export interface SharedHandle {
  /** listen(2); also starts accepting at the end of this tick. Returns 0 or a negative errno. */
  listen(backlog: number): number;
  /** Closes this process's copy. Harmless when closed already. */
  close(): void;
}
