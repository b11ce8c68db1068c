// Takes out of objects what nobody who reads a report may see. A value becomes a short keyed hash: equal values look
// equal, a change shows, and without the key nobody can try values out.
import { createHmac, randomBytes } from "node:crypto";
import type { FieldPath } from "../../../kube/fields/path.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { isObject, type KubeObject, setOwn } from "../../../kube/object.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const SECRET_FIELDS: ReadonlySet<string> = new Set(["data", "stringData"]);
const SECRET_POINTER = /^\/(data|stringData)(\/|$)|^$/;
const OVERRIDE_KINDS: ReadonlySet<unknown> = new Set(["OverridePolicy", "ClusterOverridePolicy"]);

/** Words of a name that say: credential. `TOKEN_TTL`, `PASSWORD_FILE` and `KEY_ID` name none. */
const CREDENTIAL =
  /(^|[_.-])(pass(word|wd|phrase)?|pwd|secret|token|credentials?|(api|access|private|secret|encryption|signing|master|auth)[_.-]?key|connection[_.-]?string|dsn)s?([_.-](value|base64|b64|[0-9]+))?$/;
const CREDENTIAL_FLAG = /^(--?([A-Za-z][A-Za-z0-9_.-]{0,80})=)([\s\S]+)$/;
const USERINFO = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/@?#"'<>]{1,1000})@/gi;
const MASKED = /^\(hidden(, [0-9]+|, changed| [0-9a-f]{8})?\)$/;
/** Shorter values stand in half of all texts, and count only where they are quoted. */
const SHORTEST_QUOTED = 4;

/** What stands at a place of an object: `open`, all of it `hidden`, or overriders of a policy that may mean Secrets. */
type Context = "open" | "secret" | "hidden" | "overriders" | "secret-overriders";

/** Masks with one key. */
export class Mask {
  readonly #key: string | Uint8Array;

  constructor(key: string | Uint8Array) {
    this.#key = key;
  }

  /**
   * The object without values of Secrets (also of those within Works, and of what overrides write into them), annotations
   * that repeat them, values of variables and flags that are called like a credential, and credentials in URLs. Keys stay.
   */
  object(object: KubeObject): KubeObject {
    // Masking leaves the shape as it is.
    const masked = this.#masked(object, contextOf(object, "open")) as KubeObject;
    const { annotations } = masked.metadata;
    if (object.kind !== "Secret" || annotations === undefined) return masked;
    // Authors repeat values in annotations of their own.
    const values = secretTexts([object]);
    const clean = Object.entries(annotations).map(([key, text]) => [key, this.#withoutTexts(text, values)]);
    return { ...masked, metadata: { ...masked.metadata, annotations: Object.fromEntries(clean) } };
  }

  /** What stands in `root` at these keys, masked as it would be there. */
  at(root: unknown, keys: readonly (string | number)[], value: unknown): unknown {
    let context = contextOf(root, "open");
    let node: unknown = root;
    for (const key of keys) {
      context = childContext(node, String(key), context);
      node = Array.isArray(node)
        ? node[Number(key)]
        : isObject(node) && Object.hasOwn(node, key)
          ? node[key]
          : undefined;
      if (context === "open") context = contextOf(node, context);
    }
    return this.#masked(value, contextOf(value, context));
  }

  /** What stands at a path of field ownership in an object of this kind, masked as it would be there. */
  atFields(kind: string, path: FieldPath, value: unknown): unknown {
    let node: unknown = { kind };
    let context = contextOf(node, "open");
    for (const element of path) {
      if (element.startsWith("f:")) {
        context = childContext(node, element.slice(2), context);
        node = undefined;
      } else {
        // The keys of an item are all of it that is known: among them its name.
        node = element.startsWith("k:") ? JSON.parse(element.slice(2)) : undefined;
      }
    }
    return this.#masked(value, contextOf(value, context));
  }

  /** A message without values of these Secrets, as they are written and as they are meant, and without credentials in URLs. */
  message(message: string, secrets: readonly string[]): string {
    return this.#withoutTexts(this.#text(message), secrets);
  }

  /** `(hidden 4f1c92ab)`, the same for the same value; what is masked already stays. */
  token(value: unknown): string {
    if (typeof value === "string" && MASKED.test(value)) return value;
    const hash = createHmac("sha256", this.#key).update(stringifyJson(value)).digest("hex");
    return `(hidden ${hash.slice(0, 8)})`;
  }

  #masked(value: unknown, context: Context): unknown {
    if (value === null || value === undefined) return value;
    if (typeof value === "string") return context === "hidden" ? this.token(value) : this.#text(value);
    if (typeof value !== "object") return context === "hidden" ? this.token(value) : value;
    if (Array.isArray(value)) return this.#items(value, context);
    const masked: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(value)) {
      const inside = childContext(value, key, context);
      setOwn(masked, key, this.#masked(child, inside === "open" ? contextOf(child, inside) : inside));
    }
    return masked;
  }

  /** After a flag that is called like a credential, the next item is its value. */
  #items(items: readonly unknown[], context: Context): unknown[] {
    return items.map((item, index) => {
      const flag = items[index - 1];
      const isValue =
        typeof item === "string" &&
        !item.startsWith("-") &&
        typeof flag === "string" &&
        /^--?[A-Za-z]/.test(flag) &&
        isCredentialName(flag.replace(/^--?/, ""));
      return this.#masked(item, isValue ? "hidden" : contextOf(item, context));
    });
  }

