// A version that another server serves, in aggregated discovery.

import type { JsonObject } from "../../../kube/object.ts";
import type { RemoteService } from "../aggregation/remotes.ts";

/** From the entries of an APIResourceList. A server that is away is stale, and of one never reached nothing is known. */
export function remoteVersion({ spec, available, resources }: RemoteService): JsonObject {
  const { group, version } = spec;
  const freshness = available ? "Current" : "Stale";
  if (resources === undefined) return { version, freshness };
  const main = resources.filter(({ name }) => !String(name).includes("/"));
  return {
    version,
    resources: main.map((resource) => ({
      resource: String(resource["name"]),
      ...responseKind(resource, group, version),
      scope: resource["namespaced"] === true ? "Namespaced" : "Cluster",
      singularResource: String(resource["singularName"] ?? ""),
      verbs: listOf(resource["verbs"]),
      ...optional("shortNames", listOf(resource["shortNames"])),
      ...optional("categories", listOf(resource["categories"])),
      ...optional("subresources", subresources(resources, String(resource["name"]), group, version)),
    })),
    freshness,
  };
}

function subresources(resources: readonly JsonObject[], name: string, group: string, version: string): JsonObject[] {
  return resources
    .filter((each) => String(each["name"]).startsWith(`${name}/`))
    .map((each) => ({
      subresource: String(each["name"]).slice(name.length + 1),
      ...responseKind(each, group, version),
      verbs: listOf(each["verbs"]),
    }));
}

function responseKind(resource: JsonObject, group: string, version: string): JsonObject {
  const kind = String(resource["kind"] ?? "");
  const ofOther = resource["version"] !== undefined && resource["version"] !== "";
  const named = ofOther
    ? { group: String(resource["group"] ?? ""), version: String(resource["version"]) }
    : { group, version };
  return { responseKind: { ...named, kind } };
}

function optional(field: string, list: readonly (string | JsonObject)[]): JsonObject {
  return list.length === 0 ? {} : { [field]: [...list] };
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
