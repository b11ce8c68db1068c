// `url("https://example.com/a?b=c").getHost()`.
import { type GoUrl, hostnameOf, parseQuery, parseRequestUri, parseUrl, portOf, UrlError } from "../../go-url.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { BOOL, listOf, mapOf, STRING, struct } from "../types.ts";
import { ArrayList, CelValue, EntryMap, fail } from "../values.ts";

const URL_TYPE = struct("kubernetes.URL");

export class CelUrl extends CelValue {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly value: GoUrl;

  constructor(text: string, value: GoUrl) {
    super();
    this.text = text;
    this.value = value;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelUrl && other.text === this.text;
  }
}

function toUrl(text: string): CelUrl {
  const refuse = (error: UrlError): never => fail(`URL parse error during conversion from string: ${error.message}`);
  const request = parseRequestUri(text);
  if (request instanceof UrlError) return refuse(request);
  const url = parseUrl(text);
  return url instanceof UrlError ? refuse(url) : new CelUrl(text, url);
}

function queryOf({ value }: CelUrl): EntryMap {
  const entries = [...parseQuery(value.rawQuery)];
  return new EntryMap(entries.map(([key, values]) => [key, new ArrayList(values)]));
}

export const URLS: readonly FunctionDeclaration[] = [
  global("url", "string_to_url", [STRING], URL_TYPE, toUrl),
  member("getScheme", "url_get_scheme", [URL_TYPE], STRING, ({ value }: CelUrl) => value.scheme),
  member("getHost", "url_get_host", [URL_TYPE], STRING, ({ value }: CelUrl) => value.host),
  member("getHostname", "url_get_hostname", [URL_TYPE], STRING, ({ value }: CelUrl) => hostnameOf(value.host)),
  member("getPort", "url_get_port", [URL_TYPE], STRING, ({ value }: CelUrl) => portOf(value.host)),
  member("getEscapedPath", "url_get_escaped_path", [URL_TYPE], STRING, ({ value }: CelUrl) => value.escapedPath),
  member("getQuery", "url_get_query", [URL_TYPE], mapOf(STRING, listOf(STRING)), queryOf),
  global("isURL", "is_url_string", [STRING], BOOL, (text: string) => !(parseRequestUri(text) instanceof UrlError)),
];
