// Validation of smaller kinds: leases, classes, revisions, quotas, webhook configurations.
import { checkDnsLabel, checkDnsSubdomain } from "../../../kube/names.ts";
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { parseQuantity, quantitySign } from "../../../kube/quantity.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { forbiddenValue, invalidValue, notNegative, oneOf, problems, required, unchanged } from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { diffValues } from "./line-diff.ts";
import { longRunningTemplateErrors, podSpecErrors } from "./validate-pods.ts";

export function validateReplicationController(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const errors = notNegative("spec.replicas", spec["replicas"]);
  const selector = part(spec, "selector");
  if (Object.keys(selector).length === 0) errors.push(required("spec.selector"));
  const template = spec["template"];
  if (template === undefined || template === null) return [...errors, required("spec.template")];
  const labels = part(part(part(spec, "template"), "metadata"), "labels");
  if (Object.entries(selector).some(([key, value]) => labels[key] !== value)) {
    errors.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  return [...errors, ...longRunningTemplateErrors(part(spec, "template"), "spec.template")];
}

export function validatePodTemplate(object: KubeObject): FieldError[] {
  return podSpecErrors(part(part(object, "template"), "spec"), "template.spec");
}

export function validateLease(lease: KubeObject): FieldError[] {
  const spec = part(lease, "spec");
  const duration = spec["leaseDurationSeconds"];
  const errors = notNegative("spec.leaseTransitions", spec["leaseTransitions"]);
  if (typeof duration === "number" && duration <= 0) {
    errors.unshift(invalidValue("spec.leaseDurationSeconds", duration, "must be greater than 0"));
  }
  return errors;
}

export function validateControllerRevision(object: KubeObject): FieldError[] {
  const errors = notNegative("revision", object["revision"] as number);
  return object["data"] === null ? [required("data", "data is mandatory"), ...errors] : errors;
}

export function validateControllerRevisionUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  return unchanged("data", object["data"] as JsonObject, old["data"] as JsonObject);
}

export function validateRuntimeClass(object: KubeObject): FieldError[] {
  const handler = textOf(object["handler"]);
  return problems("handler", handler, checkDnsLabel(handler));
}

export function validateRuntimeClassUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  return unchanged("handler", textOf(object["handler"]), textOf(old["handler"]));
}

export function validateIngressClass(object: KubeObject): FieldError[] {
  const controller = textOf(part(object, "spec")["controller"]);
  if (controller === "") return [required("spec.controller")];
  if (controller.length > 250) {
    return [
      { reason: "FieldValueTooLong", field: "spec.controller", message: "Too long: may not be more than 250 bytes" },
    ];
  }
  const slash = controller.indexOf("/");
  if (slash > 0 && slash < controller.length - 1 && checkDnsSubdomain(controller.slice(0, slash)).length === 0)
    return [];
  return [invalidValue("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
}

export function validateIngressClassUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const controller = textOf(part(object, "spec")["controller"]);
  return unchanged("spec.controller", controller, textOf(part(old, "spec")["controller"]));
}

export function validateResourceQuota(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, quantity] of Object.entries(part(part(object, "spec"), "hard"))) {
    if (quantitySign(parseQuantity(String(quantity))) >= 0) continue;
    errors.push(invalidValue(`spec.hard[${name}]`, quantity, "must be greater than or equal to 0"));
  }
  return errors;
}

/** A volume stays what it was made of. */
export function validateVolumeUpdate(volume: KubeObject, old: KubeObject): FieldError[] {
  const type = "core/v1.PersistentVolumeSource";
  const after = toInternalForm(type, part(volume, "spec"));
  const before = toInternalForm(type, part(old, "spec"));
  const errors = unchanged("spec.volumeMode", part(volume, "spec")["volumeMode"], part(old, "spec")["volumeMode"]);
  if (equalJson(after, before)) return errors;
  const why = "spec.persistentvolumesource is immutable after creation";
  return [forbiddenValue("spec.persistentvolumesource", `${why}\n${diffValues(before, after)}`), ...errors];
}

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

export function validateWebhooks(object: KubeObject): FieldError[] {
  return listOf(object["webhooks"]).flatMap((webhook, index) => webhookErrors(webhook, `webhooks[${index}]`));
}

function webhookErrors(webhook: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const name = textOf(webhook["name"]);
  if (name === "") errors.push(required(`${path}.name`));
  else if (checkDnsSubdomain(name).length > 0) errors.push(...problems(`${path}.name`, name, checkDnsSubdomain(name)));
  else if (name.split(".").length < 3) {
    const why = "should be a domain with at least three segments separated by dots";
    errors.push(invalidValue(`${path}.name`, name, why));
  }
  errors.push(...oneOf(`${path}.failurePolicy`, webhook["failurePolicy"], ["Fail", "Ignore"]));
  errors.push(...oneOf(`${path}.matchPolicy`, webhook["matchPolicy"], ["Equivalent", "Exact"]));
  const effects = webhook["sideEffects"];
  if (effects === undefined || effects === null) {
    errors.push(required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun"));
  } else errors.push(...oneOf(`${path}.sideEffects`, effects, ["None", "NoneOnDryRun"]));
  const timeout = webhook["timeoutSeconds"];
  if (typeof timeout === "number" && (timeout < 1 || timeout > 30)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalidValue(`${path}.timeoutSeconds`, timeout, why));
  }
  const versions = webhook["admissionReviewVersions"];
  if (!Array.isArray(versions) || versions.length === 0) {
    errors.push(required(`${path}.admissionReviewVersions`, "must specify one of v1, v1beta1"));
  }
  const client = part(webhook, "clientConfig");
  if ((client["url"] === undefined) === (client["service"] === undefined)) {
    errors.push(required(`${path}.clientConfig`, "exactly one of url or service is required"));
  }
  for (const [index, rule] of listOf(webhook["rules"]).entries()) {
    errors.push(...webhookRuleErrors(rule, `${path}.rules[${index}]`));
  }
  return errors;
}

function webhookRuleErrors(rule: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["apiGroups", "apiVersions", "resources", "operations"]) {
    const values = rule[field];
    if (!Array.isArray(values) || values.length === 0) errors.push(required(`${path}.${field}`));
    else if (values.length > 1 && field !== "resources" && values.includes("*")) {
      errors.push(invalidValue(`${path}.${field}`, values, "if '*' is present, must not specify other values"));
    }
  }
  for (const [index, operation] of ((rule["operations"] ?? []) as string[]).entries()) {
    errors.push(...oneOf(`${path}.operations[${index}]`, operation, OPERATIONS));
  }
  return errors;
}
