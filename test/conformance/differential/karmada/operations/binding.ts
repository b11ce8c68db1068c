// The binding that a policy makes of a template.
import { defaultObject, validateObject } from "../../../../../api/admission/admit.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { randomPolicy } from "../../../../random/policies.ts";
import { randomTemplate } from "../../../../random/templates.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerBinding, type BindingInput } from "../../../suites/binding.ts";
import { withoutEncoderTraces } from "../../../suites/policy-admission.ts";
import type { Operation } from "../operation.ts";

/** A policy that admission lets pass, as it stores it. */
function admittedPolicy(dice: Dice, namespaced: boolean): BindingInput["policy"] {
  for (;;) {
    const sent = randomPolicy(dice);
    if (!sent.kind.endsWith("PropagationPolicy") || (!namespaced && sent.kind === "PropagationPolicy")) continue;
    const stored = defaultObject(sent, {
      operation: "CREATE",
      requestNamespace: sent.metadata.namespace ?? "",
      nowMs: 0,
      newUuid: () => "b516cbbc-6ce9-45a9-b2a7-042dad8ccc3d",
    });
    // It passed the rules of its kind.
    if (validateObject(stored).length === 0) return withoutEncoderTraces(stored) as BindingInput["policy"];
  }
}

export const bindingOperation: Operation<BindingInput> = {
  op: "binding",
  file: "binding.json",

  ask: (dice) =>
    Array.from({ length: 10 }, () => {
      const template = randomTemplate(dice);
      const gates = {
        ...(dice.chance(0.3) ? { MultiplePodTemplatesScheduling: true } : {}),
        ...(dice.chance(0.4) ? { WorkloadAffinity: true } : {}),
        // Karmada's own default changes from 1.18 to 1.19; ours is the newer one.
        PriorityBasedScheduling: dice.chance(0.8),
        ...(dice.chance(0.1) ? { ResourceQuotaEstimate: true } : {}),
      };
      return {
        input: {
          template,
          policy: admittedPolicy(dice, template.metadata.namespace !== undefined),
          ...(dice.chance(0.5)
            ? { priorityClasses: [{ metadata: { name: "high" }, value: dice.pick([0, 100, -5]) }] }
            : {}),
          featureGates: gates,
        },
      };
    }),

  judge: (recorded) =>
    judge(recorded, answerBinding, (_input, expected, actual) => ({
      expected: withoutEncoderTraces(expected),
      actual: withoutEncoderTraces(actual),
    })),

  isSensible: ({ template, policy, featureGates }) =>
    featureGates?.["PriorityBasedScheduling"] !== undefined &&
    template.metadata?.name !== undefined &&
    template.kind !== undefined &&
    template.apiVersion !== undefined &&
    policy.kind !== undefined &&
    (policy.kind !== "PropagationPolicy" || template.metadata.namespace !== undefined) &&
    policy.spec?.placement !== undefined &&
    policy.metadata?.labels !== undefined &&
    policy.metadata.name !== undefined,

  tags: ({ input }) => [
    input.template.kind,
    input.policy.kind,
    ...Object.keys(input.policy.spec),
    ...Object.keys(input.featureGates ?? {}).map((gate) => `gate-${gate}`),
  ],
};
