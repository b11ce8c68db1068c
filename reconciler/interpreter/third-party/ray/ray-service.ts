// Ray: services, each on a cluster of one head and groups of workers.

import type { ReplicaRequirements } from "../../../../api/work.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { compareQuantities, quantityFromJson } from "../../../../kube/quantity.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt } from "../../field-access.ts";
import type { ReplicaDemand } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating, type Report, sumOf } from "../rules/aggregation.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { withField } from "../rules/fields.ts";
import { extremeTextOf, firstOf, verbatimOfOne } from "../rules/merging.ts";
import { numberAt } from "../rules/numbers.ts";
import { requirementsOfTemplate } from "../rules/pod-templates.ts";
import { dependenciesOfTemplates, templatesOfCluster } from "./cluster-spec.ts";
import { conditionsOfAll } from "./conditions.ts";

export const RAY_SERVICE_RULES: KindRules = {
  getReplicas: demandOfService,
  reviseReplica: (object, replicas) => withWorkers(object, replicas, inProportion),
  interpretHealth: (object) => hasConditionWith(fieldsAt(object, "status"), "Ready", "True"),
  aggregateStatus: verbatimOfOne(aggregating(serviceStatus)),
  getDependencies: (object) =>
    distinctDependencies(dependenciesOfTemplates(object, templatesOfCluster(clusterOf(object)))),
};

const WORKERS = ["spec", "rayClusterConfig", "workerGroupSpecs"] as const;

function clusterOf(object: KubeObject): Fields {
  return fieldsAt(object, "spec", "rayClusterConfig");
}

/**
 * The head and all workers, each with the head's requirements but the greatest cpu and memory that any asks for. A
 * service without a head has no replicas.
 */
function demandOfService(object: KubeObject): ReplicaDemand {
  const cluster = clusterOf(object);
  const head = optionalFieldsAt(cluster, "headGroupSpec", "template");
  if (head === undefined) return { replicas: 0 };
  const groups = objectsAt(cluster, "workerGroupSpecs");
  const replicas = groups.reduce((sum, group, index) => sum + workersOf(group, index), 1);
  const requirements = requirementsOfTemplate(head);
  if (requirements === undefined) return { replicas: Math.trunc(replicas) };
  const others = groups.map((group) => requirementsOfTemplate(fieldsAt(group, "template")));
  return { replicas: Math.trunc(replicas), requirements: withGreatest(requirements, others) };
}

function withGreatest(
  requirements: ReplicaRequirements,
  others: readonly (ReplicaRequirements | undefined)[],
): ReplicaRequirements {
  const resourceRequest: Record<string, string | number> = { ...requirements.resourceRequest };
  for (const resource of ["cpu", "memory"]) {
    for (const other of others) {
      const request = other?.resourceRequest?.[resource];
      const greatest = resourceRequest[resource];
      if (request === undefined) continue;
      if (greatest === undefined || compareQuantities(quantityFromJson(request), quantityFromJson(greatest)) > 0) {
        resourceRequest[resource] = request;
      }
    }
  }
  return Object.keys(resourceRequest).length === 0 ? requirements : { ...requirements, resourceRequest };
}

function workersOf(group: Fields, index: number): number {
  return numberAt(group, "replicas", `${WORKERS.join(".")}[${index}]`);
}

/** How many workers each group gets of `total`, given how many it has. */
export type Share = (current: readonly number[], total: number) => readonly number[];

/** The service with one head and the other replicas as workers, shared out among its groups. */
export function withWorkers(object: KubeObject, replicas: number, share: Share): KubeObject {
  const groups = objectsAt(clusterOf(object), "workerGroupSpecs");
  if (groups.length === 0) return object;
  const shares = share(groups.map(workersOf), Math.max(0, replicas - 1));
  return withField(
    object,
    WORKERS,
    groups.map((group, index) => ({ ...group, replicas: shares[index] ?? 0 })),
  );
}

/**
 * As Karmada: in proportion to what the groups have, each rounded by itself, and the last group gets what remains, be
 * it less than nothing. Groups without workers share equally.
 */
function inProportion(current: readonly number[], total: number): readonly number[] {
  const sum = current.reduce((a, b) => a + b, 0);
  const last = current.length - 1;
  let left = total;
  return current.map((workers, index) => {
    if (total === 0) return 0;
    if (index === last) return left;
    const equal = Math.floor(total / current.length) + (index < total % current.length ? 1 : 0);
    const share = sum === 0 ? equal : Math.floor(total * (workers / sum) + 0.5);
    left -= share;
    return share;
  });
}

/**
 * In proportion to what the groups have, rounded down, and what remains one by one to those that lost most, of equals to
 * the first. Groups without workers share equally.
 */
export function byLargestRemainder(current: readonly number[], total: number): readonly number[] {
  const written = current.map((workers) => Math.max(0, workers));
  const sum = written.reduce((a, b) => a + b, 0);
  const exact = written.map((workers) => (sum === 0 ? total / written.length : (total * workers) / sum));
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((a, b) => a + b, 0);
  const lost = exact.map((share, index) => ({ index, rest: share - Math.floor(share) }));
  for (const { index } of lost.sort((a, b) => b.rest - a.rest || a.index - b.index).slice(0, left)) {
    shares[index] = (shares[index] ?? 0) + 1;
  }
  return shares;
}

// Of several clusters' states of an application the one with the highest number is told; of equals the first.
const APPLICATION_RANKS: Readonly<Record<string, number>> = {
  RUNNING: 0,
  NOT_STARTED: 1,
  DEPLOYING: 2,
  DELETING: 3,
  UNHEALTHY: 4,
  DEPLOY_FAILED: 5,
};

function serviceStatus({ members, old }: Report): Fields {
  const active = firstOf(members, "activeServiceStatus");
  const pending = firstOf(members, "pendingServiceStatus");
  return {
    conditions: conditionsOfAll(members),
    numServeEndpoints: sumOf(members, "numServeEndpoints"),
    lastUpdateTime: extremeTextOf(members, "lastUpdateTime", "last"),
    observedGeneration: Math.max(0, ...members.map(({ status }) => numberAt(status, "observedGeneration"))),
    // A service that does not run says nothing.
    serviceStatus: members.some(({ status }) => status["serviceStatus"] === "") ? "" : "Running",
    activeServiceStatus: isObject(active)
      ? { ...active, applicationStatuses: worstApplications(members) }
      : old["activeServiceStatus"],
    pendingServiceStatus: pending ?? old["pendingServiceStatus"],
  };
}

function worstApplications(members: readonly MemberStatus[]): Fields {
  const worst = new Map<string, Fields>();
  for (const { status } of members) {
    const applications = fieldsAt(status, "activeServiceStatus", "applicationStatuses");
    for (const [name, value] of Object.entries(applications)) {
      if (value === undefined || value === null) continue;
      const application = fieldsAt(value);
      const known = worst.get(name);
      if (known === undefined || rankOf(application) > rankOf(known)) worst.set(name, application);
    }
  }
  return Object.fromEntries(worst);
}

function rankOf(application: Fields): number {
  return APPLICATION_RANKS[String(application["status"])] ?? 0;
}
