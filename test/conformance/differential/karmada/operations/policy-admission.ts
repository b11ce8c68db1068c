// What the webhooks of the four policy kinds store and refuse.
import type { KubeObject } from "../../../../../kube/object.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { randomPolicy } from "../../../../random/policies.ts";
import { judge } from "../../../karmada-cases.ts";
import { type AdmissionInput, answerAdmission, normalizeAdmission } from "../../../suites/policy-admission.ts";
import type { Operation } from "../operation.ts";

/** A policy of the same name that this one may have been, once. */
function storedBefore(dice: Dice, policy: KubeObject): KubeObject {
  const idLabel = `${policy.kind.toLowerCase()}.karmada.io/permanent-id`;
  const labels = { ...policy.metadata.labels, ...(dice.chance(0.3) ? { [idLabel]: "other" } : {}) };
  const spec = policy["spec"] as Readonly<Record<string, unknown>>;
  return {
    ...policy,
    metadata: { ...policy.metadata, labels },
    spec: { ...spec, ...(dice.chance(0.2) && "schedulerName" in spec ? { schedulerName: "another" } : {}) },
  };
}

export const policyAdmissionOperation: Operation<AdmissionInput> = {
  op: "policy-admission",
  file: "policy-admission.json",

  ask: (dice) =>
    Array.from({ length: 20 }, () => {
      const policy = randomPolicy(dice);
      const namespace = policy.metadata.namespace ?? "";
      if (dice.chance(0.7)) return { input: { namespace, operation: "CREATE", policy } };
      return { input: { namespace, operation: "UPDATE", policy, oldPolicy: storedBefore(dice, policy) } };
    }),

  judge: (recorded) => judge(recorded, answerAdmission, normalizeAdmission),

  isSensible: ({ policy, operation, namespace }) =>
    policy?.metadata?.name !== undefined &&
    policy["spec"] !== undefined &&
    operation !== undefined &&
    namespace === (policy.metadata.namespace ?? ""),

  tags({ input }, { expected }) {
    const { allowed, message = "" } = expected as { readonly allowed: boolean; readonly message?: string };
    const fields = [...message.matchAll(/(?:^|[[, ])((?:spec|metadata)[\w.[\]]*): /g)].map(([, path = ""]) =>
      path.replace(/\[\d+\]/g, "[]"),
    );
    return [input.policy.kind, input.operation, allowed ? "allowed" : "rejected", ...new Set(fields)];
  },
};
