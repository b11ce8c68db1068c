// Argo CD: Application and AppProject. Neither has a status subresource, so that what the member's Argo CD keeps in an
// object has to be kept by whoever updates it; and each write of a template's status makes a new generation of it, so that
// nothing is told there that changes while nothing happens, such as the time of the last comparison.

import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency, Status } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, type Report } from "../rules/aggregation.ts";
import { told } from "../rules/agreed-conditions.ts";
import { mergedConditions } from "../rules/conditions.ts";
import { withoutEmpties } from "../rules/empties.ts";
import { objectsAtPath, textAtPath, valueAtPath } from "../rules/field-paths.ts";
import { withField } from "../rules/fields.ts";
import { decidingPhase } from "../rules/phases.ts";
import { References } from "../rules/references.ts";
import { withoutHandledRequests } from "./requests.ts";

/** Argo CD's words for health, the worst first. */
const HEALTH = ["Unknown", "Degraded", "Missing", "Progressing", "Suspended", "Healthy"];
const SYNC = ["Unknown", "OutOfSync", "Synced"];
const OPERATION_PHASES = ["Error", "Failed", "Terminating", "Running", "Succeeded"];

export const APPLICATION: KindRules = {
  retain: retainApplication,
  interpretHealth: isApplicationHealthy,
  getDependencies: dependenciesOfApplication,
  reflectStatus: reflectApplication,
  aggregateStatus: aggregating(applicationStatus),
};

export const APP_PROJECT: KindRules = { retain: retainProject };

/** As `argocd app get` and an app of apps: what it deploys is healthy, or stands still on purpose, and can be compared with its source. */
function isApplicationHealthy(object: KubeObject): boolean {
  const health = textAtPath(object, "status", "health", "status");
  // OutOfSync is no trouble by itself: without automated syncs a person decides when it goes on.
  const isCompared = ["Synced", "OutOfSync"].includes(textAtPath(object, "status", "sync", "status"));
  return isCompared && (health === "Healthy" || health === "Suspended");
}

/**
 * Keeps the status, and the operation under way. An operation of the template is taken over by the creation of the copy
 * only: Argo CD takes it out of the object when it begins, and would begin again each time it came back.
 */
function retainApplication(desired: KubeObject, observed: KubeObject): KubeObject {
  const { operation: _asked, status: _old, ...rest } = withoutHandledRequests(desired, observed);
  return {
    ...rest,
    // Taking those two away leaves what makes an object.
    apiVersion: desired.apiVersion,
    kind: desired.kind,
    metadata: rest["metadata"] as KubeObject["metadata"],
    ...(observed["operation"] === undefined ? {} : { operation: observed["operation"] }),
    ...(observed["status"] === undefined ? {} : { status: observed["status"] }),
  };
}

/** Its project, unless that is the one which every Argo CD has. Credentials of repositories are found by URL, not by name. */
function dependenciesOfApplication(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  const project = textAtPath(object, "spec", "project");
  if (project !== "default") references.add("AppProject", project, "argoproj.io/v1alpha1");
  return references.list();
}

/** Without the resources one by one and the history, which may be thousands. */
function reflectApplication(object: KubeObject): Status {
  const status = fieldsAt(object, "status");
  const { status: sync, revision, revisions } = fieldsAt(status, "sync");
  const { health, summary, conditions } = status;
  const operationState = fieldsAt(status, "operationState");
  const { syncResult: _every, ...operation } = operationState;
  // A copy of an object is one.
  return withoutEmpties({
    health,
    sync: { status: sync, revision, revisions },
    summary,
    conditions,
    operationState: operation,
  }) as Status;
}

function applicationStatus(report: Report): Fields {
  const { members, items } = report;
  const health = decidingPhase(report, {
    order: HEALTH,
    silent: "Progressing",
    phaseOf: (status) => textAtPath(status, "health", "status"),
  });
  const sync = decidingPhase(report, {
    order: SYNC,
    silent: "OutOfSync",
    phaseOf: (status) => textAtPath(status, "sync", "status"),
  });
  if (health === undefined || sync === undefined) return {};
  const worse = members.filter(({ status }) => textAtPath(status, "health", "status") === health.phase);
  const sayings = worse.map(({ clusterName, status }) => ({
    clusterName,
    said: textAtPath(status, "health", "message"),
  }));
  const message = told(sayings, items.length);
  return {
    health: { status: health.phase, ...(message === "" || health.phase === "Healthy" ? {} : { message }) },
    sync: { status: sync.phase, ...commonRevision(report) },
    // What is empty in it goes, and it with that.
    summary: withoutEmpties({ externalURLs: unionOf(report, "externalURLs"), images: unionOf(report, "images") }),
    operationState: decidingOperation(report),
    conditions: mergedConditions(members),
  };
}

function commonRevision({ items, members }: Report): Fields {
  const revisions = members.map(({ status }) => textAtPath(status, "sync", "revision"));
  const [first = ""] = revisions;
  const isCommon = first !== "" && revisions.length === items.length && revisions.every((one) => one === first);
  return isCommon ? { revision: first } : {};
}

function unionOf({ members }: Report, field: string): readonly unknown[] {
  const values = members.flatMap(({ status }) => {
    const list = valueAtPath(status, "summary", field);
    return Array.isArray(list) ? list : [];
  });
  return [...new Set(values)].sort();
}

/** The operation of the cluster that it went worst in. */
function decidingOperation({ members }: Report): Fields | undefined {
  const operations = members
    .map(({ status }) => fieldsAt(status, "operationState"))
    // The definition of the kind asks for both.
    .filter((one) => isObject(one["operation"]) && textAtPath(one, "startedAt") !== "");
  const phase = OPERATION_PHASES.find((candidate) => operations.some((one) => one["phase"] === candidate));
  return operations.find((one) => one["phase"] === phase);
}

/** Keeps the tokens that the member's Argo CD has issued, which it keeps in the roles and in the status. */
function retainProject(desired: KubeObject, observed: KubeObject): KubeObject {
  const issued = new Map(
    objectsAtPath(observed, "spec", "roles").map((role) => [textAtPath(role, "name"), role["jwtTokens"]]),
  );
  const roles = objectsAtPath(desired, "spec", "roles").map((role) => {
    const jwtTokens = issued.get(textAtPath(role, "name"));
    return jwtTokens === undefined || jwtTokens === null ? role : { ...role, jwtTokens };
  });
  const kept = roles.length === 0 ? desired : withField(desired, ["spec", "roles"], roles);
  return observed["status"] === undefined ? kept : { ...kept, status: observed["status"] };
}
