// Checks of where a webhook is, in configurations of admission webhooks and in conversion of definitions.
import { checkDnsSubdomain } from "../../../kube/names.ts";
import type { Json, JsonObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { textOf } from "./cell-values.ts";
import { invalidValue, problems, required } from "./field-errors.ts";

const FORM = "desired format: https://host[/path]";
const HIGHEST_PORT = 65_535;

/** Errors of a `clientConfig`. `field` is its path. */
export function webhookClientErrors(field: string, client: JsonObject): FieldError[] {
  const { url, service } = client;
  const hasUrl = url !== undefined && url !== null;
  const hasService = service !== undefined && service !== null;
  if (hasUrl === hasService) return [required(field, "exactly one of url or service is required")];
  // Decoded by the field table: a service is an object.
  return hasUrl ? urlErrors(`${field}.url`, String(url)) : serviceErrors(`${field}.service`, service as JsonObject);
}

interface UrlParts {
  readonly scheme: string;
  readonly user: string;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

function urlErrors(field: string, text: string): FieldError[] {
  const parts = splitUrl(text);
  if (typeof parts === "string") {
    return [required(field, `url must be a valid URL: parse ${JSON.stringify(text)}: ${parts}; ${FORM}`)];
  }
  const errors: FieldError[] = [];
  const { scheme, user, host, query, fragment } = parts;
  if (scheme !== "https") errors.push(invalidValue(field, scheme, `'https' is the only allowed URL scheme; ${FORM}`));
  if (host === "") errors.push(invalidValue(field, host, `host must be specified; ${FORM}`));
  if (user !== "") errors.push(invalidValue(field, user, "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalidValue(field, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalidValue(field, query, "query parameters are not permitted in the URL"));
  return errors;
}

/** The parts of a URL, or what Go's parser says against it. */
function splitUrl(text: string): UrlParts | string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return "net/url: invalid control character in URL";
  const [beforeFragment = "", fragment = ""] = splitAt(text, "#");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(beforeFragment)?.[1] ?? "";
  if (scheme === "" && beforeFragment.startsWith(":")) return "missing protocol scheme";
  const rest = scheme === "" ? beforeFragment : beforeFragment.slice(scheme.length + 1);
  if (scheme === "" && /^[^/?]*:/.test(rest)) return "first path segment in URL cannot contain colon";
  const [beforeQuery = "", query = ""] = splitAt(rest, "?");
  const authority = /^\/\/([^/]*)/.exec(beforeQuery)?.[1] ?? "";
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(beforeQuery)?.[0];
  if (badEscape !== undefined) return `invalid URL escape ${JSON.stringify(badEscape)}`;
  const port = /:([^\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^[0-9]*$/.test(port)) return `invalid port ${JSON.stringify(`:${port}`)} after host`;
  return { scheme: scheme.toLowerCase(), user: authority.slice(0, Math.max(at, 0)), host, query, fragment };
}

function splitAt(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function serviceErrors(field: string, service: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  // The reference has the two fields crossed, and clients see its words.
  if (textOf(service["namespace"]) === "") errors.push(required(`${field}.name`));
  if (textOf(service["name"]) === "") errors.push(required(`${field}.namespace`));
  const port = service["port"];
  if (typeof port === "number" && (port < 1 || port > HIGHEST_PORT)) {
    const why = `port is not valid: must be between 1 and ${HIGHEST_PORT}, inclusive`;
    errors.push(invalidValue(`${field}.port`, port, why));
  }
  errors.push(...pathErrors(`${field}.path`, service["path"]));
  return errors;
}

function pathErrors(field: string, path: Json | undefined): FieldError[] {
  if (typeof path !== "string") return [];
  const errors: FieldError[] = [];
  if (!path.startsWith("/")) errors.push(invalidValue(field, path, "must start with a '/'"));
  const withoutEnds = path.slice(1).replace(/\/$/, "");
  if (path === "/") return errors;
  for (const [index, segment] of withoutEnds.split("/").entries()) {
    if (segment === "") errors.push(invalidValue(field, path, `segment[${index}] may not be empty`));
    else {
      const found = checkDnsSubdomain(segment).map((why) => `segment[${index}]: ${why}`);
      errors.push(...problems(field, path, found));
    }
  }
  return errors;
}
