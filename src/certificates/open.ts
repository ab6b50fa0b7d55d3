/**
 * The front's certificate while the server runs: the user's, followed, or one of our own. It doesn't know the front: it's given what to
 * do with another pair.
 */
import { messageOf } from "../errors.js";
import { followFiles, readGiven, warningOf } from "./given.js";
import { ownCertificate, ownNames } from "./own.js";
import type { CertificateInfo, CertificatePair, GivenFiles } from "./types.js";

/** Which certificate is wanted. */
export interface WantedCertificate {
  /** Absolute paths of the user's; `undefined`: one of our own. */
  readonly given: GivenFiles | undefined;
  /** What the front listens on. */
  readonly host: string;
  /** Further names that it answers to: see {@link ownNames}. */
  readonly allowed: readonly string[];
  /** Where one of our own is kept: the first that can be written. */
  readonly directories: readonly string[];
  readonly onWarning: (message: string) => void;
}

/** See this file's header. */
export interface OpenCertificate {
  readonly pair: CertificatePair;
  /** Of the one that is in use. */
  readonly info: CertificateInfo;
  /** From now on: called with another pair. What it throws is told, and the old one stays in use. */
  follow(
    use: (pair: CertificatePair) => void,
    onChange: (info: CertificateInfo) => void,
  ): void;
  close(): void;
}

/**
 * Reads the certificate, or makes one.
 *
 * @throws PreforkError `ERR_PREFORK_CERTIFICATE`
 */
export async function openCertificate(
  wanted: WantedCertificate,
): Promise<OpenCertificate> {
  const { given, host, allowed, directories, onWarning } = wanted;
  if (given === undefined) {
    const own = await ownCertificate(directories, ownNames(host, allowed));
    return { ...own, follow: () => undefined, close: () => undefined };
  }
  let { pair, info } = await readGiven(given, given.passphrase);
  const tell = (text: string | undefined): void => {
    if (text !== undefined) onWarning(text);
  };
  tell(warningOf(info));
  let stop = (): void => undefined;
  return {
    get pair() {
      return pair;
    },
    get info() {
      return info;
    },
    follow(use, onChange) {
      stop = followFiles(given, () => {
        readGiven(given, given.passphrase).then(
          (read) => {
            if (read.info.fingerprint256 === info.fingerprint256) return;
            use(read.pair);
            ({ pair, info } = read);
            tell(warningOf(info));
            onChange(info);
          },
          (error: unknown) => {
            // One of two files is new, mostly: the other one follows.
            tell(
              `${messageOf(error)} The one that was read before stays in use.`,
            );
          },
        );
      });
    },
    close: () => stop(),
  };
}
