// What requests over http(s) have in common, whoever sends them.

import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

const MAX_RETRY_AFTER_MS = 3_600_000;

/** When a busy server wants to be asked again, from one second to an hour; `undefined` when it does not say. */
export function retryAfter(answer: IncomingMessage): number | undefined {
  const text = answer.headers["retry-after"];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.parse(answer.headers.date ?? "");
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 1000), MAX_RETRY_AFTER_MS) : undefined;
}

/** What an error code of the network means, in brackets; empty for those that say it themselves. */
export function explainNetworkCode(code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return "(nothing listens there)";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "(the host name is not known)";
    case "ECONNRESET":
      return "(the server closed the connection)";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "(the host does not answer)";
    default:
      return "";
  }
}

const INWARD = new BlockList();
INWARD.addSubnet("127.0.0.0", 8, "ipv4");
INWARD.addSubnet("10.0.0.0", 8, "ipv4");
INWARD.addSubnet("172.16.0.0", 12, "ipv4");
INWARD.addSubnet("192.168.0.0", 16, "ipv4");
INWARD.addSubnet("169.254.0.0", 16, "ipv4");
INWARD.addSubnet("0.0.0.0", 8, "ipv4");
INWARD.addAddress("::1", "ipv6");
INWARD.addAddress("::", "ipv6");
INWARD.addSubnet("fe80::", 10, "ipv6");
INWARD.addSubnet("fc00::", 7, "ipv6");

/** A name or address of this machine, written as such. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}

/** A loopback, link-local or private address written as such. Names that resolve to one are not looked up. */
export function isInward(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const family = isIP(host);
  return family !== 0 && INWARD.check(host, family === 6 ? "ipv6" : "ipv4");
}
