// The listener's own certificate authority, and the certificates it signs. The only place that knows the X.509 library.
import "reflect-metadata";
import { createHash, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../../../runtime/clock.ts";

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateSet {
  readonly caPem: string;
  readonly server: KeyPair;
  /** CN=admin, O=system:masters. */
  readonly admin: KeyPair;
  /** By which this server tells other servers who its users are. */
  readonly frontProxy: FrontProxyCredentials;
}

/** The identity of a proxy whose word other servers take for who the user is. */
export interface FrontProxyCredentials {
  /** PEM of an authority of its own: nothing else that this server signs is taken for the proxy. */
  readonly caPem: string;
  /** CN=front-proxy-client. */
  readonly client: KeyPair;
}

export const FRONT_PROXY_NAME = "front-proxy-client";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
const RENEW_DAYS = 30;

// The library is typed for browsers; Node's implementation is the same interface.
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

interface Authority {
  readonly pem: string;
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

/**
 * Reads the certificates of `directory`, and makes those that are missing, about to expire, or not valid for `hosts`.
 * The directory and its files are readable by their owner only.
 */
export async function ensureCertificates(
  directory: string,
  hosts: readonly string[],
  clock: Clock,
): Promise<CertificateSet> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = await ensureAuthority(directory, "ca", clock);
  const proxies = await ensureAuthority(directory, "front-proxy-ca", clock);
  const server = await ensureLeaf(directory, "server", authority, clock, {
    subject: [{ CN: ["kube-apiserver"] }],
    usage: x509.ExtendedKeyUsage.serverAuth,
    hosts,
  });
  const admin = await ensureLeaf(directory, "admin", authority, clock, {
    subject: [{ O: ["system:masters"] }, { CN: ["admin"] }],
    usage: x509.ExtendedKeyUsage.clientAuth,
    hosts: [],
  });
  const client = await ensureLeaf(directory, FRONT_PROXY_NAME, proxies, clock, {
    subject: [{ CN: [FRONT_PROXY_NAME] }],
    usage: x509.ExtendedKeyUsage.clientAuth,
    hosts: [],
  });
  return { caPem: authority.pem, server, admin, frontProxy: { caPem: proxies.pem, client } };
}

function readPair(directory: string, name: string): KeyPair | undefined {
  try {
    return {
      certificate: readFileSync(join(directory, `${name}.crt`), "utf8"),
      key: readFileSync(join(directory, `${name}.key`), "utf8"),
    };
  } catch {
    return undefined;
  }
}

/** The key first: a certificate never stands there without its key. */
function writePair(directory: string, name: string, pair: KeyPair): void {
  for (const [extension, text] of [
    ["key", pair.key],
    ["crt", pair.certificate],
  ] as const) {
    const path = join(directory, `${name}.${extension}`);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

function expiresSoon(certificate: X509Certificate, clock: Clock): boolean {
  return Date.parse(certificate.validTo) - clock.now() < RENEW_DAYS * DAY_MS;
}

async function ensureAuthority(directory: string, name: string, clock: Clock): Promise<Authority> {
  let pair = readPair(directory, name);
  if (pair === undefined || expiresSoon(new X509Certificate(pair.certificate), clock)) {
    pair = await makeAuthority(name, clock);
    writePair(directory, name, pair);
  }
  const der = Buffer.from(pair.key.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
  const key = await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  return { pem: pair.certificate, certificate: new x509.X509Certificate(pair.certificate), key };
}

async function makeAuthority(name: string, clock: Clock): Promise<KeyPair> {
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

interface LeafRequest {
  readonly subject: x509.JsonName;
  readonly usage: string;
  readonly hosts: readonly string[];
}

async function ensureLeaf(
  directory: string,
  name: string,
  authority: Authority,
  clock: Clock,
  request: LeafRequest,
): Promise<KeyPair> {
  const present = readPair(directory, name);
  if (present !== undefined && isUsable(present, authority, clock, request.hosts)) return present;
  const made = await makeLeaf(authority, clock, request);
  writePair(directory, name, made);
  return made;
}

function isUsable(pair: KeyPair, authority: Authority, clock: Clock, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(pair.certificate);
  if (expiresSoon(certificate, clock) || !certificate.verify(new X509Certificate(authority.pem).publicKey))
    return false;
  return hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
  );
}

async function makeLeaf(authority: Authority, clock: Clock, { subject, usage, hosts }: LeafRequest): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject,
    issuer: authority.certificate.subjectName.toJSON(),
    ...validity(clock, LEAF_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey as never,
    signingKey: authority.key as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
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

/** How an audit names a client certificate: `X509SHA256=<hex>`. */
export function credentialId(der: Uint8Array): string {
  return `X509SHA256=${createHash("sha256").update(der).digest("hex")}`;
}
