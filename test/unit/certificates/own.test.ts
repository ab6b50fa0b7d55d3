/** The self-signed certificate: for which names, kept, renewed, made by two at once. */
import { X509Certificate } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownCertificate, ownNames } from "../../../src/certificates/own.js";
import { PreforkError } from "../../../src/errors.js";

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "pfd-certificate-"));
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

test("its names: this machine's, the host, and those that are allowed, with what is below them", () => {
  expect(ownNames("127.0.0.1")).toEqual([
    ...["localhost", "*.localhost", "127.0.0.1", "::1"],
  ]);
  expect(ownNames("0.0.0.0", ["App.test", ".dev.test", "x.test."])).toEqual([
    ...["localhost", "*.localhost", "127.0.0.1", "::1"],
    ...["app.test", "dev.test", "*.dev.test", "x.test"],
  ]);
});

test("made once, for its names, for a limited time, and readable by its owner alone", async () => {
  const names = ownNames("127.0.0.1", [".dev.test"]);
  const first = await ownCertificate([directory], names);
  const certificate = new X509Certificate(first.pair.cert);
  for (const host of ["localhost", "dev.test", "b.dev.test"])
    expect(certificate.checkHost(host), host).toBeDefined();
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(certificate.checkHost("evil.test")).toBeUndefined();
  const days =
    (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) /
    86_400_000;
  expect(days).toBeLessThanOrEqual(398);
  const [file = "", ...others] = fs.readdirSync(directory);
  expect(others).toEqual([]);
  expect(fs.statSync(path.join(directory, file)).mode & 0o077).toBe(0);
  const again = await ownCertificate([directory], names);
  expect(again.info.fingerprint256).toBe(first.info.fingerprint256);
  const other = await ownCertificate([directory], ownNames("app.test"));
  expect(other.info.fingerprint256).not.toBe(first.info.fingerprint256);
});

test("several tools at once have one and the same; what can't be read is made anew", async () => {
  const names = ownNames("127.0.0.1");
  const made = await Promise.all(
    Array.from({ length: 4 }, () => ownCertificate([directory], names)),
  );
  const fingerprints = new Set(made.map(({ info }) => info.fingerprint256));
  expect(fingerprints.size).toBe(1);
  const [file = ""] = fs.readdirSync(directory);
  fs.writeFileSync(path.join(directory, file), "half a certifica");
  const mended = await ownCertificate([directory], names);
  expect(fingerprints.has(mended.info.fingerprint256)).toBe(false);
  expect(fs.readdirSync(directory)).toEqual([file]);
});

test("a directory that can't be written: the next one, and if there is none an error that says what to do", async () => {
  const blocked = path.join(directory, "file");
  fs.writeFileSync(blocked, "");
  const names = ownNames("127.0.0.1");
  const good = path.join(directory, "good");
  await ownCertificate([path.join(blocked, "x"), good], names);
  expect(fs.readdirSync(good)).toHaveLength(1);
  const failing = ownCertificate([path.join(blocked, "x")], names);
  await expect(failing).rejects.toThrow(PreforkError);
  await expect(failing).rejects.toMatchObject({
    code: "ERR_PREFORK_CERTIFICATE",
  });
});
