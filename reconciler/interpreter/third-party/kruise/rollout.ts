// Kruise Rollouts: Rollout, which watches over the release of a workload beside it.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, observedGenerationOf, type Report } from "../rules/aggregation.ts";
import { agreedConditions } from "../rules/agreed-conditions.ts";
import { textAtPath } from "../rules/field-paths.ts";
import { numberAt } from "../rules/numbers.ts";
import { decidingPhase } from "../rules/phases.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";

const PHASES = ["Terminating", "Disabling", "Progressing", "Initial", "Disabled", "Healthy"];

/** A release that has come to rest; a disabled Rollout has none to watch over. */
const RESTING = ["Healthy", "Disabled"];

// What tells where in the release a cluster is: of one cluster, else it would fit nowhere.
const STEP = ["canaryStatus", "blueGreenStatus", "currentStepIndex", "currentStepState"];

export const KRUISE_ROLLOUT: KindRules = {
  interpretHealth: isAtRest,
  reflectStatus: reflectingWithGenerations([...STEP, "phase", "message", "conditions", "observedGeneration"]),
  aggregateStatus: aggregating(rolloutStatus),
};

function isAtRest(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const hasSeen = numberAt(status, "observedGeneration") >= (object.metadata.generation ?? 0);
  return hasSeen && RESTING.includes(textAtPath(status, "phase"));
}

/** As far as the cluster that is least far, and step by step what that one says. */
function rolloutStatus(report: Report): Fields {
  const deciding = decidingPhase(report, { order: PHASES, silent: "Progressing" });
  if (deciding === undefined) return {};
  const last = report.members.find(({ status }) => textAtPath(status, "phase") === deciding.phase)?.status ?? {};
  return {
    ...Object.fromEntries(STEP.map((field) => [field, last[field]])),
    ...deciding,
    observedGeneration: observedGenerationOf(report),
    conditions: agreedConditions(report, []),
  };
}
