// The Works that a binding's clusters are to have.
import { isObject } from "../../../../../kube/object.ts";
import type { AnyOverridePolicy } from "../../../../../reconciler/overrides/order.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { bindingId } from "../../../../../reconciler/works/targets.ts";
import { randomBindingOf, randomMembers, randomStoredTemplate } from "../../../../random/bindings.ts";
import { randomOverridePolicy } from "../../../../random/overrides.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerWork, type WorkInput } from "../../../suites/work.ts";
import type { Operation } from "../operation.ts";

function randomPolicies(dice: Dice, template: WorkInput["template"]): AnyOverridePolicy[] | null {
  if (dice.chance(0.6)) return null;
  return Array.from(
    { length: dice.between(1, 2) },
    // Of the two kinds, in the shape of their types.
    (_, i) => randomOverridePolicy(dice, template, `ov-${i}`) as unknown as AnyOverridePolicy,
  );
}

export const workOperation: Operation<WorkInput> = {
  op: "work",
  file: "work.json",

  ask: (dice) =>
    Array.from({ length: 20 }, () => {
      const template = randomStoredTemplate(dice);
      const binding = randomBindingOf(dice, template);
      const overridePolicies = randomPolicies(dice, template);
      return { input: { binding, template, clusters: randomMembers(dice), overridePolicies } };
    }),

  judge: (recorded) => judge(recorded, answerWork),

  understood: ({ input, expected }) => {
    // The form of our own answers.
    const ours = (answerWork(input) as { readonly error?: string }).error ?? "";
    if (/without a readable/.test(ours)) return "we send nothing that an override left without a name";
    const error = isObject(expected) ? expected["error"] : undefined;
    const isOfTypes = typeof error === "string" && /unrecognized type|cannot (restore|convert)/.test(error);
    return isOfTypes ? "Karmada refuses a wrong type that an override wrote where nothing is pruned" : undefined;
  },

  isSensible: ({ binding, template, clusters, overridePolicies }) =>
    isObject(template?.metadata) &&
    typeof template.metadata["name"] === "string" &&
    typeof template.metadata["uid"] === "string" &&
    typeof template.kind === "string" &&
    typeof template.apiVersion === "string" &&
    isObject(binding?.spec) &&
    typeof binding.kind === "string" &&
    typeof binding.metadata?.name === "string" &&
    bindingId(binding) !== undefined &&
    (binding.kind === "ClusterResourceBinding") === (template.metadata["namespace"] === undefined) &&
    isObject(binding.spec.resource) &&
    binding.spec.resource["name"] === template.metadata["name"] &&
    (binding.spec.clusters ?? []).every((target) => typeof target.name === "string") &&
    (binding.spec.requiredBy ?? []).every((one) =>
      (one.clusters ?? []).every((target) => typeof target.name === "string"),
    ) &&
    Array.isArray(clusters) &&
    clusters.every((cluster) => typeof cluster?.metadata?.name === "string" && isObject(cluster.spec)) &&
    (overridePolicies ?? []).every(
      (policy) =>
        isObject(policy?.spec) &&
        (policy.spec.overrideRules ?? []).every((rule: { readonly overriders?: unknown }) =>
          isObject(rule.overriders),
        ) &&
        typeof policy.metadata?.name === "string" &&
        typeof policy.kind === "string",
    ),

  tags: ({ input }, { expected }) => [
    input.template.kind,
    ...Object.keys(input.binding.spec),
    ...(input.overridePolicies === null ? [] : ["overrides"]),
    isObject(expected) && "error" in expected ? "error" : "works",
  ],
};
