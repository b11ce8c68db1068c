// The Spark operator: an application is one driver and the executors that work for it.

import type { Component, ComponentReplicaRequirements } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { canonicalQuantity, formatQuantity } from "../../../kube/quantity.ts";
import { interpreterFieldMalformed } from "../errors.ts";
import { type Fields, fieldsAt, textAt } from "../field-access.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregating, type Report, sumOf } from "./rules/aggregation.ts";
import { componentOf } from "./rules/components.ts";
import { withoutEmpties } from "./rules/empties.ts";
import { extremeTextOf, mergedOf, verbatimOfOne } from "./rules/merging.ts";
import { writtenNodeClaim } from "./rules/node-claims.ts";
import { numberOr } from "./rules/numbers.ts";
import { optionalQuantityAt } from "./rules/quantities.ts";
import { reflecting } from "./rules/reflection.ts";

// Of several clusters' states the one with the highest number is told; of equals the first.
const STATE_RANKS: Readonly<Record<string, number>> = {
  UNKNOWN: 0,
  "": 0,
  SUBMITTED: 1,
  PENDING_RERUN: 1,
  COMPLETED: 2,
  SUSPENDING: 3,
  SUSPENDED: 3,
  RUNNING: 4,
  RESUMING: 4,
  SUCCEEDING: 4,
  INVALIDATING: 5,
  FAILING: 6,
  FAILED: 6,
  SUBMISSION_FAILED: 6,
};

export const SPARK_RULES: RulesByKind = {
  "sparkoperator.k8s.io/v1beta2/SparkApplication": {
    interpretHealth: isHealthy,
    getComponents: componentsOfApplication,
    reflectStatus: reflecting([
      "applicationState",
      "driverInfo",
      "executorState",
      "sparkApplicationId",
      "lastSubmissionAttemptTime",
      "submissionAttempts",
      "executionAttempts",
      "submissionID",
      "terminationTime",
    ]),
    aggregateStatus: verbatimOfOne(aggregating(applicationStatus)),
  },
};

/** Only a failed application is unhealthy, and one whose operator has said nothing yet. */
function isHealthy(object: KubeObject): boolean {
  const state = fieldsAt(object, "status", "applicationState")["state"];
  return state !== undefined && state !== null && state !== false && state !== "FAILED";
}

function applicationStatus({ members }: Report): Fields {
  let worst = -1;
  let applicationState: Fields = {};
  for (const { status } of members) {
    const state = fieldsAt(status, "applicationState");
    // A state of a newer operator is told when nothing worse is known.
    const rank = STATE_RANKS[textAt(state, "state")] ?? 0;
    if (Object.keys(state).length > 0 && rank > worst) {
      worst = rank;
      applicationState = state;
    }
  }
  return {
    applicationState,
    executionAttempts: sumOf(members, "executionAttempts"),
    submissionAttempts: sumOf(members, "submissionAttempts"),
    executorState: mergedOf(members, "executorState"),
    lastSubmissionAttemptTime: extremeTextOf(members, "lastSubmissionAttemptTime", "last") ?? "",
    terminationTime: extremeTextOf(members, "terminationTime", "last") ?? "",
  };
}

function componentsOfApplication(object: KubeObject): readonly Component[] {
  const executors = executorsOf(object);
  return [
    componentOf("driver", 1, needsOf(object, "driver"), "spec.driver"),
    componentOf("executor", executors, needsOf(object, "executor"), "spec.executor.instances"),
  ];
}

/** With dynamic allocation, as many as it starts with. */
function executorsOf(object: KubeObject): number {
  const instances = numberOr(fieldsAt(object, "spec", "executor")["instances"], 1);
  const dynamic = fieldsAt(object, "spec", "dynamicAllocation");
  const { enabled } = dynamic;
  if (enabled === undefined || enabled === null || enabled === false) return instances;
  return Math.max(instances, numberOr(dynamic["initialExecutors"], 1), numberOr(dynamic["minExecutors"], 1));
}

