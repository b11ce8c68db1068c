// Makes keys and certificates. The only place that knows the X.509 library, which takes long to load: imported when needed.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../../../runtime/clock.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
const SHORT_S = 8 * 3600;
const BACKDATE_MS = 300_000;
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

// The library is typed for browsers; Node's implementation is the same interface.
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for. */
export interface LeafRequest {
  readonly subject: readonly Readonly<Record<string, readonly string[]>>[];
  readonly usage: "server" | "client";
  readonly hosts: readonly string[];
}

/** A new authority of that name, which signs itself. */
export async function makeAuthority(name: string, clock: Clock): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [`flaghoist-${name}-${randomBytes(4).toString("hex")}`] }],
    ...validity(clock, CA_DAYS),
    signingAlgorithm: ALGORITHM,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

/** A new key with a certificate that the authority signs. */
export async function makeLeaf(authority: KeyPair, clock: Clock, request: LeafRequest): Promise<KeyPair> {
  const { subject, usage, hosts } = request;
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await importKey(authority);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: subject as x509.JsonName,
    issuer: issuer.subjectName.toJSON(),
    ...validity(clock, LEAF_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey as never,
    signingKey: signingKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

/** Whom a signing request is about. */
export interface RequestedSubject {
  readonly name: string;
  readonly groups: readonly string[];
  /** Whether it asks for names beside that. */
  readonly hasAlternativeNames: boolean;
}

/** Undefined for what is no signing request. */
export function readSigningRequest(pem: string): RequestedSubject | undefined {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    const { subjectName } = request;
    return {
      name: subjectName.getField("CN")[0] ?? "",
      groups: subjectName.getField("O"),
      hasAlternativeNames: request.getExtension(SUBJECT_ALTERNATIVE_NAME) !== null,
    };
  } catch {
    return undefined;
  }
}

/** A new key, and a request for a client certificate of it, both PEM. */
export async function makeSigningRequest(
  name: string,
  groups: readonly string[],
): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const subject = [...groups.map((group) => ({ O: [group] })), { CN: [name] }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject as x509.JsonName,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
  });
  return { request: `${request.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

/** A client certificate for the key and subject of a request, which must be signed by that key. */
export async function signRequest(authority: KeyPair, clock: Clock, pem: string, seconds: number): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error("the signature of the request does not hold");
  const issuer = new x509.X509Certificate(authority.certificate);
  const { notAfter } = validity(clock, seconds / 86_400);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subjectName.toJSON(),
    // As the reference: some minutes back, for clients whose clock is behind, but not where that would be much of its life.
    notBefore: new Date(clock.now() - (seconds < SHORT_S ? 0 : BACKDATE_MS)),
    // Nothing that an authority signs outlives it.
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: request.publicKey,
    signingKey: (await importKey(authority)) as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function importKey(authority: KeyPair): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(authority.key.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
}

function serial(): string {
  // A leading zero bit keeps the number positive.
  const bytes = randomBytes(16);
  bytes[0] = bytes[0]! & 0x7f;
  return bytes.toString("hex");
}

function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  // An hour back, for clients whose clock is behind.
  return { notBefore: new Date(clock.now() - 3_600_000), notAfter: new Date(clock.now() + days * DAY_MS) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
