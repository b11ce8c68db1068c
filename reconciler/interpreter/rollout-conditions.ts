// The conditions by which tools judge the rollout of a Deployment, made from what its copies report.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type MemberStatus, reportedStatuses, withStatus } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt, objectsAt, optionalIntegerAt, textAt } from "./field-access.ts";

interface Verdict {
  readonly type: "Available" | "Progressing";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** A Deployment whose counters are aggregated, with the conditions Available and Progressing. */
export function withRolloutConditions(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  now: string,
): KubeObject {
  const status = fieldsAt(object, "status");
  // A template that went nowhere yet has no rollout to judge.
  if (items.length === 0 && Object.keys(status).length === 0) return object;
  const old = objectsAt(status, "conditions");
  const verdicts = [availability(object), progress(object, reportedStatuses(items))];
  const others = old.filter((condition) => !verdicts.some(({ type }) => type === textAt(condition, "type")));
  return withStatus(object, {
    ...status,
    conditions: [...verdicts.map((verdict) => stamped(verdict, old, now)), ...others],
  });
}

/** Times change only with what they are the times of, so that a second look writes nothing. */
function stamped(verdict: Verdict, old: readonly Fields[], now: string): Fields {
  const known = old.find((condition) => textAt(condition, "type") === verdict.type);
  if (known === undefined) return { ...verdict, lastUpdateTime: now, lastTransitionTime: now };
  const sameStatus = textAt(known, "status") === verdict.status;
  const same = sameStatus && textAt(known, "reason") === verdict.reason && textAt(known, "message") === verdict.message;
  return {
    ...verdict,
    lastUpdateTime: (same && known["lastUpdateTime"]) || now,
    lastTransitionTime: (sameStatus && known["lastTransitionTime"]) || now,
  };
}

function availability(object: KubeObject): Verdict {
  const wanted = wantedReplicas(object);
  const available = integerAt(fieldsAt(object, "status"), "availableReplicas");
  return available >= wanted - maxUnavailable(object, wanted)
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function progress(object: KubeObject, members: readonly MemberStatus[]): Verdict {
  const stuck = members.filter(({ status }) =>
    objectsAt(status, "conditions").some(
      (condition) => textAt(condition, "type") === "Progressing" && textAt(condition, "status") === "False",
    ),
  );
  if (stuck.length > 0) {
    const names = stuck.map(({ clusterName }) => clusterName).join(", ");
    return {
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: `The deployment has exceeded its progress deadline in ${names}.`,
    };
  }
  const status = fieldsAt(object, "status");
  const updated = integerAt(status, "updatedReplicas");
  const complete =
    integerAt(status, "observedGeneration") >= (object.metadata.generation ?? 0) &&
    updated >= wantedReplicas(object) &&
    updated >= integerAt(status, "replicas") &&
    integerAt(status, "availableReplicas") >= updated;
  return complete
    ? {
        type: "Progressing",
        status: "True",
        reason: "NewReplicaSetAvailable",
        message: "The deployment has successfully progressed in every cluster.",
      }
    : {
        type: "Progressing",
        status: "True",
        reason: "ReplicaSetUpdated",
        message: "The deployment is progressing.",
      };
}

function wantedReplicas(object: KubeObject): number {
  return optionalIntegerAt(fieldsAt(object, "spec"), "replicas") ?? 1;
}

/** How many replicas the strategy lets go missing; a quarter unless it says otherwise, none when all are recreated. */
function maxUnavailable(object: KubeObject, wanted: number): number {
  const strategy = fieldsAt(object, "spec", "strategy");
  if (textAt(strategy, "type") === "Recreate") return 0;
  const value = fieldsAt(strategy, "rollingUpdate")["maxUnavailable"] ?? "25%";
  if (typeof value === "number") return Math.min(value, wanted);
  const percent = /^([0-9]+)%$/.exec(String(value));
  return percent === null ? 0 : Math.floor((wanted * Number(percent[1])) / 100);
}
