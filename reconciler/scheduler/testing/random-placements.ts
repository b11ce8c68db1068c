// Random placements for the tests: every selector, toleration, constraint and strategy there is, alone and together.

import type { Toleration } from "../../../api/cluster.ts";
import type {
  ClusterAffinity,
  FieldSelectorRequirement,
  Placement,
  ReplicaSchedulingStrategy,
  SpreadConstraint,
} from "../../../api/policy.ts";
import type { Dice } from "./random-cases.ts";
import { LABELS, PROVIDERS, REGIONS } from "./random-fleets.ts";

const LABEL_KEYS = [...Object.keys(LABELS), "absent"];

type LabelSelector = NonNullable<ClusterAffinity["labelSelector"]>;

function randomLabelSelector(dice: Dice): LabelSelector {
  const key = dice.pick(LABEL_KEYS);
  const value = dice.pick(LABELS[key] ?? ["x"]);
  const values = [value, ...dice.some(Object.values(LABELS).flat(), 0.1)];
  const operator = dice.pick(["In", "NotIn", "Exists", "DoesNotExist"] as const);
  const expression = operator === "In" || operator === "NotIn" ? { key, operator, values } : { key, operator };
  return dice.pick<LabelSelector>([
    { matchLabels: { [key]: value } },
    { matchExpressions: [expression] },
    { matchLabels: { [dice.pick(LABEL_KEYS)]: value }, matchExpressions: [expression] },
    {},
  ]);
}

function randomFieldRequirement(dice: Dice, anyOperator: boolean): FieldSelectorRequirement {
  const key = dice.pick(["region", "provider", "zone"]);
  const zones = REGIONS.flatMap((region) => [`${region}-a`, `${region}-b`]);
  const all: readonly string[] = key === "region" ? REGIONS : key === "provider" ? PROVIDERS : zones;
  const operator =
    anyOperator && dice.chance(0.2)
      ? dice.pick(["Exists", "DoesNotExist", "Gt", "Lt", "Nonsense"])
      : dice.pick(["In", "In", "NotIn"]);
  const values = dice.some(all, key === "zone" ? 0.3 : 0.4);
  const wantsNone = operator === "Exists" || operator === "DoesNotExist";
  return { key, operator, ...(wantsNone ? {} : { values: values.length > 0 ? values : [dice.pick(all)] }) };
}

export function randomAffinity(dice: Dice, names: readonly string[]): ClusterAffinity {
  return {
    ...(dice.chance(0.4) ? { labelSelector: randomLabelSelector(dice) } : {}),
    ...(dice.chance(0.3) ? { clusterNames: [...dice.some(dice.shuffle(names), 0.6), "ghost"] } : {}),
    ...(dice.chance(0.25) ? { exclude: dice.some(names, 0.15) } : {}),
    ...(dice.chance(0.25)
      ? {
          fieldSelector: {
            matchExpressions: Array.from({ length: dice.between(1, 2) }, () => randomFieldRequirement(dice, true)),
          },
        }
      : {}),
  };
}

const EFFECTS = ["NoSchedule", "NoExecute", "PreferNoSchedule"];

function randomToleration(dice: Dice): Toleration {
  const key = dice.pick(["maintenance", "gpu-only", "dedicated", "cluster.karmada.io/unreachable", ""]);
  const operator = dice.pick(["Exists", "Equal", undefined, ...(dice.chance(0.1) ? ["Gt", "Lt"] : [])]);
  return {
    ...(key === "" ? {} : { key }),
    ...(operator === undefined ? {} : { operator }),
    ...(operator !== "Exists" && dice.chance(0.8)
      ? { value: dice.pick(["true", "yes", "team-a", "5", "15", ""]) }
      : {}),
    ...(dice.chance(0.6) ? { effect: dice.pick(EFFECTS) } : {}),
    ...(dice.chance(0.2) ? { tolerationSeconds: dice.pick([0, 300, -1]) } : {}),
  };
}

type Field = NonNullable<SpreadConstraint["spreadByField"]>;

function randomConstraint(dice: Dice, field: Field, size: number): SpreadConstraint {
  const highest = field === "cluster" ? Math.max(3, Math.min(12, Math.ceil(size / 3))) : 4;
  const minGroups = dice.between(1, dice.chance(0.8) ? Math.min(3, highest) : highest);
  const maxGroups = dice.chance(0.06) ? undefined : minGroups + dice.between(0, dice.chance(0.8) ? 3 : highest);
  return { spreadByField: field, minGroups, ...(maxGroups === undefined ? {} : { maxGroups }) };
}

function randomSpread(dice: Dice, size: number): SpreadConstraint[] {
  if (dice.chance(0.03)) return [{ spreadByLabel: "env", minGroups: 1, maxGroups: 2 }];
  const fields: Field[] = [];
  if (dice.chance(0.5)) fields.push("region");
  if (dice.chance(0.92)) fields.push("cluster");
  if (dice.chance(0.2)) fields.push("provider");
  if (dice.chance(0.2)) fields.push("zone");
  return dice.shuffle(fields).map((field) => randomConstraint(dice, field, size));
}

