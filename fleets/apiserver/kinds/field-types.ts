// Type models of the built-in definitions, for field ownership and strategic merge. Built once for all kinds.
import { fieldTypeFromSchema, type SchemaNode } from "../../../kube/fields/structural.ts";
import { DEDUCED, type FieldType } from "../../../kube/fields/type.ts";
import { definitionName, schemaOf } from "./tables.ts";

/** Embedded objects of any kind are owned as one value. */
const RAW_EXTENSION: SchemaNode = { type: "object", "x-kubernetes-map-type": "atomic" };

function resolveRef(ref: string): SchemaNode | undefined {
  if (ref === "io.k8s.apimachinery.pkg.runtime.RawExtension") return RAW_EXTENSION;
  // Tables name definitions bare; the rows are JSON schemas.
  return schemaOf(ref) as SchemaNode | undefined;
}

const types = new Map<string, FieldType>();

/** The type model of a table type such as `apps/v1.Deployment`. */
export function fieldTypeOf(typeName: string): FieldType {
  let type = types.get(typeName);
  if (type === undefined) {
    const schema = resolveRef(definitionName(typeName));
    type = schema === undefined ? DEDUCED : fieldTypeFromSchema(schema, { resolveRef });
    types.set(typeName, type);
  }
  return type;
}

/** The type model of `metadata`, for custom resources. */
export function metadataType(): FieldType {
  return fieldTypeOf("meta/v1.ObjectMeta");
}
