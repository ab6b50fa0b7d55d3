/**
 * What the front tells a process of the client and of earlier hops: `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
 * (RFC 7239). Pure. docs/front.md has the rule: who is trusted to have said something, and what becomes of it.
 */

import type { TrustProxy } from "./types.js";

/** What is known of the hop from the client to the front. */
export interface Hop {
  /** The client's address, where it is still known; as {@link plainAddress} gives it. */
  readonly remoteAddress: string | undefined;
  readonly protocol: "http" | "https";
  /** The `Host` that the process gets. */
  readonly host: string;
}

/** Where the fields of earlier hops stand in a raw list: the indexes of their (last) values. */
export interface ForwardedPlaces {
  for?: number;
  proto?: number;
  host?: number;
  forwarded?: number;
}

/** The field that a lower-case name is, among those of this file. */
export const forwardedFields: ReadonlyMap<string, keyof ForwardedPlaces> =
  new Map([
    ["x-forwarded-for", "for"],
    ["x-forwarded-proto", "proto"],
    ["x-forwarded-host", "host"],
    ["forwarded", "forwarded"],
  ]);

/** Whether what a peer says of earlier hops is believed. */
export function isTrusted(
  trust: TrustProxy,
  address: string | undefined,
): boolean {
  if (trust !== "loopback") return trust === "all";
  return (
    address !== undefined && (address === "::1" || address.startsWith("127."))
  );
}

/** An address as everybody writes it: a socket that takes both families shows IPv4 as `::ffff:192.0.2.1`. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true && address.includes(".")
    ? address.slice("::ffff:".length)
    : address;
}

/**
 * Adds this hop. Lists get one more element, in the field that is there: not every reader joins several. What a trusted
 * peer says of the protocol and host stays: it knows what the client really asked for, and readers disagree
 * on which of several values counts (Express takes the first, Fastify the last).
 *
 * @param headers - a raw list, changed in place; what isn't believed is no longer in it
 * @param places - where what is believed stands
 */
export function addHop(
  headers: string[],
  places: ForwardedPlaces | undefined,
  hop: Hop,
): void {
  const { remoteAddress, protocol, host } = hop;
  if (remoteAddress !== undefined) {
    append(headers, places?.for, "X-Forwarded-For", remoteAddress);
  }
  if (places?.proto === undefined) headers.push("X-Forwarded-Proto", protocol);
  if (places?.host === undefined) headers.push("X-Forwarded-Host", host);
  append(
    headers,
    places?.forwarded,
    "Forwarded",
    `for=${node(remoteAddress)};host="${host}";proto=${protocol}`,
  );
}

function append(
  headers: string[],
  place: number | undefined,
  name: string,
  element: string,
): void {
  if (place === undefined) {
    headers.push(name, element);
    return;
  }
  const before = headers[place] ?? "";
  headers[place] = before === "" ? element : `${before}, ${element}`;
}

/** RFC 7239 section 6: an IPv6 address stands in brackets, and so in quotes. */
function node(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}
