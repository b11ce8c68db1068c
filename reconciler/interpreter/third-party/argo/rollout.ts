// Argo Rollouts: Rollout, a Deployment that goes step by step.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { ReplicaDemand } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { retainDeployment } from "../../retain.ts";
import { aggregating, type Report, sumsOf } from "../rules/aggregation.ts";
import { agreedConditions } from "../rules/agreed-conditions.ts";
import { agreedFields } from "../rules/agreement.ts";
import { conditionsOf } from "../rules/conditions.ts";
import { textAtPath, valueAtPath } from "../rules/field-paths.ts";
import { retaining, revising } from "../rules/fields.ts";
import { numberAt, numberOfText, optionalNumberAt } from "../rules/numbers.ts";
import { decidingPhase } from "../rules/phases.ts";
import { demandOf } from "../rules/pod-templates.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";
import { dependenciesOfRollout } from "./rollout-references.ts";

const COUNTERS = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas"];
// Hashes of pod templates, which overrides may make differ from cluster to cluster.
const AGREED = ["currentPodHash", "stableRS", "selector", "currentStepIndex"];

export const ROLLOUT: KindRules = {
  getReplicas: demandOfRollout,
  reviseReplica: revising("spec", "replicas"),
  retain: retainRollout,
  getDependencies: dependenciesOfRollout,
  interpretHealth: isRolloutHealthy,
  reflectStatus: reflectingWithGenerations([
    ...COUNTERS,
    ...AGREED,
    "phase",
    "message",
    "observedGeneration",
    "conditions",
    "abort",
  ]),
  aggregateStatus: aggregating(rolloutStatus),
};

const retainStatus = retaining(["status"]);

/**
 * As a Deployment: the replicas, if an autoscaler in the member has been given charge of them. And the status, which the
 * definitions before version 1 keep in the object itself: without it the controller would begin the release anew.
 */
function retainRollout(desired: KubeObject, observed: KubeObject): KubeObject {
  return retainStatus(retainDeployment(desired, observed), observed);
}

/** One pod, where the author leaves it open. A Rollout that refers to a Deployment has its pods described there. */
function demandOfRollout(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  return demandOf(Math.trunc(optionalNumberAt(spec, "replicas", "spec") ?? 1), fieldsAt(spec, "template"));
}

/**
 * Healthy, or paused: a step that waits for a person does its work meanwhile. Controllers before version 1 write no phase;
 * then the counters tell, and that the newest pods are the stable ones.
 */
function isRolloutHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  if (!hasSeen(status, object.metadata.generation ?? 0)) return false;
  if (conditionsOf(status).some(({ type }) => type === "InvalidSpec")) return false;
  const phase = textAtPath(status, "phase");
  return phase === "" ? isSettled(object, status) : phase === "Healthy" || phase === "Paused";
}

function isSettled(object: KubeObject, status: Fields): boolean {
  const wanted = optionalNumberAt(fieldsAt(object, "spec"), "replicas", "spec") ?? 1;
  const updated = numberAt(status, "updatedReplicas");
  const hash = textAtPath(status, "currentPodHash");
  const serving =
    textAtPath(status, "blueGreen", "activeSelector") ||
    textAtPath(status, "stableRS") ||
    textAtPath(status, "canary", "stableRS");
  return updated >= wanted && numberAt(status, "availableReplicas") >= updated && hash !== "" && serving === hash;
}

/** Rollouts write the generation as a text; long ago it was a hash, which says nothing. */
function hasSeen(status: Fields, generation: number): boolean {
  const observed = valueAtPath(status, "observedGeneration");
  if (typeof observed === "number") return observed >= generation;
  if (typeof observed !== "string" || observed === "") return false;
  const read = numberOfText(observed);
  return read === undefined || read >= generation;
}

function rolloutStatus(report: Report): Fields {
  const generation = report.template.metadata.generation ?? 0;
  const isCurrent = (status: Fields): boolean =>
    (optionalNumberAt(status, "resourceTemplateGeneration", "status") ?? generation) >= generation &&
    hasSeen(status, numberAt(status, "generation"));
  const deciding = decidingPhase(report, {
    order: ["Degraded", "Progressing", "Paused", "Healthy"],
    silent: "Progressing",
    // What a cluster says of an older generation is no news of this one, unless it is bad.
    phaseOf: (status) => {
      const phase = textAtPath(status, "phase");
      return isCurrent(status) || phase === "Degraded" ? phase : "Progressing";
    },
  });
  const { items, members, old } = report;
  const allCurrent =
    items.length > 0 && members.length === items.length && members.every((one) => isCurrent(one.status));
  return {
    ...sumsOf(members, COUNTERS),
    ...agreedFields(report, AGREED),
    ...deciding,
    abort: members.some(({ status }) => status["abort"] === true) ? true : undefined,
    observedGeneration: allCurrent ? String(generation) : old["observedGeneration"],
    conditions: agreedConditions(report, []),
  };
}
