/** Certificates as Node reads them: is it one, is the key its own, what does it say. Pure. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { PreforkError, messageOf } from "../errors.js";
import type { CertificateInfo, CertificatePair } from "./types.js";

/** Where a pair's two parts were read. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * Checks that it is a certificate with its key.
 *
 * @throws PreforkError `ERR_PREFORK_CERTIFICATE` naming the file
 */
export function checkPair(
  pair: CertificatePair,
  files: PairFiles,
  isOwn: boolean,
): CertificateInfo {
  const certificate = parsed(files.cert, "certificate", () => {
    return new X509Certificate(pair.cert);
  });
  const key = parsed(files.key, "private key", () => {
    const { key: pem, passphrase } = pair;
    return createPrivateKey(
      passphrase === undefined ? pem : { key: pem, passphrase },
    );
  });
  if (!certificate.checkPrivateKey(key)) {
    throw new PreforkError(
      "ERR_PREFORK_CERTIFICATE",
      `The key ${files.key} doesn't belong to the certificate ${files.cert}: give the two that were made together.`,
    );
  }
  return {
    fingerprint256: certificate.fingerprint256,
    validTo: new Date(certificate.validTo).toISOString(),
    names: namesOf(certificate),
    file: files.cert,
    isOwn,
  };
}

function parsed<Value>(file: string, what: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new PreforkError(
      "ERR_PREFORK_CERTIFICATE",
      `${file} has no ${what} in PEM that can be read (${messageOf(cause)}): ` +
        "such a file has a line -----BEGIN …-----. Is it another format, or is its passphrase missing?",
      { cause },
    );
  }
}

/** The names and addresses of the alternative names, as they're written in URLs; IPv6 in Node's long form. */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName
    .split(", ")
    .map((each) => each.replace(/^(?:DNS|IP Address):/, ""))
    .filter((each) => each !== "");
}

/** Whether a certificate is out of date, or will be within so many days. */
export function expiresWithin(info: CertificateInfo, days: number): boolean {
  return Date.parse(info.validTo) - Date.now() < days * DAY_MS;
}

const DAY_MS = 86_400_000;
