// Addresses and networks: `ip("10.0.0.1")`, `cidr("10.0.0.0/8").containsIP("10.1.2.3")`.
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { BOOL, INT, opaque, STRING } from "../types.ts";
import { CelValue, EvaluationFailure, fail, noSuchOverload } from "../values.ts";

const IP = opaque("net.IP");
const CIDR = opaque("net.CIDR");

/** An address as 4 or 16 bytes. */
export class CelIp extends CelValue {
  readonly typeName = "net.IP";
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    super();
    this.bytes = bytes;
  }

  get bits(): number {
    return this.bytes.length * 8;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelIp && formatIp(other) === formatIp(this);
  }
}

export class CelCidr extends CelValue {
  readonly typeName = "net.CIDR";
  readonly ip: CelIp;
  readonly prefix: number;

  constructor(ip: CelIp, prefix: number) {
    super();
    this.ip = ip;
    this.prefix = prefix;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelCidr && other.prefix === this.prefix && other.ip.equals(this.ip);
  }
}

const quote = JSON.stringify;

/** Throws what Go says of a text that is no address. */
function parseAddress(text: string): { bytes: number[]; zone: string } {
  const refuse = (why: string): never => fail(`ParseAddr(${quote(text)}): ${why}`);
  for (const char of text) {
    if (char === ".") return { bytes: parseV4(text, refuse), zone: "" };
    if (char === ":") return parseV6(text, refuse);
    if (char === "%") return refuse("missing IPv6 address");
  }
  return refuse("unable to parse IP");
}

function parseV4(text: string, refuse: (why: string) => never): number[] {
  const fields: number[] = [];
  let digits = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char >= "0" && char <= "9") {
      if (digits === "0") return refuse("IPv4 field has octet with leading zero");
      digits += char;
      if (Number(digits) > 255) return refuse("IPv4 field has value >255");
    } else if (char === ".") {
      if (at === 0 || at === text.length - 1 || text[at - 1] === ".") {
        return refuse(`IPv4 field must have at least one digit (at ${quote(text.slice(at))})`);
      }
      if (fields.length === 3) return refuse("IPv4 address too long");
      fields.push(Number(digits));
      digits = "";
    } else return refuse(`unexpected character (at ${quote(text.slice(at))})`);
  }
  if (fields.length < 3) return refuse("IPv4 address too short");
  return [...fields, Number(digits)];
}

function parseV6(full: string, refuse: (why: string) => never): { bytes: number[]; zone: string } {
  const percent = full.indexOf("%");
  const zone = percent < 0 ? "" : full.slice(percent + 1);
  if (percent >= 0 && zone === "") return refuse("zone must be a non-empty string");
  let rest = percent < 0 ? full : full.slice(0, percent);
  const bytes: number[] = [];
  let ellipsis = -1;
  if (rest.startsWith("::")) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === "") return { bytes: new Array<number>(16).fill(0), zone };
  }
  while (bytes.length < 16) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)![0];
    if (digits.length > 4) {
      return refuse(`each group must have 4 or less digits (at ${quote(rest)})`);
    }
    if (digits === "") {
      return refuse(`each colon-separated field must have at least one digit (at ${quote(rest)})`);
    }
    if (rest[digits.length] === ".") {
      if (ellipsis < 0 && bytes.length !== 12) {
        return refuse(`embedded IPv4 address must replace the final 2 fields of the address (at ${quote(rest)})`);
      }
      if (bytes.length + 4 > 16)
        return refuse(`too many hex fields to fit an embedded IPv4 at the end of the address (at ${quote(rest)})`);
      bytes.push(...parseV4(rest, refuse));
      rest = "";
      break;
    }
    const value = Number.parseInt(digits, 16);
    bytes.push(value >> 8, value & 255);
    rest = rest.slice(digits.length);
    if (rest === "") break;
    if (rest[0] !== ":") return refuse(`unexpected character, want colon (at ${quote(rest)})`);
    if (rest.length === 1) return refuse(`colon must be followed by more characters (at ${quote(rest)})`);
    rest = rest.slice(1);
    if (rest[0] === ":") {
      if (ellipsis >= 0) return refuse(`multiple :: in address (at ${quote(rest)})`);
      ellipsis = bytes.length;
      rest = rest.slice(1);
      if (rest === "") break;
    }
  }
  if (rest !== "") return refuse(`trailing garbage after address (at ${quote(rest)})`);
  if (bytes.length < 16) {
    if (ellipsis < 0) return refuse("address string too short");
    bytes.splice(ellipsis, 0, ...new Array<number>(16 - bytes.length).fill(0));
  } else if (ellipsis >= 0) {
    return refuse("the :: must expand to at least one field of zeros");
  }
  return { bytes, zone };
}

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  );
}

function toIp(text: string): CelIp {
  let parsed: ReturnType<typeof parseAddress>;
  try {
    parsed = parseAddress(text);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return fail(`IP Address ${quote(text)} parse error during conversion from string: ${error.message}`);
  }
  if (parsed.zone !== "") return fail(`IP address ${quote(text)} with zone value is not allowed`);
  if (isMapped(parsed.bytes)) return fail(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new CelIp(parsed.bytes);
}

function toCidr(text: string): CelCidr {
  try {
    return parseCidr(text);
  } catch (error) {
    if (error instanceof EvaluationFailure)
      return fail(`network address parse error during conversion from string: ${error.message}`);
    throw error;
  }
}

function parseCidr(text: string): CelCidr {
  const refuse = (why: string): never =>
    fail(`network address parse error during conversion from string: netip.ParsePrefix(${quote(text)}): ${why}`);
  const slash = text.lastIndexOf("/");
  if (slash < 0) return refuse("no '/'");
  let address: ReturnType<typeof parseAddress>;
  try {
    address = parseAddress(text.slice(0, slash));
  } catch (error) {
    if (error instanceof EvaluationFailure) return refuse(error.message);
    throw error;
  }
  if (address.zone !== "") return refuse("IPv6 zones cannot be present in a prefix");
  const bits = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]*)$/.test(bits)) {
    return refuse(`bad bits after slash: ${quote(bits)}`);
  }
  if (Number(bits) > address.bytes.length * 8) return refuse("prefix length out of range");
  if (isMapped(address.bytes)) return fail(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new CelCidr(new CelIp(address.bytes), Number(bits));
}

