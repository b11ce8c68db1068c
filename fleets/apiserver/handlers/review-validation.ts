// What a question about access must be made of, as the reference checks it.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";

function wrong(field: string, value: string, why: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${value}: ${why}` };
}

/** What is wrong with a review of access. `namespace` is the one of the path, for the kind that has one. */
export function checkAccessReview(review: KubeObject, namespace: string | undefined): readonly FieldError[] {
  const spec = isObject(review["spec"]) ? review["spec"] : {};
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const errors: FieldError[] = [];
  if (isObject(resource) && isObject(path)) {
    const why = "cannot be specified in combination with resourceAttributes";
    errors.push(wrong("spec.nonResourceAttributes", printPath(path), why));
  }
  if (!isObject(resource) && !isObject(path)) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(wrong("spec.resourceAttributes", "null", why));
  }
  if (isObject(resource)) {
    errors.push(...checkSelector(resource["fieldSelector"], "spec.resourceAttributes.fieldSelector"));
    errors.push(...checkSelector(resource["labelSelector"], "spec.resourceAttributes.labelSelector"));
  }
  if (review.kind === "SelfSubjectAccessReview") return errors;
  const groups = Array.isArray(spec["groups"]) ? spec["groups"] : [];
  if ((spec["user"] ?? "") === "" && groups.length === 0)
    errors.push(wrong("spec.user", '""', "at least one of user or group must be specified"));
  if (review.kind !== "LocalSubjectAccessReview") return errors;
  if (isObject(resource) && resource["namespace"] !== namespace) {
    const given = JSON.stringify(resource["namespace"] ?? "");
    errors.push(wrong("spec.resourceAttributes.namespace", given, "must match metadata.namespace"));
  }
  if (isObject(path)) {
    errors.push(wrong("spec.nonResourceAttributes", printPath(path), "disallowed on this kind of request"));
  }
  return errors;
}

/** As Go prints the attributes of a path. */
function printPath(path: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ Path: path["path"] ?? "", Verb: path["verb"] ?? "" });
}

function checkSelector(selector: unknown, field: string): FieldError[] {
  if (!isObject(selector)) return [];
  const raw = selector["rawSelector"] ?? "";
  const requirements = Array.isArray(selector["requirements"]) ? selector["requirements"] : [];
  if (raw !== "" && requirements.length > 0)
    return [wrong(`${field}.rawSelector`, JSON.stringify(raw), "may not specified at the same time as requirements")];
  if (raw === "" && requirements.length === 0) {
    return [
      {
        reason: "FieldValueRequired",
        field: `${field}.requirements`,
        message: "Required value: when rawSelector is not specified, requirements must be specified",
      },
    ];
  }
  return [];
}
