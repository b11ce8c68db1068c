// Objects, so held that those which a policy selects are found without looking at the others.

import type { ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { labelPair, necessaryLabels } from "./label-match.ts";
import type { Policy } from "./policy-index.ts";
import { selectorMatches } from "./resource-selector.ts";

/** The objects of one kind. */
interface Bucket {
  readonly objects: Map<string, KubeObject>;
  readonly byNamespace: Map<string, Map<string, KubeObject>>;
  /** Keys of `objects`, by `key=value` of a label. */
  readonly byLabel: Map<string, Set<string>>;
}

export class ObjectIndex {
  readonly #buckets = new Map<string, Bucket>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the object or replaces the one of the same kind, namespace and name. */
  set(object: KubeObject): void {
    this.delete(object);
    const { namespace = "", name = "", labels = {} } = object.metadata;
    const bucket = this.#bucketOf(object);
    const key = keyOf(object);
    bucket.objects.set(key, object);
    const neighbours = bucket.byNamespace.get(namespace);
    if (neighbours === undefined) bucket.byNamespace.set(namespace, new Map([[name, object]]));
    else neighbours.set(name, object);
    for (const label in labels) {
      const pair = labelPair(label, labels[label] ?? "");
      const keys = bucket.byLabel.get(pair);
      if (keys === undefined) bucket.byLabel.set(pair, new Set([key]));
      else keys.add(key);
    }
    this.#size++;
  }

  /** Takes out the object of this kind, namespace and name. */
  delete(object: KubeObject): void {
    const bucket = this.#buckets.get(kindKey(object));
    const key = keyOf(object);
    const known = bucket?.objects.get(key);
    if (bucket === undefined || known === undefined) return;
    bucket.objects.delete(key);
    const { namespace = "", name = "", labels = {} } = known.metadata;
    const neighbours = bucket.byNamespace.get(namespace);
    neighbours?.delete(name);
    if (neighbours?.size === 0) bucket.byNamespace.delete(namespace);
    for (const label in labels) {
      const pair = labelPair(label, labels[label] ?? "");
      const keys = bucket.byLabel.get(pair);
      keys?.delete(key);
      if (keys?.size === 0) bucket.byLabel.delete(pair);
    }
    this.#size--;
  }

  /** Takes out every object of a kind. */
  deleteKind(apiVersion: string, kind: string): void {
    const key = kindKey({ apiVersion, kind });
    this.#size -= this.#buckets.get(key)?.objects.size ?? 0;
    this.#buckets.delete(key);
  }

  /**
   * The objects that a policy selects, each once; a namespaced policy selects within its namespace. They are found while
   * they are taken, so that a long walk may rest in between: what has come or gone meanwhile is seen or not.
   */
  *selectedBy(policy: Policy): Generator<KubeObject> {
    const told = new Set<KubeObject>();
    const scope = policy.metadata.namespace ?? "";
    for (const selector of policy.spec.resourceSelectors) {
      for (const object of this.selected(selector, scope)) {
        if (told.has(object)) continue;
        told.add(object);
        yield object;
      }
    }
  }

  /** The objects that one selector of a policy selects; `scope` is the policy's namespace, empty without one. */
  *selected(selector: ResourceSelector, scope: string): Generator<KubeObject> {
    for (const object of this.#candidates(selector, scope || selector.namespace || undefined))
      if (selectorMatches(object, selector) > 0) yield object;
  }

  /**
   * The objects among which a policy's selectors have to look, some perhaps twice: for walks that rest in between, also
   * while nothing is selected.
   */
  *candidates(policy: Policy): Generator<KubeObject> {
    const scope = policy.metadata.namespace ?? "";
    for (const selector of policy.spec.resourceSelectors)
      yield* this.#candidates(selector, scope || selector.namespace || undefined);
  }

  *#candidates(selector: ResourceSelector, namespace: string | undefined): Generator<KubeObject> {
    const bucket = this.#buckets.get(kindKey(selector));
    if (bucket === undefined) return;
    const neighbours = namespace === undefined ? undefined : bucket.byNamespace.get(namespace);
    if (namespace !== undefined && neighbours === undefined) return;
    if (selector.name) {
      for (const named of neighbours === undefined ? bucket.byNamespace.values() : [neighbours]) {
        const object = named.get(selector.name);
        if (object !== undefined) yield object;
      }
      return;
    }
    const labelled =
      selector.labelSelector == null ? undefined : fewest(bucket, necessaryLabels(selector.labelSelector));
    const all = neighbours ?? bucket.objects;
    if (labelled === undefined || labelled.size >= all.size) {
      yield* all.values();
      return;
    }
    for (const keys of labelled.lists) {
      for (const key of keys) {
        const object = bucket.objects.get(key);
        if (object !== undefined && (namespace === undefined || object.metadata.namespace === namespace)) yield object;
      }
    }
  }

  #bucketOf(object: KubeObject): Bucket {
    const key = kindKey(object);
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const bucket: Bucket = { objects: new Map(), byNamespace: new Map(), byLabel: new Map() };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

interface Labelled {
  readonly lists: readonly ReadonlySet<string>[];
  readonly size: number;
}

/** The requirement that the fewest objects meet. */
function fewest(bucket: Bucket, requirements: readonly (readonly string[])[]): Labelled | undefined {
  let best: Labelled | undefined;
  for (const pairs of requirements) {
    const lists = [...new Set(pairs)].map((pair) => bucket.byLabel.get(pair) ?? NONE);
    const size = lists.reduce((sum, keys) => sum + keys.size, 0);
    if (best === undefined || size < best.size) best = { lists, size };
  }
  return best;
}

const NONE: ReadonlySet<string> = new Set();

function kindKey({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">): string {
  return `${apiVersion}/${kind}`;
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}
