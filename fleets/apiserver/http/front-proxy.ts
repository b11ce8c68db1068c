// Users that a proxy in front of this server has authenticated, and tells of by headers: the aggregation layer of a
// kube-apiserver, or any proxy that holds a certificate of the authority for it.
import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { AppError } from "../../../runtime/errors.ts";

export interface RequestHeaderOptions {
  /** PEM of the authorities that sign the proxy's client certificate; one or several. */
  readonly caPem: string;
  /** Common names that the certificate may have; empty allows all that the authority signed. */
  readonly allowedNames: readonly string[];
}

const USER = "x-remote-user";
const GROUP = "x-remote-group";
const UID = "x-remote-uid";
const EXTRA_PREFIX = "x-remote-extra-";
const AUTHENTICATED = "system:authenticated";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const LONGEST_CHAIN = 8;

/** Decides whether a connection comes from the proxy. */
export class FrontProxyTrust {
  readonly #authorities: readonly X509Certificate[];
  readonly #allowedNames: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #known = new WeakMap<object, boolean>();

  /** `now` in milliseconds decides about expiry. Throws `front-proxy-ca-invalid` for a text without certificates. */
  constructor({ caPem, allowedNames }: RequestHeaderOptions, now: () => number) {
    this.#authorities = certificatesIn(caPem);
    this.#allowedNames = new Set(allowedNames);
    this.#now = now;
  }

  /**
   * The user that the proxy names; undefined when the connection is not the proxy's, or names nobody. `rawHeaders` are
   * names and values in turn, as they came: values of several lines stay apart.
   */
  userOf(socket: TLSSocket, rawHeaders: readonly string[]): UserInfo | undefined {
    let trusted = this.#known.get(socket);
    if (trusted === undefined) {
      trusted = this.#isProxy(socket);
      this.#known.set(socket, trusted);
    }
    return trusted ? userIn(rawHeaders) : undefined;
  }

  #isProxy(socket: TLSSocket): boolean {
    const peer = socket.getPeerCertificate(true);
    if (peer === undefined || peer.raw === undefined) return false;
    const leaf = new X509Certificate(peer.raw);
    const names = Array.isArray(peer.subject.CN) ? peer.subject.CN : [peer.subject.CN];
    if (this.#allowedNames.size > 0 && !this.#allowedNames.has(names[0] ?? "")) return false;
    const usages = leaf.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && !usages.includes(CLIENT_AUTH)) return false;
    return this.#isIssued(leaf, peer, LONGEST_CHAIN);
  }

  /** Whether a chain leads from the certificate to one of the authorities. */
  #isIssued(certificate: X509Certificate, peer: DetailedPeerCertificate, stepsLeft: number): boolean {
    if (!this.#isCurrent(certificate) || stepsLeft === 0) return false;
    const signed = (authority: X509Certificate): boolean =>
      certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    if (this.#authorities.some((authority) => this.#isCurrent(authority) && signed(authority))) return true;
    const { issuerCertificate } = peer;
    if (issuerCertificate?.raw === undefined || issuerCertificate === peer) return false;
    const issuer = new X509Certificate(issuerCertificate.raw);
    return issuer.ca && signed(issuer) && this.#isIssued(issuer, issuerCertificate, stepsLeft - 1);
  }

  #isCurrent(certificate: X509Certificate): boolean {
    const now = this.#now();
    return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
  }
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // Told below.
  }
  throw new AppError("front-proxy-ca-invalid", "the authority of the front proxy holds no readable certificate", {
    recovery: "stall",
  });
}

function userIn(rawHeaders: readonly string[]): UserInfo | undefined {
  let name = "";
  let uid = "";
  const groups: string[] = [];
  const extra: Record<string, string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = rawHeaders[i]!.toLowerCase();
    if (!header.startsWith("x-remote-")) continue;
    const value = Buffer.from(rawHeaders[i + 1]!, "latin1").toString("utf8");
    if (header === USER) name ||= value;
    else if (header === UID) uid ||= value;
    else if (header === GROUP) groups.push(value);
    else if (header.startsWith(EXTRA_PREFIX)) {
      const key = unescaped(header.slice(EXTRA_PREFIX.length));
      extra[key] = [...(extra[key] ?? []), value];
    }
  }
  if (name === "") return undefined;
  const known = groups.includes(AUTHENTICATED) || groups.includes("system:unauthenticated");
  return {
    name,
    groups: known ? groups : [...groups, AUTHENTICATED],
    ...(uid === "" ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** As the reference: a key whose escapes are broken is taken as it stands. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
