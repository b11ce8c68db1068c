// What bindings take of a FederatedResourceQuota: sums, differences and limits of resources.
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isZeroQuantity,
  multiplyQuantity,
  type Quantity,
  quantityFromJson,
  quantityMilliValue,
  quantityOf,
  quantitySign,
  quantityValue,
  subtractQuantities,
  ZERO_QUANTITY,
} from "../kube/quantity.ts";
import type { FederatedResourceQuota } from "./quota.ts";
import type { ResourceBinding } from "./work.ts";

/** Amounts by resource; none of them zero. */
export type Usage = ReadonlyMap<string, Quantity>;

type ResourceList = Readonly<Record<string, string | number>>;

/**
 * What a binding takes, by what is asked for and by where it was scheduled: with components, what they ask for together
 * in each cluster; else what a replica asks for, as often as there are replicas. Nothing when it was not scheduled.
 */
export function bindingUsage({ spec }: ResourceBinding): Usage {
  const usage = new Map<string, Quantity>();
  const components = spec.components ?? [];
  const clusters = spec.clusters ?? [];
  if (components.length > 0) {
    for (const { replicas, replicaRequirements } of components) {
      const times = BigInt(replicas ?? 0) * BigInt(clusters.length);
      addTimes(usage, replicaRequirements?.resourceRequest, times);
    }
  } else {
    addTimes(usage, spec.replicaRequirements?.resourceRequest, BigInt(scheduledReplicas(spec.clusters)));
  }
  return withoutZeros(usage);
}

function addTimes(usage: Map<string, Quantity>, request: ResourceList | undefined, times: bigint): void {
  for (const [name, amount] of Object.entries(request ?? {})) {
    const more = multiplyQuantity(quantityFromJson(amount), times);
    const before = usage.get(name);
    usage.set(name, before === undefined ? more : addQuantities(before, more));
  }
}

function withoutZeros(usage: Map<string, Quantity>): Usage {
  for (const [name, amount] of usage) if (isZeroQuantity(amount)) usage.delete(name);
  return usage;
}

function scheduledReplicas(clusters: ResourceBinding["spec"]["clusters"]): number {
  return (clusters ?? []).reduce((sum, { replicas }) => sum + (replicas ?? 0), 0);
}

/** Whether a change of a binding may change what it takes (Karmada, isQuotaRelevantFieldChanged). */
export function isUsageChanged(old: ResourceBinding, now: ResourceBinding): boolean {
  const before = old.spec;
  const after = now.spec;
  if (!sameList(before.replicaRequirements?.resourceRequest, after.replicaRequirements?.resourceRequest)) return true;
  if (scheduledReplicas(before.clusters) !== scheduledReplicas(after.clusters)) return true;
  const oldComponents = before.components ?? [];
  const components = after.components ?? [];
  if (oldComponents.length + components.length === 0) return false;
  const oldNames = new Set((before.clusters ?? []).map(({ name }) => name));
  const clusters = after.clusters ?? [];
  if ((before.clusters ?? []).length !== clusters.length || clusters.some(({ name }) => !oldNames.has(name)))
    return true;
  if (oldComponents.length !== components.length) return true;
  return components.some(({ replicas, replicaRequirements }, index) => {
    const other = oldComponents[index];
    if ((replicas ?? 0) !== (other?.replicas ?? 0)) return true;
    if ((replicaRequirements === undefined) !== (other?.replicaRequirements === undefined)) return true;
    return !sameList(replicaRequirements?.resourceRequest, other?.replicaRequirements?.resourceRequest);
  });
}

function sameList(a: ResourceList = {}, b: ResourceList = {}): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const one = a[name];
    const other = b[name];
    if (one === undefined || other === undefined) return false;
    return compareQuantities(quantityFromJson(one), quantityFromJson(other)) === 0;
  });
}

/** What `now` takes more than `before`, negative where it takes less. */
export function usageDifference(now: Usage, before: Usage): Usage {
  const difference = new Map<string, Quantity>(now);
  for (const [name, amount] of before) {
    difference.set(name, subtractQuantities(difference.get(name) ?? ZERO_QUANTITY, amount));
  }
  return withoutZeros(difference);
}

export type QuotaVerdict =
  | { readonly outcome: "untouched" }
  /** `overallUsed` is what the status of the quota is to say when the write is done. */
  | { readonly outcome: "charged"; readonly overallUsed: Record<string, string> }
  | { readonly outcome: "exceeded"; readonly message: string };

/**
 * What a change by `difference` means for a quota, from what its status says is used. A change that takes less is refused
 * too while more is used than the limit, as in Karmada.
 */
export function chargeQuota(quota: FederatedResourceQuota, difference: Usage): QuotaVerdict {
  const limits = quota.spec.overall;
  const relevant = [...difference].filter(([name]) => Object.hasOwn(limits, name));
  if (relevant.length === 0) return { outcome: "untouched" };
  const used = new Map<string, Quantity>();
  for (const [name, amount] of Object.entries(quota.status?.overallUsed ?? {})) {
    addStandard(used, name, quantityFromJson(amount));
  }
  for (const [name, amount] of relevant) addStandard(used, name, amount);
  const names = [...used.keys()].sort();
  for (const name of names) {
    const sum = used.get(name) ?? ZERO_QUANTITY;
    const limit = limits[name];
    if (limit === undefined || compareQuantities(sum, quantityFromJson(limit)) <= 0) continue;
    const { namespace = "", name: quotaName = "" } = quota.metadata;
    // Karmada's words, which the scheduler puts into the condition of the binding.
    const message = `FederatedResourceQuota(${namespace}/${quotaName}) exceeded for resource ${name}: requested sum ${formatQuantity(sum)}, limit ${formatQuantity(quantityFromJson(limit))}.`;
    return { outcome: "exceeded", message };
  }
  const positive = names.filter((name) => quantitySign(used.get(name) ?? ZERO_QUANTITY) > 0);
  return { outcome: "charged", overallUsed: textOf(positive, used) };
}

const BYTES = new Set(["memory", "ephemeral-storage"]);

// As Karmada adds up: thousandths of a CPU, whole numbers of everything else.
function addStandard(used: Map<string, Quantity>, name: string, amount: Quantity): void {
  const standard =
    name === "cpu"
      ? quantityOf(quantityMilliValue(amount), "DecimalSI", -3)
      : quantityOf(quantityValue(amount), BYTES.has(name) || name.startsWith("hugepages-") ? "BinarySI" : "DecimalSI");
  used.set(name, addQuantities(used.get(name) ?? { ...ZERO_QUANTITY, format: standard.format }, standard));
}

function textOf(names: readonly string[], used: Usage): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, formatQuantity(used.get(name) ?? ZERO_QUANTITY)]));
}

/** What a namespace's bindings take together of what the quota limits, as its status says it. */
export function overallUsed(usages: Iterable<Usage>, limits: ResourceList): Record<string, string> {
  const sum = new Map<string, Quantity>();
  for (const usage of usages) {
    for (const [name, amount] of usage) {
      if (!Object.hasOwn(limits, name)) continue;
      const before = sum.get(name);
      sum.set(name, before === undefined ? amount : addQuantities(before, amount));
    }
  }
  return textOf([...sum.keys()].sort(), sum);
}
