import type { KubeObject } from "../../../../kube/object.ts";
import type { Dependency } from "../../interpreter.ts";

/** Collects the objects that one object needs, each once. */
export class References {
  readonly #namespace: string | undefined;
  readonly #found = new Map<string, Dependency>();

  constructor(object: KubeObject) {
    this.#namespace = object.metadata.namespace;
  }

  /** Remembers an object in the namespace of the one that needs it; an empty name is no reference. */
  add(kind: string, name: string, apiVersion = "v1"): void {
    if (name !== "") this.#remember(kind, name, apiVersion, this.#namespace);
  }

  /** Remembers an object of another namespace. */
  addIn(namespace: string, kind: string, name: string, apiVersion = "v1"): void {
    if (name !== "") this.#remember(kind, name, apiVersion, namespace);
  }

  /** Remembers an object that has no namespace. */
  addClusterScoped(kind: string, name: string, apiVersion: string): void {
    if (name !== "") this.#remember(kind, name, apiVersion, undefined);
  }

  /** In the order of API version, kind, namespace and name. */
  list(): readonly Dependency[] {
    return [...this.#found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, dependency]) => dependency);
  }

  #remember(kind: string, name: string, apiVersion: string, namespace: string | undefined): void {
    const key = [apiVersion, kind, namespace ?? "", name].join("\n");
    this.#found.set(key, { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name });
  }
}
