// What can be said of custom resources that nobody has told us anything about. Most controllers keep `status.conditions`
// and `status.observedGeneration` as the API conventions of Kubernetes ask for; where the copies of an object do, its
// template gets the same, so that Flux and Argo CD do not wait for ever for a controller that runs only in the members.
//
// Differs from Karmada, which leaves such templates without a status; off with `compatibility: karmada`. The health of
// such kinds stays out of it: application failover moves only what is known to be unhealthy.

import { type GroupVersionKind, gvkOf, isObject, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { type Fields, fieldsAt } from "./field-access.ts";
import type { InterpreterLevel, Status } from "./interpreter.ts";
import { reflectWholeStatus } from "./reflect-status.ts";
import { aggregatingAnew, type Report } from "./third-party/rules/aggregation.ts";
import { agreedConditions, verdictsOf } from "./third-party/rules/agreed-conditions.ts";
import { agreedValue, observedGenerationOf } from "./third-party/rules/agreement.ts";
import { generationsOf } from "./third-party/rules/reflection.ts";

/** Groups of kinds that the API server itself serves, or that have a meaning of their own on the control plane. */
const KNOWN_GROUPS =
  /^(?:[^.]*|(?:admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|internal\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage|storagemigration)\.k8s\.io|multicluster\.x-k8s\.io|(?:.*\.)?karmada\.io|(?:.*\.)?flaghoist\.io)$/;

/** Who writes the status of templates for us, as managed fields name it. */
export const STATUS_MANAGER = "flaghoist-status";

/**
 * `level`, and behind it the rules for kinds that it does not know. `hasStatus` tells whether a kind has a status
 * subresource on the control plane: without one a written status would be a change of the template itself.
 */
export function withGenericRules(
  level: InterpreterLevel & Required<Pick<InterpreterLevel, "aggregateStatus" | "reflectStatus">>,
  hasStatus: (gvk: GroupVersionKind) => boolean,
): InterpreterLevel {
  const knows = (gvk: GroupVersionKind): boolean => level.hookEnabled(gvk, "AggregateStatus");
  return {
    ...level,
    hookEnabled: (gvk, operation) =>
      level.hookEnabled(gvk, operation) ||
      (operation === "AggregateStatus" && !KNOWN_GROUPS.test(gvk.group) && hasStatus(gvk)),
    reflectStatus: (object) => (isUnknown(object) ? reflectWithGenerations(object) : level.reflectStatus(object)),
    aggregateStatus: (object, items, now) =>
      knows(gvkOf(object)) ? level.aggregateStatus(object, items, now) : aggregateUnknown(object, items, now),
  };
}

function isUnknown({ apiVersion }: KubeObject): boolean {
  return !KNOWN_GROUPS.test(parseApiVersion(apiVersion).group);
}

/** The whole status, and which generation it is about where it has conditions to be judged by. */
function reflectWithGenerations(object: KubeObject): Status | undefined {
  const status = reflectWholeStatus(object);
  return status !== undefined && isConventional(status) ? { ...status, ...generationsOf(object) } : status;
}

/**
 * The conditions of the fleet, the generation that it has observed, and whatever else all clusters say alike. The
 * template stays as it is when no copy keeps conditions, when one keeps something else under that name, when somebody's
 * own rule collects the status, and when somebody on the control plane keeps that of the template.
 */
function aggregateUnknown(object: KubeObject, items: Report["items"], now: string): KubeObject {
  if (isKeptByOthers(object)) return object;
  const statuses = items.map(({ status }) => status ?? {});
  const told = statuses.filter((status) => !isSilent(status));
  if (told.length === 0 && !isConventional(object["status"])) return object;
  const isOurs = told.every(
    (status) => isConventional(status) && Number.isInteger(status["resourceTemplateGeneration"]),
  );
  return isOurs ? aggregateConventional(object, items, now) : object;
}

function isSilent(status: unknown): boolean {
  if (!isObject(status)) return false;
  const { conditions } = status;
  return conditions === undefined || conditions === null || (Array.isArray(conditions) && conditions.length === 0);
}

const aggregateConventional = aggregatingAnew((report) => {
  const { members } = report;
  const tellsGeneration = members.some(({ status }) => typeof status["observedGeneration"] === "number");
  const alike = Object.keys(members[0]?.status ?? {}).map((field) => [
    field,
    agreedValue({ ...report, old: {} }, field),
  ]);
  const { generation: _a, resourceTemplateGeneration: _b, ...fields } = Object.fromEntries(alike);
  return {
    ...fields,
    observedGeneration: observedGenerationOf(report, tellsGeneration ? 0 : undefined),
    conditions: agreedConditions(report, verdictsOf(report)),
  };
});

/** The status has conditions, and these and the observed generation have the types that the conventions give them. */
function isConventional(status: unknown): status is Fields {
  if (!isObject(status)) return false;
  const { conditions, observedGeneration } = status;
  return (
    Array.isArray(conditions) &&
    conditions.length > 0 &&
    conditions.every(isCondition) &&
    isGeneration(observedGeneration)
  );
}

function isCondition(condition: unknown): boolean {
  return (
    isObject(condition) &&
    typeof condition["type"] === "string" &&
    ["True", "False", "Unknown"].includes(String(condition["status"])) &&
    isGeneration(condition["observedGeneration"])
  );
}

function isGeneration(value: unknown): boolean {
  return value === undefined || value === null || Number.isInteger(value);
}

/** A controller that works on the control plane itself must not be fought over the status that it writes there. */
function isKeptByOthers(object: KubeObject): boolean {
  return (object.metadata.managedFields ?? []).some(
    ({ manager, subresource, fieldsV1 }) =>
      subresource === "status" && manager !== STATUS_MANAGER && isObject(fieldsAt(fieldsV1)["f:status"]),
  );
}
