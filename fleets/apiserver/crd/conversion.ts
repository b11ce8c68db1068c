// Conversion of custom resources by the webhook of their definition.
import { randomUUID } from "node:crypto";
import { stringifyJson } from "../../../kube/json.ts";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { targetOf, type WebhookClientConfig } from "../admission/webhooks/client-config.ts";
import { readJsonAnswer } from "../admission/webhooks/json-answer.ts";
import type { JsonCaller } from "../http/json-call.ts";
import type { KindStrategy, VersionConverter } from "../registry/kind.ts";
import { StatusError, serverError } from "../registry/status-error.ts";
import type { Store } from "../storage/store.ts";
import { StoredObject } from "../storage/stored-object.ts";
import { conversionReview, conversionReviewVersionOf, nameOfKind, readConversion } from "./conversion-review.ts";

export interface ConversionWebhookOptions {
  readonly client: WebhookClientConfig;
  /** The versions of ConversionReview that the webhook takes. */
  readonly reviewVersions: readonly string[];
  readonly store: Store;
  readonly caller: JsonCaller;
  /** The strategy of one of the definition's versions, served or not. */
  readonly strategyOf: (apiVersion: string) => KindStrategy | undefined;
}

const TIMEOUT_S = 30;
/** Objects a call: the webhook answers all of them in one body. */
const BATCH = 200;
const PARALLEL_CALLS = 4;
/** An answer may be this much larger than the question: other versions say the same in more words. */
const ANSWER_FACTOR = 4;
const SMALLEST_LIMIT_BYTES = 3 * 1024 * 1024;
/** Stored objects whose other forms are kept. */
const KEPT_FORMS = 1024;

/** Asks the webhook of one definition. Made anew when the definition changes, so what it keeps is never stale. */
export class ConversionWebhook implements VersionConverter {
  readonly #options: ConversionWebhookOptions;
  /** Other forms of stored objects by version; the last used at the end. */
  readonly #forms = new Map<StoredObject, Map<string, StoredObject>>();
  readonly #running = new Map<StoredObject, Map<string, Promise<StoredObject>>>();

  constructor(options: ConversionWebhookOptions) {
    this.#options = options;
  }

  known(stored: StoredObject, apiVersion: string): StoredObject | undefined {
    return this.#forms.get(stored)?.get(apiVersion);
  }

  async forms(stored: readonly StoredObject[], apiVersion: string): Promise<StoredObject[]> {
    const missing = stored.filter((each) => this.#present(each, apiVersion) === undefined);
    if (missing.length > 0) this.#start(missing, apiVersion);
    return Promise.all(stored.map((each) => this.#present(each, apiVersion)!));
  }

  async convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]> {
    const others = objects.filter((object) => object.apiVersion !== apiVersion);
    const batches = Array.from({ length: Math.ceil(others.length / BATCH) }, (_, index) =>
      others.slice(index * BATCH, (index + 1) * BATCH),
    );
    const converted = (await mapLimit(batches, PARALLEL_CALLS, (batch) => this.#ask(batch, apiVersion))).flat();
    let next = 0;
    return objects.map((object) => (object.apiVersion === apiVersion ? object : converted[next++]!));
  }

  /** The form, or the promise of one that is on its way; undefined when nobody has asked. */
  #present(stored: StoredObject, apiVersion: string): StoredObject | Promise<StoredObject> | undefined {
    if (stored.object.apiVersion === apiVersion) return stored;
    return this.known(stored, apiVersion) ?? this.#running.get(stored)?.get(apiVersion);
  }

  #start(stored: readonly StoredObject[], apiVersion: string): void {
    const answer = this.convert(
      stored.map(({ object }) => object),
      apiVersion,
    );
    for (const [index, each] of stored.entries()) {
      const form = answer.then((converted) => new StoredObject(each, each.uid, each.revision, converted[index]!));
      setNested(this.#running, each, apiVersion, form);
      form
        .then((made) => this.#keep(each, apiVersion, made))
        // Whoever asked is told; the next one asks again.
        .catch(() => {})
        .finally(() => deleteNested(this.#running, each, apiVersion));
    }
  }

  #keep(stored: StoredObject, apiVersion: string, form: StoredObject): void {
    const others = this.#forms.get(stored);
    this.#forms.delete(stored);
    this.#forms.set(stored, new Map(others).set(apiVersion, form));
    for (const oldest of this.#forms.keys()) {
      if (this.#forms.size <= KEPT_FORMS) break;
      this.#forms.delete(oldest);
    }
  }

  async #ask(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]> {
    const { client, reviewVersions, store, caller, strategyOf } = this.#options;
    const subject = `conversion webhook for ${nameOfKind(objects[0]!)}`;
    const version = conversionReviewVersionOf(reviewVersions);
    if (version === undefined) throw serverError(`${subject} failed: it takes no known version of ConversionReview`);
    const conversion = { uid: randomUUID(), desiredApiVersion: apiVersion, objects };
    let json: unknown;
    try {
      const body = stringifyJson(conversionReview(conversion, version));
      const maxAnswerBytes = Math.max(SMALLEST_LIMIT_BYTES, body.length * ANSWER_FACTOR);
      const target = targetOf(client, store, TIMEOUT_S);
      json = readJsonAnswer(await caller.post(target, { body, timeoutMs: TIMEOUT_S * 1000, maxAnswerBytes }));
    } catch (error) {
      throw serverError(`${subject} failed: ${messageOf(error)}`);
    }
    try {
      const converted = readConversion(json, conversion, version);
      const kind = strategyOf(apiVersion);
      return converted.map((object) => canonical(object, kind));
    } catch (error) {
      throw serverError(error instanceof StatusError ? `${subject} returned ${error.message}` : messageOf(error));
    }
  }
}

/** As every object of the version: pruned and defaulted. */
function canonical(object: KubeObject, kind: KindStrategy | undefined): KubeObject {
  if (kind === undefined) return object;
  // A KubeObject of parsed JSON.
  const { object: decoded } = kind.decode(object as unknown as JsonObject, []);
  kind.applyDefaults(decoded, undefined);
  return decoded;
}

function setNested<V>(map: Map<StoredObject, Map<string, V>>, key: StoredObject, inner: string, value: V): void {
  const values = map.get(key) ?? new Map<string, V>();
  values.set(inner, value);
  map.set(key, values);
}

function deleteNested<V>(map: Map<StoredObject, Map<string, V>>, key: StoredObject, inner: string): void {
  const values = map.get(key);
  values?.delete(inner);
  if (values?.size === 0) map.delete(key);
}
