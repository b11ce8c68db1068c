// Validation of workloads, autoscalers and disruption budgets.
import { checkLabelValue, checkQualifiedName } from "../../../kube/names.ts";
import { cloneJson, equalJson, type Json, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { conditionOf, listOf, part, textOf } from "./cell-values.ts";
import { cronProblem } from "./cron-schedule.ts";
import {
  forbiddenValue,
  invalidValue,
  notNegative,
  notSupported,
  oneOf,
  problems,
  required,
  unchanged,
} from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { longRunningTemplateErrors, podSpecErrors } from "./validate-pods.ts";

/** Whether labels fulfil a label selector. */
function matches(selector: JsonObject, labels: JsonObject): boolean {
  const equal = Object.entries(part(selector, "matchLabels")).every(([key, value]) => labels[key] === value);
  return equal && listOf(selector["matchExpressions"]).every((expression) => matchesExpression(expression, labels));
}

function matchesExpression(expression: JsonObject, labels: JsonObject): boolean {
  const value = labels[String(expression["key"])];
  const values = (expression["values"] ?? []) as Json[];
  switch (expression["operator"]) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}

function isEmptySelector(selector: JsonObject): boolean {
  return Object.keys(part(selector, "matchLabels")).length === 0 && listOf(selector["matchExpressions"]).length === 0;
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

/** Errors of a label selector. */
export function selectorErrors(selector: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (typeof selector !== "object" || selector === null) return errors;
  for (const [key, value] of Object.entries(part(selector as JsonObject, "matchLabels"))) {
    errors.push(...problems(`${path}.matchLabels`, key, checkQualifiedName(key)));
    errors.push(...problems(`${path}.matchLabels`, String(value), checkLabelValue(String(value))));
  }
  for (const [index, expression] of listOf((selector as JsonObject)["matchExpressions"]).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const operator = textOf(expression["operator"]);
    const count = Array.isArray(expression["values"]) ? expression["values"].length : 0;
    if (!OPERATORS.includes(operator))
      errors.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
    else if (operator.endsWith("In") && count === 0) {
      errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (!operator.endsWith("In") && count > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenValue(`${at}.values`, why));
    }
    const key = textOf(expression["key"]);
    errors.push(...problems(`${at}.key`, key, checkQualifiedName(key)));
    const values = Array.isArray(expression["values"]) ? expression["values"].map(String) : [];
    for (const [position, value] of values.entries()) {
      errors.push(...problems(`${at}.values[${position}]`, value, checkLabelValue(value)));
    }
  }
  return errors;
}

interface SelectorRules {
  /** How messages name the kind. */
  readonly noun: string;
  /** The kind in messages about the Pod template, when it is not ReplicaSet. */
  readonly owner?: string;
  /** Names of volumes from claim templates. */
  readonly claimed?: readonly string[];
}

function workloadErrors(object: KubeObject, { noun, owner, claimed }: SelectorRules): FieldError[] {
  const spec = part(object, "spec");
  const template = part(spec, "template");
  const errors: FieldError[] = notNegative("spec.replicas", spec["replicas"]);
  const selector = spec["selector"] as JsonObject | null | undefined;
  const labels = part(part(template, "metadata"), "labels");
  if (selector === undefined || selector === null) errors.push(required("spec.selector"));
  else {
    errors.push(...selectorErrors(selector, "spec.selector"));
    if (isEmptySelector(selector)) {
      errors.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${noun}`));
    }
  }
  // Without a selector nothing matches.
  if (selector === undefined || selector === null || !matches(selector, labels)) {
    const why = "`selector` does not match template `labels`";
    const given = part(template, "metadata")["labels"] ?? null;
    errors.push(invalidValue("spec.template.metadata.labels", given, why));
  }
  errors.push(...longRunningTemplateErrors(template, "spec.template", owner, claimed));
  errors.push(...notNegative("spec.minReadySeconds", spec["minReadySeconds"]));
  errors.push(...notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"]));
  return errors;
}

/** Zero as a number or a percentage. */
function isZero(value: Json | undefined): boolean {
  return value === 0 || value === "0%" || value === "0";
}

function intOrPercentErrors(field: string, value: Json | undefined): FieldError[] {
  if (typeof value === "number") return notNegative(field, value);
  if (typeof value !== "string" || /^[0-9]+%$/.test(value)) return [];
  const rule =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalidValue(field, value, rule)];
}

function rollingErrors(rolling: JsonObject, path: string): FieldError[] {
  const errors = [
    ...intOrPercentErrors(`${path}.maxUnavailable`, rolling["maxUnavailable"]),
    ...intOrPercentErrors(`${path}.maxSurge`, rolling["maxSurge"]),
  ];
  if (isZero(rolling["maxUnavailable"]) && isZero(rolling["maxSurge"])) {
    errors.push(invalidValue(`${path}.maxUnavailable`, rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"));
  }
  return errors;
}

export function validateDeployment(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const strategy = part(spec, "strategy");
  const errors = workloadErrors(object, { noun: "deployment" });
  const path = "spec.strategy.rollingUpdate";
  const rolling = strategy["rollingUpdate"];
  switch (strategy["type"]) {
    case "Recreate":
      if (rolling !== undefined) {
        errors.push(forbiddenValue(path, "may not be specified when strategy `type` is 'Recreate'"));
      }
      break;
    case "RollingUpdate":
      if (rolling === undefined) errors.push(required(path, "this should be defaulted and never be nil"));
      else errors.push(...rollingErrors(rolling as JsonObject, path));
      break;
    default:
      errors.push(notSupported("spec.strategy", textOf(strategy["type"]), ["Recreate", "RollingUpdate"]));
  }
  const deadline = spec["progressDeadlineSeconds"];
  errors.push(...notNegative("spec.progressDeadlineSeconds", deadline));
  const minReady = spec["minReadySeconds"] ?? 0;
  if (typeof deadline === "number" && deadline <= Number(minReady)) {
    errors.push(invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  return errors;
}

export function validateReplicaSet(object: KubeObject): FieldError[] {
  return workloadErrors(object, { noun: "deployment" });
}

export function selectorUnchanged(object: KubeObject, old: KubeObject): FieldError[] {
  return unchanged("spec.selector", part(object, "spec")["selector"], part(old, "spec")["selector"]);
}

export function validateStatefulSet(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const claimed = listOf(spec["volumeClaimTemplates"]).map((claim) => textOf(part(claim, "metadata")["name"]));
  const errors = workloadErrors(object, { noun: "statefulset", owner: "StatefulSet", claimed });
  errors.push(...oneOf("spec.podManagementPolicy", spec["podManagementPolicy"], ["OrderedReady", "Parallel"]));
  const strategy = textOf(part(spec, "updateStrategy")["type"]);
  errors.push(...oneOf("spec.updateStrategy", strategy, ["OnDelete", "RollingUpdate"]));
  return errors;
}

const STATEFUL_SET_FREE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

export function validateStatefulSetUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const after = cloneJson(part(object, "spec"));
  const before = part(old, "spec");
  for (const field of STATEFUL_SET_FREE) after[field] = before[field];
  if (equalJson(after, before)) return [];
  const fields = STATEFUL_SET_FREE.map((field) => `'${field}'`);
  const list = `${fields.slice(0, -1).join(", ")} and ${fields.at(-1)}`;
  return [forbiddenValue("spec", `updates to statefulset spec for fields other than ${list} are forbidden`)];
}

export function validateDaemonSet(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors = workloadErrors(object, { noun: "daemonset", owner: "DaemonSet" });
  const strategy = part(spec, "updateStrategy");
  errors.push(...oneOf("spec.updateStrategy", textOf(strategy["type"]), ["OnDelete", "RollingUpdate"]));
  if (strategy["rollingUpdate"] !== undefined) {
    errors.push(...rollingErrors(part(strategy, "rollingUpdate"), "spec.updateStrategy.rollingUpdate"));
  }
  return errors;
}

function jobSpecErrors(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const counts = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];
  for (const field of counts) errors.push(...notNegative(`${path}.${field}`, spec[field]));
  const template = part(spec, "template");
  const podSpec = part(template, "spec");
  errors.push(...podSpecErrors(podSpec, `${path}.template.spec`));
  const policy = textOf(podSpec["restartPolicy"]);
  if (policy === "Always") {
    errors.push(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  }
  errors.push(...oneOf(`${path}.completionMode`, spec["completionMode"], ["NonIndexed", "Indexed"]));
  return errors;
}

export function validateJob(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors = jobSpecErrors(spec, "spec");
  const selector = spec["selector"] as JsonObject | undefined;
  if (selector === undefined) errors.push(required("spec.selector"));
  return errors;
}

export function validateJobUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const after = part(object, "spec");
  const before = part(old, "spec");
  const errors: FieldError[] = [];
  const elastic = after["completionMode"] === "Indexed" && after["completions"] === after["parallelism"];
  if (!elastic) errors.push(...unchanged("spec.completions", after["completions"], before["completions"]));
  errors.push(...unchanged("spec.selector", after["selector"], before["selector"]));
  // A suspended Job that never ran may change how its Pods are placed.
  const neverRan = before["suspend"] === true && part(old, "status")["startTime"] === undefined;
  if (!neverRan && conditionOf(old, "Suspended")?.["status"] !== "True") {
    const template = part(after, "template");
    if (!equalJson(template, before["template"])) {
      const printed = toInternalForm("core/v1.PodTemplateSpec", template);
      errors.push(invalidValue("spec.template", printed, "field is immutable"));
    }
  }
  errors.push(...unchanged("spec.completionMode", after["completionMode"], before["completionMode"]));
  return errors;
}

export function validateCronJob(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors: FieldError[] = [];
  const schedule = textOf(spec["schedule"]);
  if (schedule === "") errors.push(required("spec.schedule"));
  else {
    const problem = cronProblem(schedule);
    if (problem !== undefined) errors.push(invalidValue("spec.schedule", schedule, problem));
  }
  errors.push(...oneOf("spec.concurrencyPolicy", spec["concurrencyPolicy"], ["Allow", "Forbid", "Replace"]));
  for (const field of ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"]) {
    errors.push(...notNegative(`spec.${field}`, spec[field]));
  }
  errors.push(...jobSpecErrors(part(part(spec, "jobTemplate"), "spec"), "spec.jobTemplate.spec"));
  return errors;
}

export function validateAutoscaler(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors: FieldError[] = [];
  const min = spec["minReplicas"];
  const max = Number(spec["maxReplicas"] ?? 0);
  if (typeof min === "number" && min < 1) {
    errors.push(invalidValue("spec.minReplicas", min, "must be greater than or equal to 1"));
  }
  if (max < 1) errors.push(invalidValue("spec.maxReplicas", max, "must be greater than 0"));
  if (typeof min === "number" && max < min) {
    errors.push(invalidValue("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`"));
  }
  const target = part(spec, "scaleTargetRef");
  if (textOf(target["kind"]) === "") errors.push(required("spec.scaleTargetRef.kind"));
  if (textOf(target["name"]) === "") errors.push(required("spec.scaleTargetRef.name"));
  return errors;
}

export function validateDisruptionBudget(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors: FieldError[] = [
    ...intOrPercentErrors("spec.minAvailable", spec["minAvailable"]),
    ...intOrPercentErrors("spec.maxUnavailable", spec["maxUnavailable"]),
    ...selectorErrors(spec["selector"], "spec.selector"),
  ];
  if (spec["minAvailable"] !== undefined && spec["maxUnavailable"] !== undefined) {
    const printed = toInternalForm("policy/v1.PodDisruptionBudgetSpec", spec);
    errors.push(invalidValue("spec", printed, "minAvailable and maxUnavailable cannot be both set"));
  }
  return errors;
}
