// Answers of API servers as the process of a plan gets them: values of Secrets, and whatever else is a credential, are
// replaced by hashes under a key that stays here. Equal values stay equal and a change shows, and nobody who reads them can
// try values out.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { type Mask, secretTexts } from "../../plan/diff/mask.ts";
import { APPLIED_CLUSTER_OVERRIDES_ANNOTATION, APPLIED_OVERRIDES_ANNOTATION } from "../../works/metadata-keys.ts";
import type { AskedResource } from "./request-gate.ts";

type Fields = Readonly<Record<string, unknown>>;

const HIDDEN = "(hidden)";
/** Fields of a status in which servers and people say something, and may quote anything. No decision hangs on them. */
const WORDS = /(message|error|output|log|note)s?$/i;
/** Of a Secret: they say what it was, and what policies wrote into it. */
const HIDDEN_ANNOTATIONS: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  APPLIED_OVERRIDES_ANNOTATION,
  APPLIED_CLUSTER_OVERRIDES_ANNOTATION,
]);

/** Characters of a text times values that are looked for in it. */
const MOST_COMPARED = 10_000_000;
const MOST_CAUSES = 20;

/** For the answers of one plan. */
export class AnswerSeal {
  readonly #mask: Mask;
  /** How much may be compared still for the present object or refusal. */
  #budget = 0;

  constructor(mask: Mask) {
    this.#mask = mask;
  }

  /** The object or list that a request for `resource` was answered with. */
  answer(body: unknown, resource: AskedResource): unknown {
    if (!isObject(body)) return undefined;
    const { apiVersion, items, kind, metadata } = body;
    if (resource.name !== undefined || !Array.isArray(items)) return this.#object(body, resource, undefined);
    const objects = items.filter(isObject).map((item) => this.#object(item, resource, body));
    return { apiVersion, kind, metadata, items: objects };
  }

  /** A refusal of the server, which may quote what is there: in `quoted`, and what it was to become. */
  refusal(body: unknown, status: number, quoted: readonly unknown[]): Fields {
    const told = isObject(body) && body["kind"] === "Status" ? body : {};
    const { reason, message, details } = told;
    const texts = secretTexts(quoted);
    this.#budget = MOST_COMPARED;
    const clean = (text: unknown): string | undefined =>
      typeof text === "string" ? this.#without(text, texts) : undefined;
    return {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: status,
      reason: typeof reason === "string" ? reason : "",
      message: clean(message) ?? `the server answered ${status}`,
      details: isObject(details) ? detailsOf(details, clean) : {},
    };
  }

  #object(object: Fields, resource: AskedResource, list: Fields | undefined): Fields {
    // Whatever the object has; masking leaves its shape as it is.
    const named = withKind(object, resource, list) as unknown as KubeObject;
    const metadata: KubeObject["metadata"] = isObject(named.metadata) ? named.metadata : {};
    const texts = secretTexts([named]);
    const isSecret = named.kind === "Secret" && isObject(metadata.annotations);
    // Its annotations are looked at here, within bounds.
    const masked = this.#mask.object({ ...named, metadata: isSecret ? { ...metadata, annotations: {} } : metadata });
    const whole = isSecret
      ? { ...masked, metadata: { ...masked.metadata, annotations: metadata.annotations } }
      : masked;
    this.#budget = MOST_COMPARED;
    const sealed = (isSecret || texts.length > 0 ? this.#inner(whole, texts) : masked) as unknown as Fields;
    return sealed["status"] === undefined ? sealed : { ...sealed, status: withoutWords(sealed["status"]) };
  }

  /** Annotations of Secrets, also of those within, without what they repeat of the data. */
  #inner(value: unknown, texts: readonly string[]): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#inner(item, texts));
    if (!isObject(value)) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, this.#inner(child, texts)]));
    const { metadata } = copy;
    if (copy["kind"] !== "Secret" || !isObject(metadata) || !isObject(metadata["annotations"])) return copy;
    const annotations = Object.entries(metadata["annotations"]).map(([key, text]) => [
      key,
      HIDDEN_ANNOTATIONS.has(key) || typeof text !== "string" ? this.#mask.token(text) : this.#without(text, texts),
    ]);
    return { ...copy, metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
  }

  /** All of a text goes where it takes too long to look for so much in it: somebody may have made it for that. */
  #without(text: string, texts: readonly string[]): string {
    this.#budget -= text.length * texts.length;
    return this.#budget < 0 ? this.#mask.token(text) : this.#mask.message(text, texts);
  }
}

function detailsOf(details: Fields, clean: (text: unknown) => string | undefined): Fields {
  const { name, group, kind, retryAfterSeconds, causes } = details;
  return {
    name,
    group,
    kind,
    retryAfterSeconds,
    causes: Array.isArray(causes)
      ? causes
          .slice(0, MOST_CAUSES)
          .filter(isObject)
          .map(({ reason, field, message }) => ({ reason, field, message: clean(message) }))
      : undefined,
  };
}

/** Items of built-in kinds come without their kind, and by its kind a Secret is known. */
function withKind(object: Fields, { group, plural }: AskedResource, list: Fields | undefined): Fields {
  if (group === "" && plural === "secrets") return { ...object, apiVersion: "v1", kind: "Secret" };
  if (object["kind"] !== undefined || list === undefined) return object;
  const kind = /^(.+)List$/.exec(String(list["kind"]))?.[1];
  return kind === undefined ? object : { apiVersion: list["apiVersion"], kind, ...object };
}

function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      typeof child === "string" && WORDS.test(key) ? HIDDEN : withoutWords(child),
    ]),
  );
}
