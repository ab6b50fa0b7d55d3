/** Header fields that all of the front's own answers have: never kept, never taken for something else, and nothing in them can act. */

/** A body that is no page needs nothing at all. Frames are for the app's own pages: one may show the outage in it. */
export const STRICT_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** See this file's header; `policy` is the `Content-Security-Policy`. */
export function ownFields(policy: string = STRICT_POLICY): {
  readonly [name: string]: string;
} {
  return {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": policy,
    "Referrer-Policy": "no-referrer",
  };
}
