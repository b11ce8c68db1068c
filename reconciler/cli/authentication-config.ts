// kube-apiserver's file of token issuers: AuthenticationConfiguration of apiserver.config.k8s.io.
import type { OidcOptions } from "../../fleets/apiserver/tokens/oidc-issuer.ts";
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";

const API_VERSIONS: readonly unknown[] = ["v1", "v1beta1", "v1alpha1"].map(
  (version) => `apiserver.config.k8s.io/${version}`,
);
const EXPRESSIONS = [
  "claimValidationRules[].expression",
  "userValidationRules",
  "claimMappings.*.expression",
  "claimMappings.extra",
];

/** A provider, and the authorities that vouch for its address. */
export interface OidcProvider extends OidcOptions {
  readonly caPem?: string | undefined;
}

/** What is wrong with the address of a provider; undefined when nothing is. */
export function checkIssuerUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:") return `must be an address that starts with https://, not "${text}"`;
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  if (url.search !== "" || url.hash !== "") return "must hold neither a query nor a fragment";
  return undefined;
}

/** What the file says. Throws `authentication-config-invalid` for what is wrong, or asks for what is not built. */
export function readAuthenticationConfig(
  text: string,
  file: string,
): { readonly providers: readonly OidcProvider[]; readonly anonymous: boolean | undefined } {
  const reader = new Reader(file);
  const config = reader.map(parseYaml(text, { file }), "the file");
  if (config["kind"] !== "AuthenticationConfiguration" || !API_VERSIONS.includes(config["apiVersion"]))
    throw reader.invalid(`kind must be AuthenticationConfiguration of ${API_VERSIONS.join(" or ")}`);
  reader.knows(config, ["apiVersion", "kind", "jwt", "anonymous"], "");
  const providers = reader.list(config["jwt"], "jwt").map((each, index) => readIssuer(reader, each, `jwt[${index}]`));
  const seen = new Set(providers.map((provider) => provider.issuerUrl));
  if (seen.size < providers.length) throw reader.invalid("two issuers have the same url");
  return { providers, anonymous: readAnonymous(reader, config["anonymous"]) };
}

function readAnonymous(reader: Reader, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  const anonymous = reader.map(value, "anonymous");
  if (reader.list(anonymous["conditions"], "anonymous.conditions").length > 0)
    throw reader.invalid("anonymous.conditions is not supported: anonymous users are let in everywhere or nowhere");
  return anonymous["enabled"] === true;
}

function readIssuer(reader: Reader, value: unknown, path: string): OidcProvider {
  const jwt = reader.map(value, path);
  reader.knows(jwt, ["issuer", "claimMappings", "claimValidationRules"], path);
  const issuer = reader.map(jwt["issuer"], `${path}.issuer`);
  reader.knows(
    issuer,
    ["url", "discoveryURL", "certificateAuthority", "audiences", "audienceMatchPolicy"],
    `${path}.issuer`,
  );
  const issuerUrl = reader.text(issuer["url"], `${path}.issuer.url`);
  const discoveryUrl = reader.optionalText(issuer["discoveryURL"], `${path}.issuer.discoveryURL`);
  for (const url of [issuerUrl, ...(discoveryUrl === undefined ? [] : [discoveryUrl])]) {
    const problem = checkIssuerUrl(url);
    if (problem !== undefined) throw reader.invalid(`${path}.issuer.url ${problem}`);
  }
  const audiences = reader.list(issuer["audiences"], `${path}.issuer.audiences`);
  if (audiences.length === 0) throw reader.invalid(`${path}.issuer.audiences must name at least one audience`);
  const mappings = reader.map(jwt["claimMappings"], `${path}.claimMappings`);
  reader.knows(mappings, ["username", "groups", "uid"], `${path}.claimMappings`);
  const username = readMapping(reader, mappings["username"], `${path}.claimMappings.username`);
  if (username === undefined) throw reader.invalid(`${path}.claimMappings.username.claim must be set`);
  const groups = readMapping(reader, mappings["groups"], `${path}.claimMappings.groups`);
  const uid = readMapping(reader, mappings["uid"], `${path}.claimMappings.uid`);
  return {
    issuerUrl,
    discoveryUrl,
    clientIds: audiences.map((each) => reader.text(each, `${path}.issuer.audiences`)),
    caPem: reader.optionalText(issuer["certificateAuthority"], `${path}.issuer.certificateAuthority`),
    usernameClaim: username.claim,
    usernamePrefix: username.prefix ?? "",
    groupsClaim: groups?.claim,
    groupsPrefix: groups?.prefix,
    uidClaim: uid?.claim,
    requiredClaims: readRules(reader, jwt["claimValidationRules"], `${path}.claimValidationRules`),
  };
}

function readMapping(
  reader: Reader,
  value: unknown,
  path: string,
): { readonly claim: string; readonly prefix: string | undefined } | undefined {
  if (value === undefined || value === null) return undefined;
  const mapping = reader.map(value, path);
  reader.knows(mapping, ["claim", "prefix"], path);
  return {
    claim: reader.text(mapping["claim"], `${path}.claim`),
    prefix: reader.optionalText(mapping["prefix"], `${path}.prefix`),
  };
}

function readRules(reader: Reader, value: unknown, path: string): Record<string, string> {
  const rules: Record<string, string> = {};
  for (const [index, each] of reader.list(value, path).entries()) {
    const rule = reader.map(each, `${path}[${index}]`);
    reader.knows(rule, ["claim", "requiredValue"], `${path}[${index}]`);
    rules[reader.text(rule["claim"], `${path}[${index}].claim`)] =
      reader.optionalText(rule["requiredValue"], `${path}[${index}].requiredValue`) ?? "";
  }
  return rules;
}

class Reader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  invalid(why: string): AppError {
    return new AppError("authentication-config-invalid", `${this.#file}: ${why}`, { recovery: "stall" });
  }

  map(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (!isObject(value)) throw this.invalid(`${path} must be a map`);
    return value;
  }

  list(value: unknown, path: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.invalid(`${path} must be a list`);
    return value;
  }

  text(value: unknown, path: string): string {
    if (typeof value !== "string" || value === "") throw this.invalid(`${path} must be a text`);
    return value;
  }

  optionalText(value: unknown, path: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw this.invalid(`${path} must be a text`);
    return value;
  }

  /** Refuses keys that would be ignored: a rule that is not kept would let in whom it was to keep out. */
  knows(map: Readonly<Record<string, unknown>>, keys: readonly string[], path: string): void {
    const other = Object.keys(map).find((key) => !keys.includes(key));
    if (other === undefined) return;
    const place = path === "" ? other : `${path}.${other}`;
    throw this.invalid(`${place} is not supported (nor are expressions: ${EXPRESSIONS.join(", ")})`);
  }
}
