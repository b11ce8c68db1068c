// The JSON schema of scenario files, for editors: deploy/schemas/fleet-scenario.schema.json.
import { z } from "zod";
import { isObject } from "../kube/object.ts";
import { fleetScenarioSchema } from "./fleet-scenario.ts";

type JsonSchema = Record<string, unknown>;

/** Draft 7, which every editor knows. What it cannot say is told by `flaghoist fleet validate`. */
export function fleetScenarioJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fleetScenarioSchema, { target: "draft-7", io: "input", unrepresentable: "any" });
  return { ...simplified(schema as JsonSchema), title: "FleetScenario" };
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
