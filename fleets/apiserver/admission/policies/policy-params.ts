// The parameters of a policy: the objects that a binding names or selects.
import type { KubeObject } from "../../../../kube/object.ts";
import { parseApiVersion } from "../../../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../../kube/selectors.ts";
import { servedObject } from "../../handlers/answers.ts";
import type { KindStrategy } from "../../registry/kind.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Store } from "../../storage/store.ts";

export interface ParamKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly parameterNotFoundAction?: string;
}

/** The kind of the parameters. Throws when the server does not serve it. */
export function paramStrategy({ apiVersion, kind }: ParamKind, registry: Registry): KindStrategy {
  const { group, version } = parseApiVersion(apiVersion);
  const found = registry.findKind(group, version, kind);
  if (found !== undefined) return found;
  const name = `${group}/${version}, Kind=${kind}`;
  throw new Error(`failed to find resource referenced by paramKind: '${name}'`);
}

/**
 * The parameters of a binding for a write in `namespace`; the policy is evaluated once for each of them. A policy
 * without parameters is evaluated once for none. Throws when the binding cannot be used.
 */
export function collectParams(
  kind: KindStrategy | undefined,
  ref: ParamRef | undefined,
  namespace: string,
  store: Store,
): readonly (KubeObject | null)[] {
  if (kind === undefined || ref === undefined) return [null];
  const { name = "", selector } = ref;
  const within = ref.namespace ?? "";
  if (!kind.namespaced && within !== "") {
    throw new Error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const where = within === "" ? namespace : within;
  if (kind.namespaced && where === "") {
    throw new Error("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  }
  const place = kind.namespaced ? where : "";
  let params: KubeObject[] = [];
  if (name !== "") {
    if (selector !== undefined) throw new Error("paramRef.name and paramRef.selector are mutually exclusive");
    const found = store.get({ resource: kind.storageKey, namespace: place, name });
    if (found !== undefined) params = [servedObject(found, kind)];
  } else if (selector === undefined) throw new Error("one of name or selector must be provided");
  else {
    params = store
      .list(kind.storageKey)
      .filter((stored) => stored.namespace === place && selects(selector, stored.object))
      .map((stored) => servedObject(stored, kind));
  }
  if (params.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new Error("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return params;
}

/** An empty selector selects all. */
function selects(selector: LabelSelector, object: KubeObject): boolean {
  return matchesLabelSelector(selector, object.metadata.labels);
}
