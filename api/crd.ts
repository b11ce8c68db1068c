// Turns our schemas into CustomResourceDefinitions: JSON Schema first, then what Kubernetes wants to be different.
import { z } from "zod";
import { isObject, type KubeObject } from "../kube/object.ts";
import { KINDS, type KindDefinition } from "./kinds.ts";

type JsonSchema = Record<string, unknown>;

/** The definitions of every kind of `KINDS`, to be installed in an API server. Shared: copy before changing. */
export function karmadaCrds(): readonly KubeObject[] {
  definitions ??= KINDS.map(customResourceDefinition);
  return definitions;
}

// Building them takes some milliseconds, and not every command needs them.
let definitions: readonly KubeObject[] | undefined;

export function customResourceDefinition(definition: KindDefinition): KubeObject {
  const { group, version, kind, plural, scope, shortNames, categories, columns, hasStatus } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        ...(categories.length > 0 && { categories: [...categories] }),
        kind,
        listKind: `${kind}List`,
        plural,
        ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
        singular: kind.toLowerCase(),
      },
      scope,
      versions: [
        {
          ...(columns.length > 0 && { additionalPrinterColumns: columns.map((column) => ({ ...column })) }),
          name: version,
          schema: { openAPIV3Schema: structuralSchema(definition) },
          served: true,
          storage: true,
          ...(hasStatus && { subresources: { status: {} } }),
        },
      ],
    },
  };
}

/** The structural OpenAPI schema of a kind. */
export function structuralSchema(definition: Pick<KindDefinition, "schema">): JsonSchema {
  const schema = z.toJSONSchema(definition.schema, { target: "openapi-3.0", io: "input", unrepresentable: "any" });
  const root = toStructural(schema);
  const properties = isObject(root["properties"]) ? root["properties"] : {};
  const { required, ...rest } = root;
  // The API server sees to these three itself.
  const own = ["apiVersion", "kind", "metadata"];
  const needed = Array.isArray(required) ? required.filter((field) => !own.includes(field)) : [];
  return ordered({
    ...rest,
    properties: ordered({
      ...properties,
      apiVersion: { description: "Group and version of the kind, as group/version.", type: "string" },
      kind: { description: "The kind.", type: "string" },
      metadata: { type: "object" },
    }),
    ...(needed.length > 0 && { required: needed }),
  });
}

function toStructural(node: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties, required, ...rest } = node;
  const preserved = rest["x-kubernetes-preserve-unknown-fields"] === true;
  const result: JsonSchema = { ...rest };
  if (rest["x-kubernetes-int-or-string"] === true) result["anyOf"] = [{ type: "integer" }, { type: "string" }];
  // Numbers of ours are bounded by what JavaScript can hold; that is no rule for users.
  if (rest["minimum"] === Number.MIN_SAFE_INTEGER) delete result["minimum"];
  if (rest["maximum"] === Number.MAX_SAFE_INTEGER) delete result["maximum"];
  // JavaScript escapes the slash of its own regular expressions.
  if (typeof rest["pattern"] === "string") result["pattern"] = rest["pattern"].replaceAll("\\/", "/");
  if (isObject(properties)) {
    result["properties"] = ordered(
      Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, isObject(child) ? toStructural(child) : child]),
      ),
    );
  }
  if (isObject(items)) result["items"] = toStructural(items);
  if (isObject(additionalProperties) && !preserved) result["additionalProperties"] = toStructural(additionalProperties);
  if (Array.isArray(required) && required.length > 0) result["required"] = [...required].sort();
  return ordered(result);
}

function ordered(node: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)));
}
