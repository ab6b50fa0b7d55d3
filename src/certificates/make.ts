/** Makes a self-signed certificate. Its library is loaded only then: once in a year, mostly. */
import { randomBytes, webcrypto } from "node:crypto";
import net from "node:net";
import type { CertificatePair } from "./types.js";

const DAY_MS = 86_400_000;
/** Browsers and Apple's systems take none that is valid for more than 398 days. */
const VALID_DAYS = 397;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** @param names - host names and addresses, first the one that it's named after */
export async function makeCertificate(
  names: readonly string[],
): Promise<CertificatePair> {
  // The library's own library asks for it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, [
    ...(["sign", "verify"] as const),
  ]);
  // A machine whose clock is a little late takes it as well.
  const notBefore = new Date(Date.now() - DAY_MS / 24);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // Positive, whatever the first bit is.
      serialNumber: `01${randomBytes(15).toString("hex")}`,
      name: "CN=prefork-dev, O=prefork-dev on this machine",
      notBefore,
      notAfter: new Date(notBefore.getTime() + VALID_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({
            type: net.isIP(value) === 0 ? "dns" : "ip",
            value,
          })),
        ),
      ],
    },
    webcrypto,
  );
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: pem("PRIVATE KEY", Buffer.from(key)),
  };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return [
    `-----BEGIN ${label}-----`,
    ...lines,
    `-----END ${label}-----`,
    "",
  ].join("\n");
}
