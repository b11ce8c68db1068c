// A write in the terms of rules.
import type { AdmissionRequest } from "../../registry/admission.ts";
import type { KindStrategy } from "../../registry/kind.ts";
import type { ServerContext } from "../../server-context.ts";
import {
  equivalentResources,
  type GroupVersionResource,
  type MatchSurroundings,
  type MatchTarget,
} from "../match-resources.ts";

export function resourceOf({ group, version, plural }: KindStrategy): GroupVersionResource {
  return { group, version, resource: plural };
}

/** The write as rules see it. Of a deletion they see only what is there; of a connection only its options. */
export function matchTargetOf(request: AdmissionRequest, namespace: string): MatchTarget {
  const { operation, kind, target, subresource = "", name, object, oldObject } = request;
  return {
    operation,
    resource: resourceOf(target),
    kind,
    subresource,
    namespace,
    name,
    object: operation === "DELETE" ? undefined : object,
    oldObject,
  };
}

/** What rules may ask of the server. */
export function surroundingsOf({ store, registry }: Pick<ServerContext, "store" | "registry">): MatchSurroundings {
  return {
    namespaceLabels: (name) => {
      const found = store.get({ resource: "namespaces", namespace: "", name });
      return found === undefined ? undefined : (found.object.metadata.labels ?? {});
    },
    equivalents: (resource) => equivalentResources(registry, resource),
  };
}
