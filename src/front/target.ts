/**
 * Request targets (RFC 9112 section 3.2): pure. Whatever a target says of a host, it only ever reaches this front's
 * processes: an absolute one is made a path, as a client would have sent it to a server that is no proxy.
 */

/** `http://host:8080/path?query`, without user information, which has no place in a request (RFC 9110 section 4.2.4). */
const ABSOLUTE = /^https?:\/\/([^/?#@]+)((?:[/?][^]*)?)$/i;

/**
 * The target as the process gets it: paths and `*` as they came, an absolute one without its scheme and host.
 *
 * @returns `undefined` for what is no target
 */
export function pathOf(method: string, url: string): string | undefined {
  if (url.startsWith("/")) return url;
  if (url === "*") return method === "OPTIONS" ? url : undefined;
  const rest = ABSOLUTE.exec(url)?.[2];
  if (rest === undefined) return undefined;
  // RFC 9112 section 3.2.4: such a target, without a path, is about the whole server.
  if (rest === "" && method === "OPTIONS") return "*";
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** The host, perhaps with a port, that an absolute target names. */
export function authorityOf(url: string): string | undefined {
  return url.startsWith("/") ? undefined : ABSOLUTE.exec(url)?.[1];
}
