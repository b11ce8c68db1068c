// Random policies for tests of admission: right ones, and those with one fault or several at once.
import type { KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { randomPlacement } from "../../reconciler/scheduler/testing/random-placements.ts";
import { randomLabelSelector } from "./matching.ts";

type Json = Record<string, unknown>;

/** Names at and over the limits of labels, and others that are none. */
const LABEL_KEYS = [
  "a",
  "group-a",
  "A.b_c",
  "example.com/a",
  "a".repeat(32),
  "a".repeat(63),
  "a".repeat(64),
  "-a",
  "a-",
  "",
  "a/b/c",
  "/a",
  "a/",
  "Example.com/a",
  `${"a".repeat(63)}.${"b".repeat(63)}/c`,
  `${"a".repeat(64)}.com/c`,
  `${"a.".repeat(127)}/c`,
  "gruppe-ä",
  "a b",
  "a\n",
] as const;
/** Those that the definition's limit of 1 to 32 letters lets pass. */
const AFFINITY_NAMES = LABEL_KEYS.filter((key) => key.length > 0 && [...key].length <= 32);
const KINDS = [
  ["apps/v1", "Deployment"],
  ["v1", "ConfigMap"],
  ["multicluster.x-k8s.io/v1alpha1", "ServiceImport"],
  ["multicluster.x-k8s.io/v1beta1", "ServiceImport"],
] as const;

function randomSelectors(dice: Dice, namespace: string): Json[] {
  return Array.from({ length: dice.between(1, 3) }, () => {
    const [apiVersion, kind] = dice.pick(dice.chance(0.8) ? KINDS.slice(0, 2) : KINDS);
    const own = namespace === "" ? dice.pick(["shop", "", "team-a"]) : namespace;
    return {
      apiVersion,
      kind,
      ...(dice.chance(0.5) ? { name: dice.pick(["web", "api"]) } : {}),
      ...(dice.chance(0.3) ? { labelSelector: randomLabelSelector(dice) } : {}),
      ...(dice.chance(0.6) ? { namespace: dice.chance(0.9) ? own : "elsewhere" } : {}),
    };
  });
}

function randomFailover(dice: Dice): Json {
  const purgeMode = (): string => dice.pick(["Directly", "Gracefully", "Graciously", "Immediately", "Never"]);
  const statePreservation = (): Json => ({
    rules: Array.from({ length: dice.between(1, 2) }, () => ({
      aliasLabelName: dice.chance(0.6) ? "karmada.io/alias" : dice.pick(LABEL_KEYS),
      jsonPath: "{.a}",
    })),
  });
  return {
    ...(dice.chance(0.85)
      ? {
          application: {
            decisionConditions: { tolerationSeconds: dice.pick([300, 0, 1, ...(dice.chance(0.3) ? [-1] : [])]) },
            ...(dice.chance(0.9) ? { purgeMode: purgeMode() } : {}),
            ...(dice.chance(0.4) ? { gracePeriodSeconds: dice.pick([1, 600, 0, -1]) } : {}),
            ...(dice.chance(0.4) ? { statePreservation: statePreservation() } : {}),
          },
        }
      : {}),
    ...(dice.chance(0.3)
      ? {
          cluster: {
            purgeMode: dice.pick(["Directly", "Gracefully"]),
            ...(dice.chance(0.5) ? { statePreservation: statePreservation() } : {}),
          },
        }
      : {}),
  };
}

const FIELDS = ["cluster", "region", "zone", "provider"];

/** Things to do to a right placement; some leave it right. */
const PLACEMENT_TWISTS: readonly ((placement: Json, dice: Dice) => void)[] = [
  (placement) => {
    placement["clusterAffinity"] = { clusterNames: ["m1"] };
  },
  (placement) => {
    placement["clusterAffinities"] = [];
  },
  (placement, dice) => {
    placement["clusterAffinities"] = Array.from({ length: dice.between(1, 3) }, () => ({
      affinityName: dice.pick(AFFINITY_NAMES),
      ...(dice.chance(0.6) ? { clusterNames: ["m1"] } : {}),
      ...(dice.chance(0.1) ? { labelSelector: {} } : {}),
      ...(dice.chance(0.2) ? { exclude: [] } : {}),
      ...(dice.chance(0.5)
        ? {
            overflowAffinities: Array.from({ length: dice.between(0, 3) }, () => ({
              affinityName: dice.pick(AFFINITY_NAMES),
              clusterNames: ["m2"],
            })),
          }
        : {}),
    }));
  },
  (placement, dice) => {
    placement["clusterAffinity"] = {
      fieldSelector: {
        matchExpressions: Array.from({ length: dice.between(0, 2) }, () => ({
          key: dice.pick(["region", "zone", "provider", "Region", "", "name"]),
          operator: dice.pick(["In", "NotIn", "Exists", "Gt", ""]),
          values: ["x"],
        })),
      },
    };
  },
  (placement, dice) => {
    placement["spreadConstraints"] = Array.from({ length: dice.between(0, 4) }, () => ({
      ...(dice.chance(0.85) ? { spreadByField: dice.pick(FIELDS) } : {}),
      ...(dice.chance(0.15) ? { spreadByLabel: "zone" } : {}),
      ...(dice.chance(0.7) ? { minGroups: dice.pick([0, 1, 2, 3, -1]) } : {}),
      ...(dice.chance(0.7) ? { maxGroups: dice.pick([0, 1, 2, 3, -1]) } : {}),
    }));
  },
  (placement, dice) => {
    placement["workloadAffinity"] = {
      ...(dice.chance(0.8) ? { affinity: { groupByLabelKey: dice.pick(LABEL_KEYS) } } : {}),
      ...(dice.chance(0.8) ? { antiAffinity: { groupByLabelKey: dice.pick(LABEL_KEYS.slice(0, 4)) } } : {}),
    };
  },
  (placement, dice) => {
    placement["clusterTolerations"] = Array.from({ length: dice.between(1, 3) }, () => ({
      key: "a",
      operator: dice.pick(["Exists", "Equal", "", "Lt", "Gt", "Nonsense"]),
    }));
  },
  (placement, dice) => {
    placement["replicaScheduling"] = {
      // The schema fills it in before any rule looks.
      replicaSchedulingType: dice.pick(["Divided", "Divided", "Duplicated"]),
      ...(dice.chance(0.5) ? { replicaDivisionPreference: dice.pick(["Weighted", "Aggregated"]) } : {}),
      ...(dice.chance(0.5) ? { weightPreference: dice.pick([{}, { dynamicWeight: "AvailableReplicas" }]) } : {}),
    };
  },
];

function randomPropagation(dice: Dice, namespaced: boolean): Json {
  const namespace = namespaced ? "shop" : "";
  const placement = structuredClone(randomPlacement(dice, ["m1", "m2", "m3"])) as Json;
  for (let twists = dice.between(0, 3); twists > 0; twists--) dice.pick(PLACEMENT_TWISTS)(placement, dice);
  return {
    conflictResolution: "Abort",
    priority: dice.pick([0, 5, -3]),
    schedulerName: "default-scheduler",
    preemption: dice.pick(["Never", "Never", "Always"]),
    resourceSelectors: randomSelectors(dice, namespace),
    ...(dice.chance(0.95) ? { placement } : {}),
    ...(dice.chance(0.3) ? { failover: randomFailover(dice) } : {}),
    ...(dice.chance(0.5) ? { propagateDeps: dice.chance(0.7) } : {}),
    ...(dice.chance(0.2)
      ? {
          suspension: {
            ...(dice.chance(0.7) ? { dispatching: dice.chance(0.6) } : {}),
            ...(dice.chance(0.7) ? { dispatchingOnClusters: { clusterNames: dice.some(["m1", "m2"], 0.5) } } : {}),
          },
        }
      : {}),
    ...(dice.chance(0.1)
      ? { schedulePriority: { priorityClassSource: "KubePriorityClass", priorityClassName: "high" } }
      : {}),
    ...(dice.chance(0.1) ? { activationPreference: "Lazy" } : {}),
    ...(dice.chance(0.1) ? { preserveResourcesOnDeletion: dice.chance(0.5) } : {}),
    ...(dice.chance(0.1) ? { dependentOverrides: ["a"] } : {}),
  };
}

const POINTERS = ["/a/b", "", "/", "a", "a/b", "/a~0b/~1", "/a~2", "/a~", "//", "/ä", "#/a"] as const;
const VALUES = [
  { value: 1 },
  { value: "x" },
  { value: null },
  {},
  { value: {} },
  { value: "" },
  { value: false },
] as const;

function randomMap(dice: Dice): Json {
  const keys = dice.chance(0.5) ? ["a"] : dice.some(LABEL_KEYS, 0.15);
  const values = ["v", "", "a".repeat(63), "a".repeat(64), "-v", "a b", "ü", "a_b.c"];
  return Object.fromEntries(keys.map((key) => [key, dice.pick(dice.chance(0.5) ? ["v"] : values)]));
}

function randomOverriders(dice: Dice): Json {
  const operator = (): string => dice.pick(["add", "remove", "replace"]);
  const patch = (): Json => ({ subPath: dice.pick(POINTERS), operator: operator(), ...dice.pick(VALUES) });
  const part = (): string => dice.pick(["Registry", "Repository", "Tag"]);
  return {
    ...(dice.chance(0.3) ? { plaintext: [{ path: dice.pick(POINTERS), operator: operator(), value: "x" }] } : {}),
    ...(dice.chance(0.3)
      ? {
          imageOverrider: [
            {
              component: part(),
              operator: operator(),
              value: "x",
              ...(dice.chance(0.7) ? { predicate: { path: dice.pick(POINTERS) } } : {}),
            },
          ],
        }
      : {}),
    ...(dice.chance(0.2) ? { commandOverrider: [{ containerName: "c", operator: "add", value: ["-v"] }] } : {}),
    ...(dice.chance(0.2) ? { argsOverrider: [] } : {}),
    ...(dice.chance(0.3) ? { labelsOverrider: [{ operator: operator(), value: randomMap(dice) }] } : {}),
    ...(dice.chance(0.3) ? { annotationsOverrider: [{ operator: operator(), value: randomMap(dice) }] } : {}),
    ...(dice.chance(0.4)
      ? {
          fieldOverrider: [
            {
              fieldPath: dice.pick(POINTERS),
              ...(dice.chance(0.6) ? { json: Array.from({ length: dice.between(0, 2) }, patch) } : {}),
              ...(dice.chance(0.5) ? { yaml: Array.from({ length: dice.between(0, 2) }, patch) } : {}),
            },
          ],
        }
      : {}),
  };
}

function randomTarget(dice: Dice): Json {
  const placement: Json = {};
  if (dice.chance(0.5)) return { clusterNames: ["m1"] };
  PLACEMENT_TWISTS[3]?.(placement, dice);
  return placement["clusterAffinity"] as Json;
}

function randomOverride(dice: Dice, namespaced: boolean): Json {
  return {
    ...(dice.chance(0.9) ? { resourceSelectors: randomSelectors(dice, namespaced ? "shop" : "") } : {}),
    ...(dice.chance(0.85)
      ? {
          overrideRules: Array.from({ length: dice.between(0, 2) }, () => ({
            ...(dice.chance(0.6) ? { targetCluster: randomTarget(dice) } : {}),
            overriders: randomOverriders(dice),
          })),
        }
      : {}),
    ...(dice.chance(0.2) ? { targetCluster: randomTarget(dice) } : {}),
    ...(dice.chance(0.2) ? { overriders: randomOverriders(dice) } : {}),
  };
}

export const POLICY_KINDS = [
  "PropagationPolicy",
  "ClusterPropagationPolicy",
  "OverridePolicy",
  "ClusterOverridePolicy",
] as const;

/** A policy of one of the four kinds as someone might send it, within the schema of its kind. */
export function randomPolicy(dice: Dice): KubeObject {
  const kind = dice.pick([...POLICY_KINDS, "PropagationPolicy", "ClusterPropagationPolicy"] as const);
  const namespaced = !kind.startsWith("Cluster");
  const idLabel = `${kind.toLowerCase()}.karmada.io/permanent-id`;
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind,
    metadata: {
      name: dice.pick(["spread", "a".repeat(63), "x.y"]),
      ...(namespaced ? { namespace: "shop" } : {}),
      ...(dice.chance(0.3) ? { labels: { team: "a", ...(dice.chance(0.5) ? { [idLabel]: "given" } : {}) } } : {}),
      ...(dice.chance(0.2) ? { finalizers: ["example.com/other"] } : {}),
    },
    spec: kind.endsWith("OverridePolicy") ? randomOverride(dice, namespaced) : randomPropagation(dice, namespaced),
  };
}
