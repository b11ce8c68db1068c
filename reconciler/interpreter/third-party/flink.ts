// Apache Flink on Kubernetes: a deployment is a job manager and the task managers that do its work.

import type { Component, ComponentReplicaRequirements } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantityFloat,
} from "../../../kube/quantity.ts";
import type { MemberStatus } from "../aggregation.ts";
import { type Fields, fieldsAt, optionalFieldsAt, textAt } from "../field-access.ts";
import type { Dependency, ReplicaDemand } from "../interpreter.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregating, unchanged } from "./rules/aggregation.ts";
import { componentOf } from "./rules/components.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { withoutEmpties } from "./rules/empties.ts";
import { textAtPath } from "./rules/field-paths.ts";
import { writtenNodeClaim } from "./rules/node-claims.ts";
import { numberOr } from "./rules/numbers.ts";
import { dependenciesOfTemplate } from "./rules/pod-templates.ts";
import { approximate, optionalQuantityAt } from "./rules/quantities.ts";
import { References } from "./rules/references.ts";
import { reflecting } from "./rules/reflection.ts";

const DEPLOYMENT = "flink.apache.org/v1beta1/FlinkDeployment";

// States that end a job, that run it, or that soon lead to one that ends it.
const SETTLED_STATES: ReadonlySet<unknown> = new Set([
  "RUNNING",
  "FINISHED",
  "FAILED",
  "CANCELED",
  "SUSPENDED",
  "CANCELLING",
  "FAILING",
  "RESTARTING",
]);
const STARTING_STATES: ReadonlySet<unknown> = new Set(["CREATED", "INITIALIZING", "RECONCILING"]);
// Faults of the author that moving the job to another cluster would not mend.
const AUTHORS_ERRORS = ["ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff"] as const;
const FIELDS = [
  "clusterInfo",
  "error",
  "jobManagerDeploymentStatus",
  "jobStatus",
  "lifecycleState",
  "observedGeneration",
  "reconciliationStatus",
  "taskManager",
] as const;

const SESSION_FIELDS = ["error", "jobStatus", "lifecycleState", "observedGeneration", "reconciliationStatus"] as const;

export const FLINK_RULES: RulesByKind = {
  [DEPLOYMENT]: {
    getReplicas: demandOfDeployment,
    getComponents: componentsOfDeployment,
    interpretHealth: isHealthy,
    reflectStatus: reflecting(FIELDS),
    aggregateStatus: aggregating(({ members }) => lastReportOf(members, FIELDS), unchanged),
  },
};

/** Differs from Karmada: dependencies are known, and jobs that run in a session of another deployment. */
export const MORE_FLINK_RULES: RulesByKind = {
  [DEPLOYMENT]: { ...FLINK_RULES[DEPLOYMENT], getDependencies: dependenciesOfDeployment },
  "flink.apache.org/v1beta1/FlinkSessionJob": {
    interpretHealth: isHealthy,
    reflectStatus: reflecting(SESSION_FIELDS),
    aggregateStatus: aggregating(({ members }) => lastReportOf(members, SESSION_FIELDS), unchanged),
    getDependencies: (object) => {
      const references = new References(object);
      references.add("FlinkDeployment", textAtPath(object, "spec", "deploymentName"), "flink.apache.org/v1beta1");
      return references.list();
    },
  },
};

/** What the pods of the common template and of both managers' own refer to, and their account. */
function dependenciesOfDeployment(object: KubeObject): readonly Dependency[] {
  const account = { spec: { serviceAccountName: textAtPath(object, "spec", "serviceAccount") } };
  const templates = [[], ["jobManager"], ["taskManager"]].map((part) =>
    fieldsAt(object, "spec", ...part, "podTemplate"),
  );
  return distinctDependencies([account, ...templates].flatMap((template) => dependenciesOfTemplate(object, template)));
}

function isHealthy(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const state = fieldsAt(status, "jobStatus")["state"];
  if (state === undefined || state === null) {
    return status["jobManagerDeploymentStatus"] === "READY" && status["lifecycleState"] === "STABLE";
  }
  if (SETTLED_STATES.has(state)) return true;
  return STARTING_STATES.has(state) && AUTHORS_ERRORS.some((fault) => textAt(status, "error").includes(fault));
}

