// Words for tests of rules for custom resources.
import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import type { Fields } from "../../field-access.ts";
import type { KindRules, RulesByKind } from "../../kind-rules.ts";

/** The time at which tests aggregate. */
export const NOW = "2026-01-01T00:00:00Z";

/** An object of a kind such as `ray.io/v1/RayJob`, in the namespace `shop`. */
export function customResource(kind: string, fields: Fields = {}): KubeObject {
  const slash = kind.lastIndexOf("/");
  return {
    apiVersion: kind.slice(0, slash),
    kind: kind.slice(slash + 1),
    metadata: { name: "sample", namespace: "shop" },
    ...fields,
  };
}

/** A template of pods with one container that requests this, and whatever else the spec is to have. */
export function podTemplate(requests: Fields = {}, podSpec: Fields = {}): Fields {
  return { spec: { containers: [{ name: "main", image: "app", resources: { requests } }], ...podSpec } };
}

/** What a cluster reports; no status for one that has not. */
export function reported(clusterName: string, status?: Fields): AggregatedStatusItem {
  return { clusterName, ...(status === undefined ? {} : { status }) } as AggregatedStatusItem;
}

/** The rules of a kind, each of them there to be called. */
export function rulesOf(rules: RulesByKind, kind: string): Required<KindRules> {
  // Tests only call what the kind has.
  return rules[kind] as Required<KindRules>;
}

/** The status that the reports add up to. */
export function aggregatedStatus(rules: KindRules, template: KubeObject, ...items: AggregatedStatusItem[]): unknown {
  return rules.aggregateStatus?.(template, items, NOW)["status"];
}