function succeeds(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch (error) {
      if (error instanceof EvaluationFailure) return false;
      throw error;
    }
  };
}

const isIp = succeeds(toIp);

/** The canonical text: lower case, the longest run of zero fields shortened. */
function formatIp(ip: CelIp): string {
  const { bytes } = ip;
  if (bytes.length === 4) return bytes.join(".");
  const fields = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && fields[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]): string => part.map((field) => field.toString(16)).join(":");
  if (best.start < 0) return text(fields);
  return `${text(fields.slice(0, best.start))}::${text(fields.slice(best.start + best.length))}`;
}

function maskedBytes(ip: CelIp, prefix: number): number[] {
  return ip.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function covers(cidr: CelCidr, ip: CelIp): boolean {
  if (ip.bits !== cidr.ip.bits) return false;
  return maskedBytes(ip, cidr.prefix).join() === maskedBytes(cidr.ip, cidr.prefix).join();
}

function coversCidr(cidr: CelCidr, other: CelCidr): boolean {
  return cidr.prefix <= other.prefix && covers(cidr, other.ip);
}

const isV4 = (ip: CelIp): boolean => ip.bytes.length === 4;

function isUnspecified(ip: CelIp): boolean {
  return ip.bytes.every((byte) => byte === 0);
}

function isLoopback(ip: CelIp): boolean {
  if (isV4(ip)) return ip.bytes[0] === 127;
  return ip.bytes.slice(0, 15).every((byte) => byte === 0) && ip.bytes[15] === 1;
}

function isLinkLocalMulticast({ bytes }: CelIp): boolean {
  if (bytes.length === 4) return bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0;
  return bytes[0] === 0xff && (bytes[1]! & 0x0f) === 0x02;
}

function isLinkLocalUnicast({ bytes }: CelIp): boolean {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

function isMulticast(ip: CelIp): boolean {
  return isV4(ip) ? (ip.bytes[0]! & 0xf0) === 0xe0 : ip.bytes[0] === 0xff;
}

function isGlobalUnicast(ip: CelIp): boolean {
  const broadcast = isV4(ip) && ip.bytes.every((byte) => byte === 255);
  return !(broadcast || isUnspecified(ip) || isLoopback(ip) || isMulticast(ip) || isLinkLocalUnicast(ip));
}

export const NETWORKS: readonly FunctionDeclaration[] = [
  global("ip", "string_to_ip", [STRING], IP, toIp),
  member("ip", "cidr_ip", [CIDR], IP, (cidr: CelCidr) => cidr.ip),
  member("family", "ip_family", [IP], INT, (ip: CelIp) => (isV4(ip) ? 4n : 6n)),
  global("ip.isCanonical", "ip_is_canonical", [STRING], BOOL, (text: string) => formatIp(toIp(text)) === text),
  member("isUnspecified", "ip_is_unspecified", [IP], BOOL, isUnspecified),
  member("isLoopback", "ip_is_loopback", [IP], BOOL, isLoopback),
  member("isLinkLocalMulticast", "ip_is_link_local_multicast", [IP], BOOL, isLinkLocalMulticast),
  member("isLinkLocalUnicast", "ip_is_link_local_unicast", [IP], BOOL, isLinkLocalUnicast),
  member("isGlobalUnicast", "ip_is_global_unicast", [IP], BOOL, isGlobalUnicast),
  global("isIP", "is_ip", [STRING], BOOL, isIp),
  global("string", "ip_to_string", [IP], STRING, formatIp),
  global("cidr", "string_to_cidr", [STRING], CIDR, toCidr),
  // As the reference: what is wrong with the text is not told.
  member("containsIP", "cidr_contains_ip_string", [CIDR, STRING], BOOL, (cidr: CelCidr, text: string) =>
    isIp(text) ? covers(cidr, toIp(text)) : noSuchOverload(),
  ),
  member("containsIP", "cidr_contains_ip_ip", [CIDR, IP], BOOL, covers),
  member("containsCIDR", "cidr_contains_cidr_string", [CIDR, STRING], BOOL, (cidr: CelCidr, text: string) =>
    coversCidr(cidr, toCidr(text)),
  ),
  member("containsCIDR", "cidr_contains_cidr", [CIDR, CIDR], BOOL, coversCidr),
  member("prefixLength", "cidr_prefix_length", [CIDR], INT, (cidr: CelCidr) => BigInt(cidr.prefix)),
  member(
    "masked",
    "cidr_masked",
    [CIDR],
    CIDR,
    (cidr: CelCidr) => new CelCidr(new CelIp(maskedBytes(cidr.ip, cidr.prefix)), cidr.prefix),
  ),
  global("isCIDR", "is_cidr", [STRING], BOOL, succeeds(parseCidr)),
  global("string", "cidr_to_string", [CIDR], STRING, (cidr: CelCidr) => `${formatIp(cidr.ip)}/${cidr.prefix}`),
];
