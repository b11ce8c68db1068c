// Validation of smaller kinds: leases, classes, revisions, quotas.
import { checkDnsLabel, checkDnsSubdomain } from "../../../kube/names.ts";
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { parseQuantity, quantitySign } from "../../../kube/quantity.ts";
import type { FieldError } from "../registry/kind.ts";
import { part, textOf } from "./cell-values.ts";
import { forbiddenValue, invalidValue, notNegative, problems, required, unchanged } from "./field-errors.ts";
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