function needsOf(object: KubeObject, part: "driver" | "executor"): ComponentReplicaRequirements {
  const pod = fieldsAt(object, "spec", part);
  const where = `spec.${part}`;
  const cores = optionalQuantityAt(pod, "cores", where);
  const nodeClaim = writtenNodeClaim({
    nodeSelector: pod["nodeSelector"],
    tolerations: pod["tolerations"],
    hardNodeAffinity: fieldsAt(pod, "affinity", "nodeAffinity")["requiredDuringSchedulingIgnoredDuringExecution"],
  });
  // The parts are those of the type.
  return withoutEmpties({
    resourceRequest: {
      cpu: cores === undefined ? "1" : formatQuantity(cores),
      memory: memoryOf(object, pod, where),
      ...gpusOf(pod),
    },
    nodeClaim,
    priorityClassName: textAt(pod, "priorityClassName") || undefined,
  }) as ComponentReplicaRequirements;
}

function gpusOf(pod: Fields): Fields {
  const gpu = fieldsAt(pod, "gpu");
  const name = textAt(gpu, "name");
  const quantity = numberOr(gpu["quantity"], 0);
  return name === "" || quantity <= 0 ? {} : { [name]: canonicalQuantity(String(quantity)) };
}

// What a program needs beside the heap of its Java machine: at least 384 MiB.
const LEAST_OVERHEAD: Memory = { value: 384, unit: "Mi" };
const JVM_OVERHEAD = 0.1;
const OTHER_OVERHEAD = 0.4;

/** The heap and what is needed beside it, in the smaller unit of the two. */
function memoryOf(object: KubeObject, pod: Fields, where: string): string {
  const heap = memoryAt(pod, "memory", where) ?? { value: 1, unit: "Gi" };
  const beside = memoryAt(pod, "memoryOverhead", where) ?? overheadOf(heap, overheadFactor(object));
  const unit = smallerUnit(heap.unit, beside.unit);
  const total = inUnit(heap, unit) + inUnit(beside, unit);
  return canonicalQuantity(`${total.toFixed(6)}${unit === "B" ? "" : unit}`);
}

function overheadFactor(object: KubeObject): number {
  const spec = fieldsAt(object, "spec");
  const type = textAt(spec, "type").toLowerCase();
  return numberOr(spec["memoryOverheadFactor"], type === "java" || type === "scala" ? JVM_OVERHEAD : OTHER_OVERHEAD);
}

function overheadOf(heap: Memory, factor: number): Memory {
  const unit = smallerUnit(heap.unit, LEAST_OVERHEAD.unit);
  return { unit, value: Math.max(inUnit({ ...heap, value: heap.value * factor }, unit), inUnit(LEAST_OVERHEAD, unit)) };
}

type Unit = "B" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi";

interface Memory {
  readonly value: number;
  readonly unit: Unit;
}

const UNITS: readonly Unit[] = ["B", "Ki", "Mi", "Gi", "Ti", "Pi"];
// As Java writes them: powers of 1024 by one letter or two, in any case. Spark takes a bare number for MiB.
const JAVA_UNITS: Readonly<Record<string, Unit>> = {
  "": "Mi",
  b: "B",
  k: "Ki",
  kb: "Ki",
  m: "Mi",
  mb: "Mi",
  g: "Gi",
  gb: "Gi",
  t: "Ti",
  tb: "Ti",
  p: "Pi",
  pb: "Pi",
};

/** The memory under `key` as Java writes it; undefined when absent. Throws `interpreter-field-malformed`. */
function memoryAt(pod: Fields, key: "memory" | "memoryOverhead", where: string): Memory | undefined {
  const written = pod[key];
  if (written === undefined || written === null || written === false) return undefined;
  const [, value, suffix = ""] = /^([0-9]+\.?[0-9]*)([a-z]*)$/.exec(String(written).toLowerCase()) ?? [];
  const unit = JAVA_UNITS[suffix];
  if (value === undefined || unit === undefined) {
    throw interpreterFieldMalformed(`${where}.${key}`, "an amount of memory such as 512m or 2g");
  }
  return { value: Number(value), unit };
}

function smallerUnit(a: Unit, b: Unit): Unit {
  return UNITS.indexOf(a) < UNITS.indexOf(b) ? a : b;
}

function inUnit(memory: Memory, unit: Unit): number {
  return memory.unit === unit ? memory.value : memory.value * (scaleOf(memory.unit) / scaleOf(unit));
}

function scaleOf(unit: Unit): number {
  return 1024 ** UNITS.indexOf(unit);
}
