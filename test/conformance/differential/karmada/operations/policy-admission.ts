// What the webhooks of the four policy kinds store and refuse.
import { randomPolicy } from "../../../../random/policies.ts";
import { judge } from "../../../karmada-cases.ts";
import { type AdmissionInput, answerAdmission, normalizeAdmission } from "../../../suites/policy-admission.ts";
import type { Operation } from "../operation.ts";

export const policyAdmissionOperation: Operation<AdmissionInput> = {
  file: "policy-admission.json",

  ask: (dice) =>
    Array.from({ length: 20 }, () => {
      const policy = randomPolicy(dice);
      return { input: { namespace: policy.metadata.namespace ?? "", operation: "CREATE", policy } };
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
    return [input.policy.kind, allowed ? "allowed" : "rejected", ...new Set(fields)];
  },
};
