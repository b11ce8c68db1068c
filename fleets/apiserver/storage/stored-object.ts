// One version of one object. It never changes: a write makes a new one.
import type { KubeObject } from "../../../kube/object.ts";
import { readObject, shareFieldSets } from "./field-sets.ts";
import { deepFreeze, encodeJson } from "./json-text.ts";
import { scanMetadata } from "./metadata-scan.ts";
import { SharedValues } from "./shared-values.ts";

/** Where an object lives. `namespace` is empty for cluster-scoped objects. */
export interface ObjectKey {
  /** The kind's storage key: `apps/deployments`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** The store that an object is part of, which is told what the object holds. */
export interface ContentHome {
  /** The bytes written under the object's revision; undefined where memory is all there is. */
  readonly read: ((object: StoredObject) => Buffer) | undefined;
  holdsParsed(object: StoredObject): void;
  holdsBytes(object: StoredObject): void;
}

type Labels = Readonly<Record<string, string>>;

/**
 * An object as stored: JSON bytes and the parsed form, each made from the other when first asked for. An object of a
 * durable store may lose both and read its bytes again. The bytes start with `apiVersion`, `kind` and `metadata`, so that
 * lists and other served versions can replace that head, and a start can see what it must, without parsing.
 */
export class StoredObject implements ObjectKey {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: number;
  /** Shared: do not change. Known without the content. */
  readonly labels: Labels | undefined;
  /** Whether it has owner references. */
  readonly hasOwners: boolean;
  readonly isDeleting: boolean;
  /** Size of the bytes; 0 while nobody has asked for them. */
  #size = 0;
  #used = false;
  #bytes: Buffer | undefined;
  #object: KubeObject | undefined;
  /** The parsed form that was let go: as long as somebody in this process still has it, it need not be made again. */
  #lent: WeakRef<KubeObject> | undefined;
  #home: ContentHome | undefined;
  /** The state that a deletion ended. */
  #ended: StoredObject | undefined;

  constructor(key: ObjectKey, uid: string, revision: number, content: KubeObject | Buffer | StoredObject) {
    this.resource = key.resource;
    this.namespace = key.namespace;
    this.name = key.name;
    this.uid = uid;
    this.revision = revision;
    if (content instanceof StoredObject) {
      this.#ended = content;
      this.labels = content.labels;
      this.hasOwners = content.hasOwners;
      this.isDeleting = content.isDeleting;
      return;
    }
    if (Buffer.isBuffer(content)) {
      this.#bytes = content;
      this.#size = content.length;
      const facts = scanMetadata(content);
      if (facts !== undefined) {
        this.labels = facts.labels === undefined ? undefined : sharedLabels(facts.labels);
        this.hasOwners = facts.hasOwners;
        this.isDeleting = facts.isDeleting;
        return;
      }
    } else this.#object = deepFreeze(shareFieldSets(content));
    const { labels, ownerReferences, deletionTimestamp } = this.object.metadata;
    this.labels = labels === undefined || labels === null ? undefined : sharedLabels(JSON.stringify(labels));
    this.hasOwners = (ownerReferences?.length ?? 0) > 0;
    this.isDeleting = deletionTimestamp !== undefined && deletionTimestamp !== null;
  }

  /** The frozen object. Shared: copy before changing. */
  get object(): KubeObject {
    this.#used = true;
    if (this.#object !== undefined) return this.#object;
    const lent = this.#lent?.deref();
    if (lent !== undefined) return lent;
    this.#object = deepFreeze(this.#parse());
    this.#home?.holdsParsed(this);
    return this.#object;
  }

  #parse(): KubeObject {
    if (this.#ended !== undefined) {
      const last = this.#ended.object;
      return { ...last, metadata: { ...last.metadata, resourceVersion: String(this.revision) } };
    }
    // Bytes were made from a KubeObject, here or before the restart.
    return readObject(this.bytes.toString());
  }

  /** The whole object as JSON. */
  get bytes(): Buffer {
    this.#used = true;
    if (this.#bytes === undefined) {
      const read = this.#object === undefined ? this.#home?.read : undefined;
      this.#bytes = read === undefined ? encode(this.object) : read(this);
      this.#size = this.#bytes.length;
      this.#home?.holdsBytes(this);
    }
    return this.#bytes;
  }

  /** The JSON after `apiVersion` and `kind`: `"metadata":{...},...}` without the opening brace. */
  get tail(): Buffer {
    const { bytes } = this;
    // Neither value can contain a quote or a comma, so the second comma ends the head.
    return bytes.subarray(bytes.indexOf(",", bytes.indexOf(",") + 1) + 1);
  }

  get size(): number {
    return this.#size;
  }

  /** The object is part of the store from now on, and written where it can be read. */
  settle(home: ContentHome): void {
    this.#home = home;
    if (this.#object !== undefined) {
      home.holdsParsed(this);
      // Made for the file. Callers in this process never ask for them; others have them read again.
      this.dropBytes();
    }
    if (this.#bytes !== undefined) home.holdsBytes(this);
  }

  /** Whether the content was used since the last call. */
  takeUsed(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  /** Forgets the bytes where they can be made or read again. */
  dropBytes(): void {
    if (this.#home?.read !== undefined || this.#object !== undefined) this.#bytes = undefined;
  }

  /** Forgets the parsed form, to save memory. */
  dropParsed(): void {
    if (this.#home?.read === undefined) void this.bytes;
    this.#letGo();
  }

  /** Forgets everything that can be read again. */
  shed(): void {
    if (this.#home?.read === undefined) return;
    this.#bytes = undefined;
    this.#letGo();
  }

  #letGo(): void {
    if (this.#object !== undefined) this.#lent = new WeakRef(this.#object);
    this.#object = undefined;
  }
}

function encode(object: KubeObject): Buffer {
  const { apiVersion, kind, metadata, ...rest } = object;
  const text = encodeJson({ apiVersion, kind, metadata, ...rest });
  // Not from the shared pool: one object that lives long would keep a whole slab of others alive.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** Labels, which many objects have in common. */
const labelSets = new SharedValues<Labels>(4096);

function sharedLabels(text: string): Labels {
  // The labels of a stored object are strings.
  return labelSets.get(text, () => Object.freeze(JSON.parse(text) as Labels));
}
