import type { KubeObject } from "../../../../kube/object.ts";
import type { Dependency } from "../../interpreter.ts";
import { textAtPath } from "./field-paths.ts";

/**
 * Collects the objects that one object needs, each once. All lie in its own namespace: the binding of an object that
 * follows another lies beside the other's, where it would be a second one for objects of other namespaces or of none.
 */
export class References {
  readonly #namespace: string | undefined;
  readonly #found = new Map<string, Dependency>();

  constructor(object: KubeObject) {
    this.#namespace = textAtPath(object, "metadata", "namespace") || undefined;
  }

  /** Remembers an object; an empty name is no reference, and one into another namespace is not followed. */
  add(kind: string, name: string, apiVersion = "v1", namespace = ""): void {
    if (name === "" || (namespace !== "" && namespace !== this.#namespace)) return;
    const own = this.#namespace === undefined ? {} : { namespace: this.#namespace };
    this.#found.set([apiVersion, kind, name].join("\n"), { apiVersion, kind, ...own, name });
  }

  /** In the order of API version, kind and name. */
  list(): readonly Dependency[] {
    return [...this.#found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, dependency]) => dependency);
  }
}
