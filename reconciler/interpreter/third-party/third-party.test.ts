import { describe, expect, it } from "vitest";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { testSeed } from "../../../test/seed.ts";
import { Dice } from "../../scheduler/testing/random-cases.ts";
import { NOTHING_REPORTED } from "../interpreter.ts";
import type { KindRules } from "../kind-rules.ts";
import { customResource, NOW, reported } from "./testing/custom-resources.ts";
import { MORE_RULES, THIRD_PARTY_RULES } from "./third-party.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 20);

const RULES = [
  ...Object.entries(THIRD_PARTY_RULES).map(([kind, rules]) => [`${kind} as Karmada`, kind, rules] as const),
  ...Object.entries(MORE_RULES).map(([kind, rules]) => [`${kind} beyond`, kind, rules] as const),
];

/** Everything that is asked of an object, by operation. */
function questions(rules: KindRules, object: KubeObject, other: KubeObject): Record<string, () => unknown> {
  const items = [reported("a", other["status"] as never), reported("b"), reported("c", object["status"] as never)];
  return {
    replicas: () => rules.getReplicas?.(object),
    components: () => rules.getComponents?.(object),
    revise: () => rules.reviseReplica?.(object, 3),
    retain: () => rules.retain?.(object, other),
    dependencies: () => rules.getDependencies?.(object),
    reflect: () => rules.reflectStatus?.(object),
    health: () => rules.interpretHealth?.(object),
    aggregate: () => rules.aggregateStatus?.(object, items, NOW),
    unreported: () => rules.aggregateStatus?.(object, NOTHING_REPORTED, NOW),
    unplaced: () => rules.aggregateStatus?.(object, [], NOW),
  };
}

/** Fields that rules of many products read, and what nobody should write in them. */
const FIELDS = [
  ...["spec", "status", "template", "conditions", "replicas", "phase", "observedGeneration", "containers", "volumes"],
  ...[
    "strategy",
    "health",
    "sync",
    "type",
    "message",
    "name",
    "active",
    "workloadRef",
    "parallelism",
    "traffic",
    "ref",
  ],
];
const NOISE: readonly unknown[] = [
  null,
  0,
  -1,
  2.5,
  "",
  "text",
  "3",
  true,
  [],
  {},
  [null],
  [{}],
  [[]],
  ["a"],
  { a: {} },
];

function randomValue(dice: Dice, depth: number): unknown {
  if (depth === 0 || dice.chance(0.3)) return dice.pick(NOISE);
  if (dice.chance(0.2)) return Array.from({ length: dice.between(0, 3) }, () => randomValue(dice, depth - 1));
  const keys = Array.from({ length: dice.between(1, 5) }, () => dice.pick(FIELDS));
  return Object.fromEntries(keys.map((key) => [key, randomValue(dice, depth - 1)]));
}

function frozen<T>(value: T): T {
  if (Array.isArray(value) || isObject(value)) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}

// As Karmada ships them: R replicas, V revision, C components, T retention, S reflection, A aggregation, H health, D dependencies.
const OPERATIONS: Readonly<Record<string, string>> = {
  "apps.kruise.io/v1alpha1/AdvancedCronJob": "AD",
  "apps.kruise.io/v1alpha1/BroadcastJob": "ADHRSTV",
  "apps.kruise.io/v1alpha1/CloneSet": "ADHRSV",
  "apps.kruise.io/v1alpha1/DaemonSet": "ADHS",
  "apps.kruise.io/v1alpha1/SidecarSet": "ADHRST",
  "apps.kruise.io/v1alpha1/UnitedDeployment": "ADHRSV",
  "apps.kruise.io/v1beta1/StatefulSet": "ADHRSV",
  "argoproj.io/v1alpha1/Workflow": "DHRTV",
  "batch.volcano.sh/v1alpha1/Job": "ACHS",
  "flink.apache.org/v1beta1/FlinkDeployment": "ACHRS",
  "helm.toolkit.fluxcd.io/v2beta1/HelmRelease": "ADHST",
  "kubeflow.org/v1/Notebook": "AHRS",
  "kubeflow.org/v1/PyTorchJob": "ACDH",
  "kubeflow.org/v1/TFJob": "ACDH",
  "kubeflow.org/v2beta1/MPIJob": "ACHS",
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": "ADHST",
  "kyverno.io/v1/ClusterPolicy": "AHS",
  "kyverno.io/v1/Policy": "AHS",
  "ray.io/v1/RayCluster": "ACH",
  "ray.io/v1/RayJob": "ACDH",
  "ray.io/v1/RayService": "ADHRV",
  "source.toolkit.fluxcd.io/v1/GitRepository": "ADHST",
  "source.toolkit.fluxcd.io/v1beta2/Bucket": "ADHST",
  "source.toolkit.fluxcd.io/v1beta2/HelmChart": "ADHST",
  "source.toolkit.fluxcd.io/v1beta2/HelmRepository": "ADHST",
  "source.toolkit.fluxcd.io/v1beta2/OCIRepository": "ADHST",
  "sparkoperator.k8s.io/v1beta2/SparkApplication": "ACHS",
};

const LETTERS: Readonly<Record<keyof KindRules, string>> = {
  getReplicas: "R",
  getComponents: "C",
  reviseReplica: "V",
  retain: "T",
  getDependencies: "D",
  reflectStatus: "S",
  interpretHealth: "H",
  aggregateStatus: "A",
};

describe("the rules for Karmada's kinds", () => {
  it("have the operations that Karmada has, and no others", () => {
    const letters = Object.entries(THIRD_PARTY_RULES).map(([kind, rules]) => [
      kind,
      // The keys of rules are operations.
      (Object.keys(rules) as (keyof KindRules)[])
        .map((operation) => LETTERS[operation])
        .sort()
        .join(""),
    ]);

    expect(Object.fromEntries(letters)).toEqual(OPERATIONS);
  });
});

describe.each(RULES)("%s", (_name, kind, rules) => {
  it.each([
    ["nothing in it", {}],
    ["an empty spec and status", { spec: {}, status: {} }],
    ["a null spec and status", { spec: null, status: null }],
  ])("has an answer for an object with %s", (_what, fields) => {
    const object = frozen(customResource(kind, fields));

    for (const [operation, ask] of Object.entries(questions(rules, object, object))) {
      expect(ask, operation).not.toThrow();
    }
  });

  it(`changes nothing, and names the field that it cannot read (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let i = 0; i < CASES; i++) {
      const [object, other] = [0, 1].map(() =>
        frozen(customResource(kind, { spec: randomValue(dice, 5), status: randomValue(dice, 4) })),
      ) as [KubeObject, KubeObject];
      for (const [operation, ask] of Object.entries(questions(rules, object, other))) {
        try {
          ask();
        } catch (error) {
          const where = `${operation} of ${JSON.stringify(object)} with ${JSON.stringify(other["status"])}: ${String(error)}`;
          expect(error instanceof AppError && error.code.startsWith("interpreter-"), where).toBe(true);
        }
      }
    }
  });
});