/** The whole report of the last cluster that has one; a deployment is meant for one cluster at a time. */
function lastReportOf(members: readonly MemberStatus[], fields: readonly string[]): Fields {
  const last = members.at(-1)?.status ?? NOTHING;
  return Object.fromEntries(fields.map((field) => [field, last[field]]));
}

const NOTHING: Fields = { error: "", jobManagerDeploymentStatus: "", lifecycleState: "", observedGeneration: 0 };

function jobManagers(object: KubeObject): number {
  return numberOr(fieldsAt(object, "spec", "jobManager")["replicas"], 1);
}

/** What is written, or as many as the job's parallelism takes. */
function taskManagers(object: KubeObject): number {
  const written = numberOr(fieldsAt(object, "spec", "taskManager")["replicas"], undefined);
  if (written !== undefined) return written;
  const parallelism = numberOr(fieldsAt(object, "spec", "job")["parallelism"], undefined);
  const slots = numberOr(fieldsAt(object, "spec", "flinkConfiguration")["taskmanager.numberOfTaskSlots"], undefined);
  if (parallelism === undefined || slots === undefined || slots === 0) return 1;
  // Adding zero turns -0 into 0.
  return Math.ceil(parallelism / slots) + 0;
}

function componentsOfDeployment(object: KubeObject): readonly Component[] {
  return [
    componentOf("jobmanager", jobManagers(object), needsOf(object, "jobManager"), "spec.jobManager.replicas"),
    componentOf("taskmanager", taskManagers(object), needsOf(object, "taskManager"), "spec.taskManager.replicas"),
  ];
}

function needsOf(object: KubeObject, part: "jobManager" | "taskManager"): ComponentReplicaRequirements {
  const resource = fieldsAt(object, "spec", part, "resource");
  const where = `spec.${part}.resource`;
  const cpu = optionalQuantityAt(resource, "cpu", where);
  const memory = optionalQuantityAt(resource, "memory", where);
  const podSpec = fieldsAt(object, "spec", "podTemplate", "spec");
  return clean({
    resourceRequest: {
      cpu: formatOptional(cpu),
      memory: memory === undefined ? undefined : canonicalQuantity(String(approximate(memory, `${where}.memory`))),
    },
    nodeClaim: nodeClaimOf(podSpec),
    priorityClassName: textAt(podSpec, "priorityClassName") || undefined,
  });
}

/** All pods together, each with the greater of what a job manager and what a task manager asks for. */
function demandOfDeployment(object: KubeObject): ReplicaDemand {
  const podSpec = optionalFieldsAt(object, "spec", "podTemplate", "spec") ?? {};
  const requirements = clean({
    resourceRequest: { cpu: greaterOf(object, "cpu"), memory: greaterOf(object, "memory") },
    nodeClaim: nodeClaimOf(podSpec),
    priorityClassName: textAt(podSpec, "priorityClassName") || undefined,
    namespace: object.metadata.namespace || undefined,
  });
  return { replicas: Math.trunc(jobManagers(object) + taskManagers(object)), requirements };
}

function greaterOf(object: KubeObject, resource: "cpu" | "memory"): string | undefined {
  const [ofTasks, ofJob] = (["taskManager", "jobManager"] as const).map((part) =>
    optionalQuantityAt(fieldsAt(object, "spec", part, "resource"), resource, `spec.${part}.resource`),
  );
  if (ofTasks === undefined || ofJob === undefined) return formatOptional(ofTasks ?? ofJob);
  const greater = compareQuantities(ofJob, ofTasks) > 0 ? ofJob : ofTasks;
  // As Karmada: the greater of two numbers of cores is a number, however they are written.
  return resource === "cpu" ? canonicalQuantity(String(quantityFloat(greater))) : formatQuantity(greater);
}

function formatOptional(quantity: Quantity | undefined): string | undefined {
  return quantity === undefined ? undefined : formatQuantity(quantity);
}

function nodeClaimOf({ nodeSelector, tolerations }: Fields): Fields | undefined {
  return writtenNodeClaim({ nodeSelector, tolerations });
}

function clean(requirements: Fields): ComponentReplicaRequirements {
  // What has no requirements at all says so with an empty object; the parts are those of the type.
  return withoutEmpties(requirements) as ComponentReplicaRequirements;
}
