// What the override manager makes of an object for one cluster.
import { isObject } from "../../../../../kube/object.ts";
import { randomOverridable, randomOverridePolicy, randomTargetCluster } from "../../../../random/overrides.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerOverride, type OverrideInput } from "../../../suites/override.ts";
import type { Operation } from "../operation.ts";

const OVERRIDERS = [
  "imageOverrider",
  "commandOverrider",
  "argsOverrider",
  "labelsOverrider",
  "annotationsOverrider",
  "fieldOverrider",
  "plaintext",
] as const;

export const overrideOperation: Operation<OverrideInput> = {
  op: "override",
  file: "override.json",

  ask: (dice) =>
    Array.from({ length: 20 }, () => {
      const object = randomOverridable(dice);
      const policies = Array.from({ length: dice.pick([1, 1, 2, 4]) }, (_, index) =>
        randomOverridePolicy(dice, object, `${dice.pick(["a", "m", "z"])}-${index}`),
      );
      // Of the two kinds, in the shape of their types.
      return { input: { object, cluster: randomTargetCluster(dice), policies } as unknown as OverrideInput };
    }),

  judge: (recorded) => judge(recorded, answerOverride),

  isSensible: ({ object, cluster, policies }) =>
    typeof object?.kind === "string" &&
    typeof object.apiVersion === "string" &&
    isObject(object.metadata) &&
    typeof object.metadata.name === "string" &&
    isObject(cluster?.metadata) &&
    typeof cluster.metadata.name === "string" &&
    Array.isArray(policies) &&
    policies.every(
      (policy) =>
        isObject(policy?.spec) &&
        typeof policy.metadata?.name === "string" &&
        (policy.spec.overrideRules ?? []).every(({ overriders }: { overriders?: unknown }) => isObject(overriders)) &&
        (policy.kind === "ClusterOverridePolicy" || typeof policy.metadata.namespace === "string"),
    ),

  tags({ input }, { expected }) {
    const { error, appliedPolicies = [] } = expected as {
      readonly error?: string;
      readonly appliedPolicies?: readonly string[];
    };
    const rules = input.policies.flatMap(({ spec }) => spec.overrideRules ?? [{ overriders: spec.overriders ?? {} }]);
    const used = OVERRIDERS.filter((name) => rules.some(({ overriders }) => (overriders[name]?.length ?? 0) > 0));
    const outcome = error === undefined ? "changed" : "error";
    return [
      `kind-${input.object.kind.toLowerCase()}`,
      ...used.map((name) => `${name}-${outcome}`),
      ...(input.policies.some(({ spec }) => spec.overrideRules === undefined) ? ["legacy-spec"] : []),
      ...(appliedPolicies.length > 1 ? ["several-policies"] : []),
    ];
  },
};
