// Kyverno's policies.

import type { KubeObject } from "../../../kube/object.ts";
import type { MemberStatus } from "../aggregation.ts";
import { interpreterFieldMalformed } from "../errors.ts";
import { fieldsAt, optionalFieldsAt } from "../field-access.ts";
import { NOTHING_REPORTED } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregating, aggregatingAnew, lastOf, type Report, withCleanStatus } from "./rules/aggregation.ts";
import { type AgreementRule, agreementOf } from "./rules/agreement.ts";
import { hasConditionWith, mergedConditions } from "./rules/conditions.ts";
import { isCurrentWith } from "./rules/kstatus.ts";
import { numberAt } from "./rules/numbers.ts";
import { reflecting, reflectingWithGenerations } from "./rules/reflection.ts";

const RULE_TYPES = ["validate", "generate", "mutate", "verifyimages"];

const POLICY_RULES: KindRules = {
  interpretHealth: isPolicyReady,
  reflectStatus: reflecting(["ready", "conditions", "autogen", "rulecount"]),
  aggregateStatus: (object, items, now) =>
    items === NOTHING_REPORTED
      ? withCleanStatus(object, fieldsAt(object, "status"))
      : aggregatePolicy(object, items, now),
};

const aggregatePolicy = aggregatingAnew(({ members }) => ({
  autogen: lastOf(members, "autogen"),
  ready: lastOf(members, "ready"),
  rulecount: Object.fromEntries(RULE_TYPES.map((type) => [type, countRules(members, type)])),
  conditions: mergedConditions(members),
}));

export const KYVERNO_RULES: RulesByKind = {
  "kyverno.io/v1/ClusterPolicy": POLICY_RULES,
  "kyverno.io/v1/Policy": POLICY_RULES,
};

const AGREEMENT: AgreementRule = { decisive: ["Ready"], awaiting: "reconciling", agreed: ["autogen", "rulecount"] };

const CURRENT_POLICY_RULES: KindRules = {
  interpretHealth: (object) => fieldsAt(object, "status")["ready"] !== false && isCurrentWith("Ready")(object),
  reflectStatus: reflectingWithGenerations(["ready", "conditions", "autogen", "rulecount"]),
  aggregateStatus: aggregating((report) => ({ ...agreementOf(report, AGREEMENT), ready: isReadyEverywhere(report) })),
};

/**
 * Versions beyond Karmada's, and those of Karmada without its oddities: a policy is ready when it is in every cluster,
 * and has as many rules as in each.
 */
export const CURRENT_KYVERNO_RULES: RulesByKind = Object.fromEntries(
  ["v1/ClusterPolicy", "v1/Policy", "v2beta1/ClusterPolicy", "v2beta1/Policy"].map((kind) => [
    `kyverno.io/${kind}`,
    CURRENT_POLICY_RULES,
  ]),
);

/** Undefined where no cluster says it: newer versions have only the condition. */
function isReadyEverywhere({ items, members }: Report): boolean | undefined {
  const told = members.map(({ status }) => status["ready"]).filter((ready) => typeof ready === "boolean");
  return told.length === 0 ? undefined : told.length === items.length && !told.includes(false);
}

/** What `status.ready` says; newer versions of Kyverno have only the condition. */
function isPolicyReady(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const ready = status["ready"] ?? undefined;
  if (ready === undefined) return hasConditionWith(status, "Ready", "True", ["Succeeded"]);
  if (typeof ready !== "boolean") throw interpreterFieldMalformed("status.ready", "true or false");
  return ready;
}

function countRules(members: readonly MemberStatus[], type: string): number {
  return members.reduce((sum, { status }) => {
    const counts = optionalFieldsAt(status, "rulecount") ?? {};
    return sum + numberAt(counts, type, "status.rulecount");
  }, 0);
}
