// Kyverno's policies.

import type { KubeObject } from "../../../kube/object.ts";
import type { MemberStatus } from "../aggregation.ts";
import { interpreterFieldMalformed } from "../errors.ts";
import { fieldsAt, optionalFieldsAt } from "../field-access.ts";
import { NOTHING_REPORTED } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregatingAnew, lastOf, withCleanStatus } from "./rules/aggregation.ts";
import { hasConditionWith, mergedConditions } from "./rules/conditions.ts";
import { numberAt } from "./rules/numbers.ts";
import { reflecting } from "./rules/reflection.ts";

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
