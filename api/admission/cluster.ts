// Defaults and rules of Cluster and ClusterTaintPolicy beyond their schema.
import { checkDnsLabel, checkLabelValue, checkQualifiedName } from "../../kube/names.ts";
import { cloneJson } from "../../kube/object.ts";
import { compareQuantities, isZeroQuantity, type Quantity, quantityFromJson } from "../../kube/quantity.ts";
import type { Cluster, ResourceModel, Taint } from "../cluster.ts";
import type { ClusterTaintPolicy } from "../taint-policy.ts";
import type { AdmissionContext } from "./context.ts";
import { duplicate, forbidden, invalid, notSupported, type Refusal } from "./field-error.ts";
import { validateClusterAffinity } from "./placement.ts";

const LONGEST_NAME = 48;
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const PROXY_SCHEMES = ["http:", "https:", "socks5:"];

/** The largest amount a model can name; Karmada's way to say "and more". */
const UNBOUNDED = "9223372036854775807";
const DEFAULT_CPU_BOUNDS = ["0", "1", "2", "4", "8", "16", "32", "64", "128", UNBOUNDED];
const DEFAULT_MEMORY_BOUNDS = ["0", "4Gi", "16Gi", "32Gi", "64Gi", "128Gi", "256Gi", "512Gi", "1Ti", UNBOUNDED];

/** The grades of a cluster that names none. */
export function defaultResourceModels(): ResourceModel[] {
  return DEFAULT_CPU_BOUNDS.slice(1).map((cpuMax, grade) => ({
    grade,
    ranges: [
      { name: "cpu", min: DEFAULT_CPU_BOUNDS[grade] ?? "0", max: cpuMax },
      { name: "memory", min: DEFAULT_MEMORY_BOUNDS[grade] ?? "0", max: DEFAULT_MEMORY_BOUNDS[grade + 1] ?? UNBOUNDED },
    ],
  }));
}

/** A copy of the cluster as it is stored. */
export function defaultCluster(cluster: Cluster, context: AdmissionContext): Cluster {
  const copy = cloneJson(cluster);
  const { spec } = copy;
  for (const taint of spec.taints ?? []) {
    // Toleration times of NoExecute count from here.
    if (taint.effect === "NoExecute") taint.timeAdded ??= secondsText(context.nowMs);
  }
  if (spec.zone && (spec.zones ?? []).length === 0) {
    spec.zones = [spec.zone];
    delete spec.zone;
  }
  const models = spec.resourceModels ?? [];
  if (models.length > 0) spec.resourceModels = standardModels(models);
  else if (context.operation === "CREATE") spec.resourceModels = defaultResourceModels();
  return copy;
}

/** Grades in order, from nothing to without bound. */
function standardModels(models: readonly ResourceModel[]): ResourceModel[] {
  const sorted = [...models]
    .sort((a, b) => a.grade - b.grade)
    .map((model) => ({ ...model, ranges: [...model.ranges].sort((a, b) => (a.name < b.name ? -1 : 1)) }));
  for (const range of sorted.at(0)?.ranges ?? []) range.min = "0";
  for (const range of sorted.at(-1)?.ranges ?? []) range.max = UNBOUNDED;
  return sorted;
}

function secondsText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.[0-9]{3}Z$/, "Z");
}

/** Names are also the end of namespaces and label values, so they are shorter than other names. */
export function validateClusterName(name: string, field: string): Refusal[] {
  const refusals = checkDnsLabel(name).map((words) => invalid(field, name, words));
  if (name.length > LONGEST_NAME) {
    const words = `has ${name.length} characters; the name of a cluster has at most ${LONGEST_NAME}`;
    refusals.push(invalid(field, name, words));
  }
  return refusals;
}

export function validateCluster(cluster: Cluster): readonly Refusal[] {
  const refusals = validateClusterName(cluster.metadata.name ?? "", "metadata.name");
  const { proxyURL, apiEndpoint, taints, resourceModels } = cluster.spec;
  if (apiEndpoint && !URL.canParse(apiEndpoint)) {
    refusals.push(invalid("spec.apiEndpoint", apiEndpoint, "must be an address such as https://host:6443"));
  }
  if (proxyURL && !(URL.canParse(proxyURL) && PROXY_SCHEMES.includes(new URL(proxyURL).protocol))) {
    refusals.push(invalid("spec.proxyURL", proxyURL, "must be an address that begins with http, https or socks5"));
  }
  return [...refusals, ...validateTaints(taints ?? [], "spec.taints"), ...validateModels(resourceModels ?? [])];
}

