/**
 * The self-signed certificate, kept: browsers that were told to trust it go on doing so. One file for each set of names, with the
 * certificate and its key, so that neither is ever seen without the other.
 */
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import { makeCertificate } from "./make.js";
import { checkPair, expiresWithin } from "./pair.js";
import type { CertificateInfo, CertificatePair } from "./types.js";

/** Made anew when there are no more days than this. */
const RENEW_DAYS = 30;
/** Valid for these in any case. */
const LOCAL_NAMES = ["localhost", "*.localhost", "127.0.0.1", "::1"];

export interface OwnCertificate {
  readonly pair: CertificatePair;
  readonly info: CertificateInfo;
}

/**
 * The names of a certificate for a front on this host.
 *
 * @param allowed - further names that it answers to; one with a dot in front stands for those below it as well
 */
export function ownNames(
  host: string,
  allowed: readonly string[] = [],
): string[] {
  const isAny = host === "0.0.0.0" || host === "::";
  const further = allowed
    .map((name) => name.replaceAll(/^\[|[\].]$/g, "").toLowerCase())
    .flatMap((name) =>
      name.startsWith(".") ? [name.slice(1), `*${name}`] : [name],
    );
  return [...new Set([...LOCAL_NAMES, ...(isAny ? [] : [host]), ...further])];
}

/**
 * The certificate of a directory, made if there is none that will do.
 *
 * @param directories - the first that can be written is taken
 * @throws PreforkError `ERR_PREFORK_CERTIFICATE`
 */
export async function ownCertificate(
  directories: readonly string[],
  names: readonly string[],
): Promise<OwnCertificate> {
  const faults: unknown[] = [];
  for (const directory of directories) {
    try {
      return await ownIn(directory, names);
    } catch (error) {
      faults.push(error);
    }
  }
  throw new PreforkError(
    "ERR_PREFORK_CERTIFICATE",
    `No certificate can be made and kept: ${faults.map(messageOf).join("; ")}. ` +
      `Make one of these writable: ${directories.join(", ")}; or give a certificate of your own with --cert and --key.`,
    { cause: faults[0] },
  );
}

async function ownIn(
  directory: string,
  names: readonly string[],
): Promise<OwnCertificate> {
  const id = createHash("sha256").update(names.join(" ")).digest("hex");
  const file = path.join(directory, `self-signed-${id.slice(0, 12)}.pem`);
  const kept = await readOwn(file);
  if (kept !== undefined) return kept;
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const { cert, key } = await makeCertificate(names);
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await fs.writeFile(temporary, key + cert, { mode: 0o600, flag: "wx" });
    await put(temporary, file);
  } finally {
    await fs.rm(temporary, { force: true });
  }
  // Another tool may have been faster: then its certificate is everybody's.
  const made = await readOwn(file);
  if (made === undefined)
    throw new Error(`${file} was written and can't be read`);
  return made;
}

/** Never over one that will do: it may have been made, by another tool, since we looked. */
async function put(temporary: string, file: string): Promise<void> {
  try {
    await fs.link(temporary, file);
  } catch (error) {
    const isThere = systemErrorCode(error) === "EEXIST";
    // Some file systems have no links.
    if (isThere && (await readOwn(file)) !== undefined) return;
    await fs.rename(temporary, file);
  }
}

/** @returns `undefined`: there is none, or none that will do */
async function readOwn(file: string): Promise<OwnCertificate | undefined> {
  try {
    const text = await fs.readFile(file, "utf8");
    const pair = { cert: text, key: text };
    const info = checkPair(pair, { cert: file, key: file }, true);
    return expiresWithin(info, RENEW_DAYS) ? undefined : { pair, info };
  } catch {
    return undefined;
  }
}
