// Problems of addresses and ranges in specs, in the words of the reference.
import { isIP, isIPv4 } from "node:net";

const EXAMPLE_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const EXAMPLE_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
const LEADING_ZERO = /(^|\.)0[0-9]/;

/** Problems of an IPv4 or IPv6 address; empty when it is one. */
export function checkAddress(text: string): string[] {
  if (/^[0-9.]+$/.test(text) && LEADING_ZERO.test(text)) return ["must not have leading 0s"];
  if (isIP(text) === 0) return [EXAMPLE_ADDRESS];
  return /^::ffff:/i.test(text) ? ["must not be an IPv4-mapped IPv6 address"] : [];
}

/** Problems of a range such as `10.0.0.0/8`; empty when it is one. */
export function checkAddressRange(text: string): string[] {
  const [address = "", length = "", ...rest] = text.split("/");
  const family = isIP(address);
  const isLength = /^(0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
  if (family === 0 || rest.length > 0 || !isLength) return [EXAMPLE_RANGE];
  return hasBitsBeyond(address, Number(length)) ? ["must not have bits set beyond the prefix length"] : [];
}

function hasBitsBeyond(address: string, length: number): boolean {
  const bits = isIPv4(address) ? bitsOfGroups(address.split(".").map(Number), 8) : bitsOfGroups(groupsOf(address), 16);
  return bits.slice(length).includes("1");
}

function bitsOfGroups(groups: readonly number[], width: number): string {
  return groups.map((group) => group.toString(2).padStart(width, "0")).join("");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) => {
    const high = (Number(a) * 256 + Number(b)).toString(16);
    return `${high}:${(Number(c) * 256 + Number(d)).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const parse = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** Problems of an address that Services and EndpointSlices may not point to. */
export function checkRoutableAddress(text: string): string[] {
  const found: string[] = [];
  if (text === "0.0.0.0" || text === "::") found.push("may not be unspecified (0.0.0.0 or ::)");
  if (text.startsWith("127.") || text === "::1") found.push("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (text.startsWith("169.254.") || /^fe[89ab]/i.test(text)) {
    found.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (/^224\.0\.0\./.test(text) || /^ff02:/i.test(text)) {
    found.push("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return found;
}
