// JSON schemas of our files, for editors and other programs: deploy/schemas.
import { z } from "zod";
import { isObject } from "../kube/object.ts";

type JsonSchema = Record<string, unknown>;

/** Draft 7, which every editor knows; of what is read (`input`) or written (`output`). */
export function jsonSchemaOf(schema: z.ZodType, title: string, io: "input" | "output" = "input"): JsonSchema {
  const converted = z.toJSONSchema(schema, { target: "draft-7", io, unrepresentable: "any" });
  return { ...simplified(converted as JsonSchema), title };
}

function simplified(node: JsonSchema): JsonSchema {
  const { propertyNames, ...rest } = node;
  // Every key of a JSON object is text.
  if (propertyNames !== undefined && JSON.stringify(propertyNames) !== '{"type":"string"}')
    rest["propertyNames"] = propertyNames;
  // Numbers of ours are bounded by what JavaScript can hold; that is no rule for users.
  if (rest["minimum"] === Number.MIN_SAFE_INTEGER) delete rest["minimum"];
  if (rest["maximum"] === Number.MAX_SAFE_INTEGER) delete rest["maximum"];
  // Words for our definitions of kinds, which no editor knows.
  for (const key of Object.keys(rest)) if (key.startsWith("x-kubernetes-")) delete rest[key];
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, simplifiedValue(value)]));
}

function simplifiedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplifiedValue);
  return isObject(value) ? simplified(value) : value;
}
