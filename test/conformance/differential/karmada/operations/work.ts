// The Works that a binding's clusters are to have.
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

const VECTORS = join(import.meta.dirname, "..", "..", "..", "vectors", "karmada");

let recordedInputs: readonly WorkInput[] | undefined;

/** Templates and bindings of recorded questions, with what the bindings and policies of others say. */
export function askRecombinedWork(dice: Dice): { input: WorkInput }[] {
  recordedInputs ??= (JSON.parse(readFileSync(join(VECTORS, "work.json"), "utf8")) as { input: WorkInput }[]).map(
    ({ input }) => input,
  );
  const inputs = recordedInputs;
  return Array.from({ length: 20 }, () => {
    const { binding, template, clusters } = dice.pick(inputs);
    const [other, third] = [dice.pick(inputs), dice.pick(inputs)];
    const spec: Record<string, unknown> = { ...binding.spec };
    for (const field of FIELDS) {
      if (!dice.chance(0.4)) continue;
      const value = dice.pick([other, third]).binding.spec[field];
      if (value === undefined) delete spec[field];
      else spec[field] = value;
    }
    // Put together from fields of the same kind.
    const mixed = structuredClone({ ...binding, spec }) as unknown as WorkInput["binding"];
    const overridePolicies = [...(other.overridePolicies ?? []), ...(third.overridePolicies ?? [])].map(
      (policy, i) => ({
        ...policy,
        metadata: { ...policy.metadata, name: `${policy.metadata.name}-${i}` },
      }),
    );
    return {
      input: {
        binding: mixed,
        template: structuredClone(template),
        clusters,
        // Of the two kinds, as they were.
        overridePolicies: dice.chance(0.3) ? null : (structuredClone(overridePolicies) as AnyOverridePolicy[]),
      },
    };
  });
}

const FIELDS = [
  "clusters",
  "replicas",
  "placement",
  "requiredBy",
  "suspension",
  "conflictResolution",
  "preserveResourcesOnDeletion",
  "gracefulEvictionTasks",
] as const;
