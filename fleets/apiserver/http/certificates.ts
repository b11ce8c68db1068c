// The listener's own certificate authority, and the certificates it signs.
import { createHash, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../../runtime/clock.ts";
import type { KeyPair, LeafRequest } from "./certificate-signing.ts";

export interface CertificateSet {
  readonly caPem: string;
  /** Makes a client certificate of a signing request, both PEM, that holds for so many seconds. */
  readonly sign: (request: string, seconds: number) => Promise<string>;
  /** Makes a client certificate with its key, for a user and its groups. */
  readonly issue: (name: string, groups: readonly string[]) => Promise<KeyPair>;
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

const DAY_MS = 86_400_000;
const RENEW_DAYS = 30;

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
    usage: "server",
    hosts,
  });
  const admin = await ensureLeaf(directory, "admin", authority, clock, {
    subject: [{ O: ["system:masters"] }, { CN: ["admin"] }],
    usage: "client",
    hosts: [],
  });
  const client = await ensureLeaf(directory, FRONT_PROXY_NAME, proxies, clock, {
    subject: [{ CN: [FRONT_PROXY_NAME] }],
    usage: "client",
    hosts: [],
  });
  async function sign(request: string, seconds: number): Promise<string> {
    const { signRequest } = await import("./certificate-signing.ts");
    return signRequest(authority, clock, request, seconds);
  }
  async function issue(name: string, groups: readonly string[]): Promise<KeyPair> {
    const { makeLeaf } = await import("./certificate-signing.ts");
    const subject = [{ O: groups }, { CN: [name] }];
    return makeLeaf(authority, clock, { subject, usage: "client", hosts: [] });
  }
  return {
    caPem: authority.certificate,
    sign,
    issue,
    server,
    admin,
    frontProxy: { caPem: proxies.certificate, client },
  };
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

async function ensureAuthority(directory: string, name: string, clock: Clock): Promise<KeyPair> {
  const present = readPair(directory, name);
  if (present !== undefined && !expiresSoon(new X509Certificate(present.certificate), clock)) return present;
  const { makeAuthority } = await import("./certificate-signing.ts");
  const made = await makeAuthority(name, clock);
  writePair(directory, name, made);
  return made;
}

async function ensureLeaf(
  directory: string,
  name: string,
  authority: KeyPair,
  clock: Clock,
  request: LeafRequest,
): Promise<KeyPair> {
  const present = readPair(directory, name);
  if (present !== undefined && isUsable(present, authority, clock, request.hosts)) return present;
  const { makeLeaf } = await import("./certificate-signing.ts");
  const made = await makeLeaf(authority, clock, request);
  writePair(directory, name, made);
  return made;
}

function isUsable(pair: KeyPair, authority: KeyPair, clock: Clock, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(pair.certificate);
  if (expiresSoon(certificate, clock) || !certificate.verify(new X509Certificate(authority.certificate).publicKey))
    return false;
  return hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
  );
}

/** How an audit names a client certificate: `X509SHA256=<hex>`. */
export function credentialId(der: Uint8Array): string {
  return `X509SHA256=${createHash("sha256").update(der).digest("hex")}`;
}
