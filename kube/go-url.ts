// URLs as Go reads them, which differs from the web's reading: no repair of bad ones, no default ports.

/** The parts of a URL, unescaped where Go does so. */
export interface GoUrl {
  readonly scheme: string;
  /** With the port: `example.com:8080`, `[::1]:80`. */
  readonly host: string;
  /** Escaped, as it was written where that is valid. */
  readonly escapedPath: string;
  readonly rawQuery: string;
}

/** What Go says of a text that is no URL: `parse "x": invalid URI for request`. */
export class UrlError {
  readonly message: string;

  constructor(text: string, why: string) {
    this.message = `parse ${JSON.stringify(text)}: ${why}`;
  }
}

/** Reads an absolute URL or an absolute path, as in the first line of a request. */
export function parseRequestUri(text: string): GoUrl | UrlError {
  return read(text, text, true);
}

/** Reads any URL; what follows `#` is not part of the answer. */
export function parseUrl(text: string): GoUrl | UrlError {
  const hash = text.indexOf("#");
  return read(hash < 0 ? text : text.slice(0, hash), text, false);
}

function read(text: string, shown: string, viaRequest: boolean): GoUrl | UrlError {
  const refuse = (why: string): UrlError => new UrlError(shown, why);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) return refuse("net/url: invalid control character in URL");
  if (text === "" && viaRequest) return refuse("empty url");
  if (text === "*") return { scheme: "", host: "", escapedPath: "*", rawQuery: "" };
  if (text.startsWith(":")) return refuse("missing protocol scheme");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? "";
  const afterScheme = scheme === "" ? text : text.slice(scheme.length + 1);
  const question = afterScheme.indexOf("?");
  const rawQuery = question < 0 ? "" : afterScheme.slice(question + 1);
  let rest = question < 0 ? afterScheme : afterScheme.slice(0, question);
  if (!rest.startsWith("/")) {
    // A path without a root is opaque.
    if (scheme !== "") return { scheme, host: "", escapedPath: "", rawQuery };
    if (viaRequest) return refuse("invalid URI for request");
    if (rest.split("/", 1)[0]!.includes(":")) return refuse("first path segment in URL cannot contain colon");
  }
  let host = "";
  if ((scheme !== "" || (!viaRequest && !rest.startsWith("///"))) && rest.startsWith("//")) {
    const slash = rest.indexOf("/", 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? "" : rest.slice(slash);
    const parsed = parseAuthority(scheme, authority);
    if ("why" in parsed) return refuse(parsed.why);
    host = parsed.host;
  }
  const bad = badEscape(rest);
  if (bad !== undefined) return refuse(`invalid URL escape ${JSON.stringify(bad)}`);
  return { scheme, host, escapedPath: escapePath(rest), rawQuery };
}

type Host = { readonly host: string } | { readonly why: string };

function parseAuthority(scheme: string, authority: string): Host {
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  if ("why" in host || at < 0) return host;
  const user = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) return { why: "net/url: invalid userinfo" };
  const bad = badEscape(user);
  return bad === undefined ? host : { why: `invalid URL escape ${JSON.stringify(bad)}` };
}

function parseHost(scheme: string, host: string): Host {
  const open = host.lastIndexOf("[");
  if (open > 0) return { why: "invalid IP-literal" };
  const close = host.lastIndexOf("]");
  if (open === 0 && close < 0) return { why: "missing ']' in host" };
  let port = "";
  if (open === 0) port = host.slice(close + 1);
  else if (host.includes(":")) {
    const strict = scheme === "http" || scheme === "https";
    port = host.slice(strict ? host.indexOf(":") : host.lastIndexOf(":"));
  }
  if (!/^(?::[0-9]*)?$/.test(port)) return { why: `invalid port ${JSON.stringify(port)} after host` };
  if (open === 0) {
    const inner = host.slice(1, close);
    const address = inner.split("%25", 1)[0]!;
    if (!isIpv6(address)) {
      return {
        why: /^[0-9.]+$/.test(address)
          ? "invalid IP-literal"
          : `invalid host: ParseAddr(${JSON.stringify(inner)}): unable to parse IP`,
      };
    }
    return { host: `[${decode(inner)}]${port}` };
  }
  const bad = badHostPart(host);
  return bad === undefined ? { host: decode(host) } : { why: bad };
}

function isIpv6(text: string): boolean {
  return text.includes(":") && URL.canParse(`http://[${text}]/`);
}

function badEscape(text: string): string | undefined {
  const match = /%(?![0-9a-fA-F]{2})/.exec(text);
  return match === null ? undefined : text.slice(match.index, match.index + 3);
}

/** In hosts only bytes beyond ASCII may be escaped, and few signs may stand. */
function badHostPart(host: string): string | undefined {
  for (let at = 0; at < host.length; at++) {
    const char = host[at]!;
    if (char === "%") {
      const part = host.slice(at, at + 3);
      if (!/^%[89a-fA-F][0-9a-fA-F]$/.test(part) && part !== "%25") {
        return `invalid URL escape ${JSON.stringify(part)}`;
      }
      at += 2;
    } else if (char < "\x80" && !/[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/.test(char)) {
      return `invalid character ${JSON.stringify(char)} in host name`;
    }
  }
  return undefined;
}

function decode(text: string): string {
  return Buffer.from(
    text.replace(/%([0-9a-fA-F]{2})|[\s\S]/gu, (all, hex?: string) =>
      hex === undefined ? Buffer.from(all).toString("latin1") : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    "latin1",
  ).toString();
}

const PATH_CHARS = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]]|%[0-9a-fA-F]{2})*$/;

/** The path as written when all of it is valid, else escaped anew. */
function escapePath(path: string): string {
  if (PATH_CHARS.test(path)) return path;
  const bytes = Buffer.from(decode(path));
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** The name without port and brackets. */
export function hostnameOf(host: string): string {
  const name = host.replace(/:[0-9]*$/, "");
  return name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
}

export function portOf(host: string): string {
  return /:([0-9]*)$/.exec(host)?.[1] ?? "";
}

/** Parameters in the order of their first mention; parts that cannot be read are left out. */
export function parseQuery(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const part of query.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const equals = part.indexOf("=");
    const [key, value] = equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    if (badEscape(key) !== undefined || badEscape(value) !== undefined) continue;
    const name = decode(key.replaceAll("+", " "));
    values.set(name, [...(values.get(name) ?? []), decode(value.replaceAll("+", " "))]);
  }
  return values;
}
