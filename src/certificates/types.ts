/** What is known of the front's certificate. Types only. */

/** A certificate and its key, in PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
  /** Of the key. */
  readonly passphrase?: string;
}

/** The user's certificate: where it stands. */
export interface GivenFiles {
  readonly cert: string;
  readonly key: string;
  /** Of the key. */
  readonly passphrase: string | undefined;
}

/** Which certificate the front has, for those who have to trust it. */
export interface CertificateInfo {
  /** SHA-256 of it, as browsers show it: pairs of upper-case digits, with colons. */
  readonly fingerprint256: string;
  /** ISO 8601. */
  readonly validTo: string;
  /** The names and addresses it is valid for. */
  readonly names: readonly string[];
  /** The file that it stands in: an absolute path. */
  readonly file: string;
  /** Was it made by prefork-dev? */
  readonly isOwn: boolean;
}