  #text(text: string): string {
    const flag = text.startsWith("-") ? CREDENTIAL_FLAG.exec(text) : null;
    if (flag !== null && isCredentialName(flag[2] ?? "")) return `${flag[1]}${this.token(flag[3])}`;
    if (!text.includes("://")) return text;
    return text.replace(USERINFO, (whole, scheme: string, user: string) =>
      // Who logs in by a key has a name and no password.
      scheme.toLowerCase() === "ssh://" && !user.includes(":") ? whole : `${scheme}${this.token(user)}@`,
    );
  }

  #withoutTexts(text: string, secrets: readonly string[]): string {
    let clean = text;
    for (const secret of secrets) {
      if (!clean.includes(secret)) continue;
      if (secret.length >= SHORTEST_QUOTED) clean = clean.replaceAll(secret, () => this.token(secret));
      else
        for (const quote of ['"', "'", "`"]) clean = clean.replaceAll(`${quote}${secret}${quote}`, this.token(secret));
    }
    return clean;
  }
}

/** With a key that nobody knows, and that ends with the process. */
export const RUN_MASK = new Mask(randomBytes(32));

/** Whether a variable or flag of this name holds a credential. */
export function isCredentialName(name: string): boolean {
  if (name.length > 200) return false;
  return CREDENTIAL.test(name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase());
}

/** The values of the Secrets among these objects and within them, encoded, decoded and as JSON writes them, the longest first. */
export function secretTexts(objects: Iterable<unknown>): string[] {
  const texts = new Set<string>();
  const take = (value: unknown): void => {
    if (typeof value === "string") {
      for (const text of [value, decoded(value)]) {
        if (text === undefined) continue;
        for (const part of [text, ...text.split(/\r?\n/)].map((line) => line.trim()))
          if (part !== "") texts.add(part).add(JSON.stringify(part).slice(1, -1));
      }
    } else if (typeof value === "number" || typeof value === "bigint") take(String(value));
    else if (Array.isArray(value)) value.forEach(take);
    else if (isObject(value)) Object.values(value).forEach(take);
  };
  const walk = (value: unknown, context: Context): void => {
    if (context === "hidden") take(value);
    else if (Array.isArray(value)) for (const item of value) walk(item, contextOf(item, context));
    else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        // Repeats everything, and what is secret in it stands elsewhere.
        if (key === LAST_APPLIED) continue;
        const inside = childContext(value, key, context);
        walk(child, inside === "open" ? contextOf(child, inside) : inside);
      }
    }
  };
  for (const object of objects) walk(object, contextOf(object, "open"));
  return [...texts].sort((a, b) => b.length - a.length);
}

/** What base64 stands for, where it is text. */
function decoded(text: string): string | undefined {
  // Trimmed first: two parts of a pattern that take the same blanks take the square of their time.
  if (text.length < 4 || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(text.trimEnd())) return undefined;
  const meant = Buffer.from(text, "base64").toString("utf8");
  return meant.includes("\ufffd") ? undefined : meant;
}

/** What an object is, wherever it stands. */
function contextOf(value: unknown, context: Context): Context {
  if (context !== "open" || !isObject(value)) return context;
  if (value["kind"] === "Secret") return "secret";
  if (OVERRIDE_KINDS.has(value["kind"]) && mayMeanSecrets(value["spec"])) return "overriders";
  return "open";
}

function mayMeanSecrets(spec: unknown): boolean {
  const selectors = isObject(spec) ? spec["resourceSelectors"] : undefined;
  if (!Array.isArray(selectors) || selectors.length === 0) return true;
  return selectors.some((selector) => isObject(selector) && selector["kind"] === "Secret");
}

function childContext(node: unknown, key: string, context: Context): Context {
  if (context === "hidden") return "hidden";
  if (key === LAST_APPLIED || key === "proxyHeader") return "hidden";
  if (context === "secret") return SECRET_FIELDS.has(key) ? "hidden" : "open";
  if (!isObject(node)) return context;
  if (key === "value" && typeof node["name"] === "string" && isCredentialName(node["name"])) return "hidden";
  if (context === "secret-overriders") return key === "value" ? "hidden" : context;
  if (context === "overriders") {
    if (key === "value" && typeof node["path"] === "string" && SECRET_POINTER.test(node["path"])) return "hidden";
    if (typeof node["fieldPath"] === "string" && SECRET_POINTER.test(node["fieldPath"])) return "secret-overriders";
  }
  return context;
}
