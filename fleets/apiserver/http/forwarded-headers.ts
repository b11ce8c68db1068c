// Which headers of a request or an answer may pass through this server to another one, and back.

/** Header names in lower case, each with one value or several. */
export type HeaderMap = Readonly<Record<string, string | readonly string[]>>;

/** Belong to one connection (RFC 9110, 7.6.1), not to the message. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/**
 * What the caller may not decide: who it is for the other server (its credentials are for this one, and identity is told
 * by this one), and where the request seems to come from.
 */
const OF_THE_CALLER: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "proxy-authenticate",
  "cookie",
  "host",
  "content-length",
  "expect",
  "forwarded",
  "x-real-ip",
]);
/** Underscores are hyphens to some servers. */
const OF_THE_CALLER_PREFIX = /^(?:impersonate|x[-_]remote|x[-_]forwarded)[-_]/;
const WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io.";

/** The headers of a caller's request that go on to another server. */
export function forwardedRequestHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const named = namedByConnection(headers["connection"]);
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (HOP_BY_HOP.has(name) || named.has(name) || OF_THE_CALLER.has(name) || OF_THE_CALLER_PREFIX.test(name)) continue;
    const kept = name === "sec-websocket-protocol" ? withoutToken(value) : value;
    if (kept !== undefined) passed[name] = kept;
  }
  return passed;
}

/** The headers of another server's answer that go back to the caller. */
export function forwardedResponseHeaders(headers: Readonly<NodeJS.Dict<string | readonly string[]>>): HeaderMap {
  const connection = headers["connection"];
  const named = namedByConnection(connection === undefined ? undefined : String(connection));
  const passed: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named.has(name)) passed[name] = value;
  }
  return passed;
}

function namedByConnection(value: string | undefined): ReadonlySet<string> {
  return new Set((value ?? "").split(",").map((name) => name.trim().toLowerCase()));
}

/** Browsers send their token as a WebSocket protocol, because they cannot send it as a header. */
function withoutToken(protocols: string): string | undefined {
  const kept = protocols
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "" && !protocol.startsWith(WEBSOCKET_TOKEN));
  return kept.length === 0 ? undefined : kept.join(", ");
}

/**
 * A text as the value of a header: its UTF-8 bytes, one character each, as Node wants them. Undefined when the text
 * cannot stand in a header at all.
 */
export function headerValue(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass.
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? undefined : Buffer.from(text, "utf8").toString("latin1");
}

/** A text as a part of a header's name, in the escapes that Kubernetes uses for keys of `extra`. */
export function headerNamePart(text: string): string {
  let escaped = "";
  for (const byte of Buffer.from(text.toLowerCase(), "utf8")) {
    const letter = String.fromCharCode(byte);
    escaped += /[!#$&'*+\-.^_`|~0-9a-z]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}
