// The present objects of one resource, in the order of their keys.
import { SortedNames } from "./sorted-names.ts";
import type { StoredObject } from "./stored-object.ts";

interface Bucket {
  readonly byName: Map<string, StoredObject>;
  readonly sorted: SortedNames;
}

/** Objects by namespace and name. Lists come in the bytewise order of `namespace/name`. */
export class ObjectTable {
  readonly #buckets = new Map<string, Bucket>();
  #namespaces: string[] | undefined;

  get(namespace: string, name: string): StoredObject | undefined {
    return this.#buckets.get(namespace)?.byName.get(name);
  }

  set(object: StoredObject): void {
    let bucket = this.#buckets.get(object.namespace);
    if (bucket === undefined) {
      bucket = { byName: new Map(), sorted: new SortedNames() };
      this.#buckets.set(object.namespace, bucket);
      this.#namespaces = undefined;
    }
    bucket.byName.set(object.name, object);
    bucket.sorted.set(object);
  }

  delete(namespace: string, name: string): void {
    const bucket = this.#buckets.get(namespace);
    if (bucket === undefined || !bucket.byName.delete(name)) return;
    bucket.sorted.delete(name);
    if (bucket.byName.size === 0) {
      this.#buckets.delete(namespace);
      this.#namespaces = undefined;
    }
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0;
  }

  get size(): number {
    let size = 0;
    for (const { byName } of this.#buckets.values()) size += byName.size;
    return size;
  }

  /** Objects of one namespace, or of all. The list stays as it is when the table changes. */
  list(namespace: string | undefined): readonly StoredObject[] {
    if (namespace !== undefined) return this.#buckets.get(namespace)?.sorted.list() ?? [];
    // The slash takes part in the order: `a-b/x` comes before `a/x`.
    this.#namespaces ??= [...this.#buckets.keys()].sort((a, b) => compareText(`${a}/`, `${b}/`));
    if (this.#namespaces.length === 1) return this.#buckets.get(this.#namespaces[0]!)?.sorted.list() ?? [];
    const all: StoredObject[] = [];
    for (const each of this.#namespaces) for (const object of this.#buckets.get(each)!.sorted.list()) all.push(object);
    return all;
  }
}

/** Order of code units, which for names is the order of bytes. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order of keys in lists. */
export function compareKeys(a: StoredObject, b: StoredObject): number {
  return a.namespace === b.namespace
    ? compareText(a.name, b.name)
    : compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`);
}
