// One version of one object. It never changes: a write makes a new one.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { decodeJson, deepFreeze, encodeJson } from "./json-text.ts";

/** Where an object lives. `namespace` is empty for cluster-scoped objects. */
export interface ObjectKey {
  /** The kind's storage key: `apps/deployments`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * An object as stored: JSON bytes and the parsed form, each made from the other when first asked for. The bytes start
 * with `apiVersion` and `kind`, so that lists and other served versions can replace that head without parsing.
 */
export class StoredObject implements ObjectKey {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: number;
  #bytes: Buffer | undefined;
  #object: KubeObject | undefined;
  #headLength = 0;

  constructor(key: ObjectKey, uid: string, revision: number, content: KubeObject | Buffer) {
    this.resource = key.resource;
    this.namespace = key.namespace;
    this.name = key.name;
    this.uid = uid;
    this.revision = revision;
    if (Buffer.isBuffer(content)) this.#bytes = content;
    else this.#object = deepFreeze(shareFieldSets(content));
  }

  /** The frozen object. Shared: copy before changing. */
  get object(): KubeObject {
    // Bytes were made from a KubeObject, here or before the restart.
    this.#object ??= deepFreeze(shareFieldSets(decodeJson(this.bytes.toString()) as KubeObject));
    return this.#object;
  }

  /** The whole object as JSON. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const { apiVersion, kind, ...rest } = this.object;
      const text = encodeJson({ apiVersion, kind, ...rest });
      // Not from the shared pool: one object that lives long would keep a whole slab of others alive.
      this.#bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
      this.#bytes.write(text);
    }
    return this.#bytes;
  }

  /** The JSON after `apiVersion` and `kind`: `"metadata":{...},...}` without the opening brace. */
  get tail(): Buffer {
    const bytes = this.bytes;
    if (this.#headLength === 0) {
      // Neither value can contain a quote or a comma, so the second comma ends the head.
      this.#headLength = bytes.indexOf(",", bytes.indexOf(",") + 1) + 1;
    }
    return bytes.subarray(this.#headLength);
  }

  get isParsed(): boolean {
    return this.#object !== undefined;
  }

  /** Forgets the bytes while the parsed form is there to make them again. */
  dropBytes(): void {
    if (this.#object !== undefined) this.#bytes = undefined;
  }

  /** Forgets the parsed form, to save memory. */
  dropParsed(): void {
    void this.bytes;
    this.#object = undefined;
  }
}

/** Sets of owned fields, which are the same for most objects that one program writes. */
const fieldSets = new Map<string, JsonObject>();
const MAX_FIELD_SETS = 2048;

/** Lets equal sets of owned fields be one object: they are a third of what an object takes in memory. */
function shareFieldSets(object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields;
  if (entries === undefined || Object.isFrozen(object)) return object;
  const shared = entries.map((entry) =>
    entry.fieldsV1 === undefined ? entry : { ...entry, fieldsV1: sharedSet(entry.fieldsV1) },
  );
  return { ...object, metadata: { ...object.metadata, managedFields: shared } };
}

function sharedSet(set: JsonObject): JsonObject {
  const text = JSON.stringify(set);
  const known = fieldSets.get(text);
  if (known !== undefined) return known;
  // Oldest out: a set that is still written comes back with its next write.
  if (fieldSets.size >= MAX_FIELD_SETS) fieldSets.delete(fieldSets.keys().next().value ?? "");
  fieldSets.set(text, deepFreeze(set));
  return set;
}
