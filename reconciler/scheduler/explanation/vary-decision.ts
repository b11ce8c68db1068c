// A recorded decision with something about it changed: what would have been decided then?

import type { Cluster, Taint } from "../../../api/cluster.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

export interface Variation {
  /** `member1.taint=maintenance=true:NoSchedule`, `member1.label.env=prod`, `member1.region=eu`, `member1.pods=10`. */
  readonly set: readonly string[];
  /** Clusters that are not there. */
  readonly without: readonly string[];
  readonly replicas: number | undefined;
}

export function isUnchanged({ set, without, replicas }: Variation): boolean {
  return set.length === 0 && without.length === 0 && replicas === undefined;
}

/** The decision's inputs, changed. Throws `variation-unknown` for a cluster, a field or a value that makes no sense. */
export function varyDecision(decision: RecordedDecision, variation: Variation): RecordedDecision {
  const names = decision.clusters.map((cluster) => cluster.metadata.name ?? "");
  for (const name of variation.without) requireCluster(names, name, `--without ${name}`);
  let clusters = decision.clusters.filter((cluster) => !variation.without.includes(cluster.metadata.name ?? ""));
  for (const text of variation.set) {
    const { name, field, value } = parseSetting(text, names);
    clusters = clusters.map((cluster) =>
      cluster.metadata.name === name ? setField(cluster, field, value, text) : cluster,
    );
  }
  const { replicas } = variation;
  return { ...decision, clusters, spec: replicas === undefined ? decision.spec : { ...decision.spec, replicas } };
}

function parseSetting(text: string, names: readonly string[]): { name: string; field: string; value: string } {
  const equals = text.indexOf("=");
  const path = text.slice(0, equals);
  // Names may have dots in them, so that the longest that fits is meant.
  const name = names.filter((other) => path.startsWith(`${other}.`)).sort((a, b) => b.length - a.length)[0];
  if (equals < 0) throw unknown(`--set ${text}: wanted CLUSTER.FIELD=VALUE`);
  if (name === undefined) requireCluster(names, path.split(".")[0] ?? "", `--set ${text}`);
  const cluster = name ?? "";
  return { name: cluster, field: path.slice(cluster.length + 1), value: text.slice(equals + 1) };
}

function requireCluster(names: readonly string[], name: string, where: string): void {
  if (names.includes(name)) return;
  const some = names.slice(0, 10).join(", ");
  throw unknown(`${where}: the trace has no cluster ${name}; it has ${some}${names.length > 10 ? ", …" : ""}`);
}

function unknown(message: string): AppError {
  return new AppError("variation-unknown", message, { recovery: "stall" });
}

function setField(cluster: Cluster, field: string, value: string, text: string): Cluster {
  const { metadata, spec } = cluster;
  if (field === "taint")
    return { ...cluster, spec: { ...spec, taints: [...(spec.taints ?? []), parseTaint(value, text)] } };
  if (field === "region" || field === "provider") return { ...cluster, spec: { ...spec, [field]: value } };
  if (field === "zone") return { ...cluster, spec: { ...spec, zones: value.split(",") } };
  if (field.startsWith("label.")) {
    const labels = { ...metadata.labels, [field.slice("label.".length)]: value };
    return { ...cluster, metadata: { ...metadata, labels } };
  }
  if (/^[a-z0-9./-]+$/.test(field) && /^\d+(\.\d+)?[A-Za-z]*$/.test(value)) {
    const summary = cluster.status?.resourceSummary;
    const allocatable = { ...summary?.allocatable, [field]: value };
    const without = (list: Readonly<Record<string, string | number>> | undefined) =>
      Object.fromEntries(Object.entries(list ?? {}).filter(([resource]) => resource !== field));
    return {
      ...cluster,
      status: {
        ...cluster.status,
        // The value is what is free: nothing of it is taken.
        resourceSummary: {
          ...summary,
          allocatable,
          allocated: without(summary?.allocated),
          allocating: without(summary?.allocating),
        },
      },
    };
  }
  throw unknown(
    `--set ${text}: there is no field ${field}; use taint, label.KEY, region, provider, zone, or a resource such as pods or cpu with a quantity`,
  );
}

function parseTaint(value: string, text: string): Taint {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|NoExecute|PreferNoSchedule)$/.exec(value);
  if (match === null) throw unknown(`--set ${text}: a taint is KEY=VALUE:EFFECT or KEY:EFFECT`);
  const [, key = "", own, effect] = match;
  // The pattern names the effects.
  return { key, ...(own ? { value: own } : {}), effect: effect as Taint["effect"] };
}
