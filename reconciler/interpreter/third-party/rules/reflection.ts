// What is collected of a copy in a member cluster.

import type { KubeObject } from "../../../../kube/object.ts";
import { TEMPLATE_GENERATION_ANNOTATION } from "../../../works/metadata-keys.ts";
import { type Fields, fieldsAt, optionalFieldsAt } from "../../field-access.ts";
import type { Status } from "../../interpreter.ts";
import { withoutEmpties } from "./empties.ts";
import { numberOfText } from "./numbers.ts";

/** A rule that collects these fields of the status, those that are there; an empty status for an object without one. */
export function reflecting(fields: readonly string[]): (object: KubeObject) => Status {
  return (object) => {
    const status = optionalFieldsAt(object, "status");
    return status === undefined ? {} : picked(status, fields);
  };
}

/**
 * As `reflecting`, and with it `generation` (the copy's own) and `resourceTemplateGeneration` (that of the template it
 * was made from), by which the aggregation tells who has caught up.
 */
export function reflectingWithGenerations(fields: readonly string[]): (object: KubeObject) => Status {
  return (object) => {
    const status = optionalFieldsAt(object, "status");
    return status === undefined ? {} : { ...picked(status, fields), ...generationsOf(object) };
  };
}

/** `generation` and `resourceTemplateGeneration` of a copy, those that are known. */
export function generationsOf(object: KubeObject): Fields {
  // Objects in files that people check their rules with may lack metadata.
  const { generation } = fieldsAt(object, "metadata");
  const written = fieldsAt(object, "metadata", "annotations")[TEMPLATE_GENERATION_ANNOTATION];
  const resourceTemplateGeneration = typeof written === "string" ? numberOfText(written) : numberOrNone(written);
  return {
    ...(typeof generation !== "number" ? {} : { generation }),
    ...(resourceTemplateGeneration === undefined ? {} : { resourceTemplateGeneration }),
  };
}

// An annotation is a text, but for files whose author left the quotes away.
function numberOrNone(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function picked(status: Fields, fields: readonly string[]): Fields {
  // A copy of an object is one.
  return withoutEmpties(Object.fromEntries(fields.map((field) => [field, status[field]]))) as Fields;
}