function validateTaints(taints: readonly Pick<Taint, "key" | "value" | "effect">[], at: string): Refusal[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const path = `${at}[${index}]`;
    const refusals = validateTaint(taint, path);
    const identity = `${taint.key}:${taint.effect}`;
    if (seen.has(identity)) refusals.push(duplicate(path, identity, `the taint ${identity} is there twice`));
    seen.add(identity);
    return refusals;
  });
}

function validateTaint({ key, value, effect }: Pick<Taint, "key" | "value" | "effect">, at: string): Refusal[] {
  return [
    ...checkQualifiedName(key).map((words) => invalid(`${at}.key`, key, words)),
    ...checkLabelValue(value ?? "").map((words) => invalid(`${at}.value`, value, words)),
    ...(EFFECTS.includes(effect) ? [] : [notSupported(`${at}.effect`, effect, EFFECTS)]),
  ];
}

function validateModels(models: readonly ResourceModel[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const [index, model] of models.entries()) {
    const at = `spec.resourceModels[${index}]`;
    const before = models[index - 1];
    if (before?.grade === model.grade) {
      refusals.push(duplicate(`${at}.grade`, String(model.grade), `the grade ${model.grade} is there twice`));
    }
    if (before !== undefined && before.ranges.length !== model.ranges.length) {
      refusals.push(invalid(`${at}.ranges`, {}, "every grade must name the same resources"));
      continue;
    }
    for (const [place, range] of model.ranges.entries()) {
      const path = `${at}.ranges[${place}]`;
      const below = before?.ranges[place];
      const min = readQuantity(range.min);
      const max = readQuantity(range.max);
      if (min === undefined) refusals.push(invalid(`${path}.min`, range.min, "is not a quantity"));
      if (max === undefined) refusals.push(invalid(`${path}.max`, range.max, "is not a quantity"));
      if (min === undefined || max === undefined) continue;
      if (compareQuantities(max, min) <= 0) {
        refusals.push(invalid(path, {}, `max ${range.max} must be more than min ${range.min}`));
      }
      if (before === undefined && !isZeroQuantity(min)) {
        refusals.push(invalid(`${path}.min`, range.min, "the first grade begins at 0"));
      }
      if (below === undefined) continue;
      if (below.name !== range.name) {
        refusals.push(
          invalid(
            `${path}.name`,
            range.name,
            `every grade must name the same resources; the one before has ${below.name}`,
          ),
        );
        continue;
      }
      const end = readQuantity(below.max);
      if (end !== undefined && compareQuantities(end, min) !== 0) {
        refusals.push(invalid(`${path}.min`, range.min, `must be ${below.max}, where the grade before ends`));
      }
    }
  }
  return refusals;
}

function readQuantity(value: string | number): Quantity | undefined {
  try {
    return quantityFromJson(value);
  } catch {
    return undefined;
  }
}

/** `allowNoExecute`: whether policies may set taints that drive workloads out. Paths as Karmada's. */
export function validateClusterTaintPolicy(policy: ClusterTaintPolicy, allowNoExecute = false): readonly Refusal[] {
  // The schema leaves the effect open; the rule here refuses unknown ones.
  const taints = policy.spec.taints as readonly Pick<Taint, "key" | "value" | "effect">[];
  const refusals = validateClusterAffinity(policy.spec.targetClusters, "spec.targetClusters");
  for (const [index, taint] of taints.entries()) {
    const at = `spec.taints[${index}]`;
    // Differs from Karmada: what no Cluster could have is refused here, and not when the first cluster gets it.
    refusals.push(...validateTaint(taint, at));
    if (taint.effect === "NoExecute" && !allowNoExecute) {
      const words =
        "NoExecute drives workloads out of clusters, which a policy may do only with --allow-no-execute-taint-policy";
      refusals.push(forbidden(at, words));
    }
    if (taints.slice(index + 1).some(({ key, effect }) => key === taint.key && effect === taint.effect)) {
      const identity = `${taint.key}:${taint.effect}`;
      refusals.push(duplicate(at, identity, `the taint ${identity} is there twice`));
    }
  }
  return refusals;
}
