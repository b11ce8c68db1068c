// How kustomize names objects and decides that two names mean one object.

import { parseApiVersion } from "../../../kube/object.ts";
import namespacedKinds from "./namespaced-kinds.table.json" with { type: "json" };

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A filter on kinds: absent and empty parts match everything. */
export interface GvkFilter {
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
}

export interface ResourceId extends Gvk {
  readonly name: string;
  /** As written; `effectiveNamespace` is what counts for equality. */
  readonly namespace: string;
}

/** The kinds known to be cluster-scoped, by the name of the kind. */
const clusterScoped = indexClusterScoped();

function indexClusterScoped(): ReadonlyMap<string, readonly Gvk[]> {
  const index = new Map<string, Gvk[]>();
  for (const [name, namespaced] of Object.entries(namespacedKinds)) {
    if (namespaced) continue;
    const [apiVersion = "", kind = ""] = name.split(" ");
    const known = index.get(kind) ?? [];
    known.push(gvkFrom(apiVersion, kind));
    index.set(kind, known);
  }
  return index;
}

export function matchesGvk(filter: GvkFilter, gvk: Gvk): boolean {
  return (
    (filter.kind === undefined || filter.kind === "" || filter.kind === gvk.kind) &&
    (filter.group === undefined || filter.group === "" || filter.group === gvk.group) &&
    (filter.version === undefined || filter.version === "" || filter.version === gvk.version)
  );
}

export function gvkFrom(apiVersion: string, kind: string): Gvk {
  return { ...parseApiVersion(apiVersion), kind };
}

// Scopes that the schema of the present build tells, by `apiVersion kind`. A build runs from its beginning to its end
// without waiting, so that there is only ever one, and ids are asked for in too many places to hand this on.
let ownScopes: ReadonlyMap<string, boolean> | undefined;

/** From here to the end of the build these count beside the built-in scopes; true for namespaced kinds. */
export function useOwnScopes(scopes: ReadonlyMap<string, boolean>): void {
  ownScopes = scopes.size === 0 ? undefined : scopes;
}

/** To be called at the end of each build. */
export function forgetOwnScopes(): void {
  ownScopes = undefined;
}

/** Whether ids mean something else than in other builds, so that nothing that follows from them may be remembered. */
export function hasOwnScopes(): boolean {
  return ownScopes !== undefined;
}

/** True only for kinds known to be cluster-scoped; kinds that neither are built in nor have a schema are namespaced. */
export function isClusterScoped(gvk: Gvk): boolean {
  const known = clusterScoped.get(gvk.kind);
  if (known?.some(({ group, version }) => group === gvk.group && version === gvk.version) === true) return true;
  return ownScopes !== undefined && !hasKnownScope(gvk) && ownScopes.get(scopeKey(gvk)) === false;
}

function scopeKey({ group, version, kind }: Gvk): string {
  return `${group === "" ? version : `${group}/${version}`} ${kind}`;
}

/** True for kinds whose scope is built in, whatever it is. */
export function hasKnownScope(gvk: Gvk): boolean {
  return Object.hasOwn(namespacedKinds, scopeKey(gvk));
}

/** `cluster` only for kinds known to be cluster-scoped. */
export function effectiveScope(apiVersion: string, kind: string): "cluster" | "namespace" {
  return isClusterScoped(gvkFrom(apiVersion, kind)) ? "cluster" : "namespace";
}

/** `""` and `default` are one namespace; cluster-scoped objects are in none. */
export function effectiveNamespace(id: ResourceId): string {
  if (isClusterScoped(id)) return "_non_namespaceable_";
  return id.namespace === "" ? "default" : id.namespace;
}

/** Equal keys mean equal ids. */
export function idKey(id: ResourceId): string {
  return `${id.group}|${id.version}|${id.kind}|${effectiveNamespace(id)}|${id.name}`;
}

export function describeId(id: ResourceId): string {
  const apiVersion = id.group === "" ? id.version : `${id.group}/${id.version}`;
  const name = id.namespace === "" ? id.name : `${id.namespace}/${id.name}`;
  return [apiVersion, id.kind, name].filter((part) => part !== "").join(" ");
}
