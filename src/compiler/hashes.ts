import { hash } from "node:crypto";

const LENGTH = 32;

/** 128 bits of sha256 in hexadecimal: the hash of contents and record keys. */
export function hashOf(data: string | Buffer): string {
  return hash("sha256", data, "hex").slice(0, LENGTH);
}
