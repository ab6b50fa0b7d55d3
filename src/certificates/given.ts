/** The certificate that the user gave: read, checked, and read again when its files change, as when `mkcert` has renewed it. */
import { watchFile, unwatchFile } from "node:fs";
import fs from "node:fs/promises";
import { PreforkError, messageOf } from "../errors.js";
import { checkPair, expiresWithin } from "./pair.js";
import type { PairFiles } from "./pair.js";
import type { CertificateInfo, CertificatePair } from "./types.js";

/** How often the files are looked at. Renewals are written in two pieces, and no one waits for them. */
const LOOK_MS = 1_000;

/**
 * Reads both files.
 *
 * @throws PreforkError `ERR_PREFORK_CERTIFICATE` naming the file
 */
export async function readGiven(
  files: PairFiles,
  passphrase: string | undefined,
): Promise<{ pair: CertificatePair; info: CertificateInfo }> {
  const [cert, key] = await Promise.all([
    read(files.cert, "certificate"),
    read(files.key, "key"),
  ]);
  const pair = {
    ...{ cert, key },
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  return { pair, info: checkPair(pair, files, false) };
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await fs.readFile(file, "utf8");
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_CERTIFICATE",
      `The ${what} ${file} can't be read: ${messageOf(cause)}. Check --cert and --key, or the options cert and key.`,
      { cause },
    );
  }
}

/** What to say of a certificate that clients won't take, if so. */
export function warningOf(info: CertificateInfo): string | undefined {
  if (!expiresWithin(info, 0)) return undefined;
  return `The certificate ${info.file} is out of date since ${info.validTo}: browsers will refuse it. Renew it; it's read again by itself.`;
}

/**
 * Calls back whenever one of the files has changed.
 *
 * @returns ends that
 */
export function followFiles(
  { cert, key }: PairFiles,
  onChange: () => void,
): () => void {
  const files = [...new Set([cert, key])];
  for (const file of files)
    watchFile(file, { interval: LOOK_MS, persistent: false }, onChange);
  return () => {
    for (const file of files) unwatchFile(file, onChange);
  };
}
