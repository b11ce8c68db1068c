// Defaults of workloads and autoscalers that look at more than one field.
import type { JsonObject } from "../../../kube/object.ts";

function labelsOf(owner: JsonObject): JsonObject | undefined {
  const metadata = owner["metadata"] as JsonObject | undefined;
  return metadata?.["labels"] as JsonObject | undefined;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || Object.keys(value).length === 0;
}

/** Labels and selector come from the template where they are not given. */
export function fillReplicationController(controller: JsonObject): void {
  const spec = controller["spec"] as JsonObject;
  const template = spec["template"] as JsonObject | undefined;
  const labels = template === undefined || template === null ? undefined : labelsOf(template);
  if (labels === undefined) return;
  if (isEmpty(spec["selector"])) spec["selector"] = { ...labels };
  takeLabels(controller, labels);
}

function takeLabels(owner: JsonObject, labels: JsonObject): void {
  const metadata = owner["metadata"] as JsonObject;
  if (isEmpty(metadata["labels"])) metadata["labels"] = { ...labels };
}

export function fillJob(job: JsonObject): void {
  const spec = job["spec"] as JsonObject;
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) spec["completions"] = 1;
  spec["parallelism"] ??= 1;
  spec["backoffLimit"] ??= spec["backoffLimitPerIndex"] === undefined ? 6 : 2147483647;
  spec["completionMode"] ??= "NonIndexed";
  spec["suspend"] ??= false;
  spec["manualSelector"] ??= false;
  spec["podReplacementPolicy"] ??= spec["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed";
}

export function fillJobSpecLabels(job: JsonObject): void {
  const template = (job["spec"] as JsonObject)["template"] as JsonObject;
  const labels = labelsOf(template);
  if (labels !== undefined) takeLabels(job, labels);
}

/** The rules of scaling that apply when a behavior is given but not in full. */
export function fillHpaBehavior(spec: JsonObject): void {
  const behavior = spec["behavior"] as JsonObject | undefined;
  if (behavior === undefined) return;
  const up = {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  };
  const down = { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] };
  behavior["scaleUp"] = { ...up, ...present(behavior["scaleUp"]) };
  behavior["scaleDown"] = { ...down, ...present(behavior["scaleDown"]) };
}

function present(rules: unknown): JsonObject {
  const given = { ...(rules as JsonObject | undefined) };
  if (Array.isArray(given["policies"]) && given["policies"].length === 0) delete given["policies"];
  return given;
}