const STRATEGIES = [
  "absent",
  "duplicated",
  "static",
  "static-default",
  "empty",
  "dynamic",
  "both",
  "aggregated",
] as const;

function randomStrategy(dice: Dice, names: readonly string[]): ReplicaSchedulingStrategy | undefined {
  const weighted = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } as const;
  const staticWeightList = Array.from({ length: dice.between(1, 4) }, () => ({
    targetCluster: dice.chance(0.4) ? { clusterNames: dice.some(names, 0.4) } : randomAffinity(dice, names),
    weight: dice.pick([1, 1, 2, 3, 5, 100, 1_000_000_007, 9_007_199_254_740_991, ...(dice.chance(0.2) ? [0, -3] : [])]),
  }));
  const dynamicWeight = "AvailableReplicas" as const;
  switch (dice.pick(STRATEGIES)) {
    case "absent":
      return undefined;
    case "duplicated":
      return { replicaSchedulingType: "Duplicated" };
    case "static":
      return { ...weighted, weightPreference: { staticWeightList } };
    case "static-default":
      return weighted;
    case "empty":
      return { ...weighted, weightPreference: {} };
    case "dynamic":
      return { ...weighted, weightPreference: { dynamicWeight } };
    case "both":
      return { ...weighted, weightPreference: { dynamicWeight, staticWeightList } };
    case "aggregated":
      return { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" };
  }
}

/**
 * What random placements are about: anything; the choice among many regions; or dividing over many clusters that are all
 * alike. The last two leave nearly every cluster in the race, which anything put together at random seldom does.
 */
export type Focus = "anything" | "regions" | "ties";

function placementOn(dice: Dice, focus: Exclude<Focus, "anything">, size: number): Placement {
  const divided = { replicaSchedulingType: "Divided" } as const;
  const byRoom = dice.pick<ReplicaSchedulingStrategy>([
    { ...divided, replicaDivisionPreference: "Aggregated" },
    { ...divided, replicaDivisionPreference: "Aggregated" },
    { ...divided, replicaDivisionPreference: "Weighted", weightPreference: { dynamicWeight: "AvailableReplicas" } },
    ...(focus === "regions" ? [{ replicaSchedulingType: "Duplicated" } as const] : []),
  ]);
  const most = dice.pick([2, 4, 7]);
  const regions = dice.between(1, most);
  const clusters = dice.between(1, Math.max(2, Math.min(30, size)));
  const region = { spreadByField: "region", minGroups: regions, maxGroups: regions + dice.between(0, most) } as const;
  const cluster = {
    spreadByField: "cluster",
    minGroups: dice.chance(0.5) ? clusters : 1,
    maxGroups: clusters + dice.between(0, 10),
  } as const;
  const wantsSpread = focus === "regions" || dice.chance(0.3);
  const spreadConstraints = focus === "regions" ? dice.shuffle([region, cluster]) : [cluster];
  return {
    ...(dice.chance(0.2) ? { clusterAffinity: { labelSelector: { matchLabels: { env: "prod" } } } } : {}),
    clusterTolerations: [{ operator: "Exists" }],
    ...(wantsSpread ? { spreadConstraints } : {}),
    replicaScheduling: byRoom,
  };
}

/** As it is stored: Karmada's encoder leaves out lists that are empty. */
export function randomPlacement(dice: Dice, names: readonly string[], focus: Focus = "anything"): Placement {
  if (focus !== "anything") return placementOn(dice, focus, names.length);
  return withoutEmptyLists(anyPlacement(dice, names));
}

function withoutEmptyLists<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutEmptyLists) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0));
  // Only what is optional is left out.
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutEmptyLists(inner)])) as T;
}

function anyPlacement(dice: Dice, names: readonly string[]): Placement {
  const replicaScheduling = randomStrategy(dice, names);
  const mayOverflow =
    replicaScheduling?.replicaDivisionPreference === "Aggregated" ||
    replicaScheduling?.weightPreference?.dynamicWeight !== undefined;
  const groups = dice.chance(0.35) ? ["group-a", "group-b", "group-c"].slice(0, dice.between(1, 3)) : undefined;
  const clusterAffinities = groups?.map((affinityName) => ({
    affinityName,
    ...randomAffinity(dice, names),
    ...(mayOverflow && dice.chance(0.7)
      ? {
          overflowAffinities: Array.from({ length: dice.between(0, 3) }, (_, i) => ({
            affinityName: `${affinityName}-over${i}`,
            ...randomAffinity(dice, names),
          })),
        }
      : {}),
  }));
  return {
    ...(clusterAffinities === undefined ? {} : { clusterAffinities }),
    ...(clusterAffinities === undefined && dice.chance(0.6) ? { clusterAffinity: randomAffinity(dice, names) } : {}),
    ...(dice.chance(0.4)
      ? { clusterTolerations: Array.from({ length: dice.between(1, 3) }, () => randomToleration(dice)) }
      : {}),
    ...(dice.chance(0.5) ? { spreadConstraints: randomSpread(dice, names.length) } : {}),
    ...(replicaScheduling === undefined ? {} : { replicaScheduling }),
  };
}
