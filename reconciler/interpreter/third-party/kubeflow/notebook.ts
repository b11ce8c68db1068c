// Kubeflow: notebooks, one pod each.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt, optionalFieldsAt } from "../../field-access.ts";
import type { Status } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregatingAnew, type Report, sumOf } from "../rules/aggregation.ts";
import { withoutEmpties } from "../rules/empties.ts";
import { verbatimOfOne } from "../rules/merging.ts";
import { demandOf } from "../rules/pod-templates.ts";

const FAILURES: ReadonlySet<unknown> = new Set(["Error", "OOMKilled", "ContainerCannotRun"]);

export const NOTEBOOK_RULES: KindRules = {
  getReplicas: (object) => demandOf(1, fieldsAt(object, "spec", "template")),
  interpretHealth: isHealthy,
  reflectStatus,
  aggregateStatus: verbatimOfOne(aggregatingAnew(notebookStatus)),
};

function isHealthy(object: KubeObject): boolean {
  const state = fieldsAt(object, "status", "containerState");
  if (isThere(state["running"])) return true;
  if (isThere(state["waiting"])) return fieldsAt(state, "waiting")["reason"] === "ContainerCreating";
  if (!isThere(state["terminated"])) return false;
  const { reason, exitCode } = fieldsAt(state, "terminated");
  return !FAILURES.has(reason) && (exitCode ?? 0) === 0;
}

function reflectStatus(object: KubeObject): Status {
  const status = optionalFieldsAt(object, "status");
  if (status === undefined) return {};
  const { readyReplicas, containerState, conditions } = status;
  // A copy of an object is one.
  return withoutEmpties({
    readyReplicas: readyReplicas === false ? 0 : (readyReplicas ?? 0),
    containerState: containerState === false ? undefined : containerState,
    conditions: typeof conditions === "object" ? conditions : undefined,
  }) as Status;
}

/** Ready once it runs in every cluster, failed as soon as it does not run in one. */
function notebookStatus(report: Report): Fields {
  const { members, items, now } = report;
  const failed = members.filter(({ status }) => isDown(fieldsAt(status, "containerState")));
  const running = members.filter(({ status }) => isUp(fieldsAt(status, "containerState")));
  const conditions: Fields[] = [];
  if (failed.length > 0) {
    const names = failed.map(({ clusterName }) => clusterName).join(", ");
    const message = `Notebook executed failed in member clusters: ${names}`;
    conditions.push(condition("Failed", "NotebookFailed", message, now));
  } else if (running.length > 0 && running.length === items.length) {
    conditions.push(condition("Ready", "Ready", "All notebooks are ready", now));
  }
  return {
    readyReplicas: sumOf(members, "readyReplicas"),
    containerState: containerStateOf(report),
    conditions,
  };
}

/** That of the last cluster in which it does not run; where it runs everywhere, running since the latest start. */
function containerStateOf({ members }: Report): Fields | undefined {
  const states = members.map(({ status }) => fieldsAt(status, "containerState"));
  const down = states.findLast(isDown);
  if (down !== undefined) return isNone(down) ? { waiting: { reason: "Unschedulable" } } : down;
  const starts = states.filter(isUp).map((state) => fieldsAt(state, "running")["startedAt"]);
  if (starts.length === 0) return undefined;
  const times = starts.filter((time) => typeof time === "string").sort();
  return { running: { startedAt: times.at(-1) } };
}

function isDown(state: Fields): boolean {
  return isNone(state) || isThere(state["terminated"]) || isThere(state["waiting"]);
}

function isUp(state: Fields): boolean {
  return !isDown(state) && isThere(state["running"]);
}

function isNone(state: Fields): boolean {
  return Object.values(state).every((value) => !isThere(value));
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function condition(type: string, reason: string, message: string, now: string): Fields {
  return { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message };
}
