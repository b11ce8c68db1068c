// Pieces of table cells that several kinds share.
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";

export function part(object: KubeObject | JsonObject, name: string): JsonObject {
  const value = (object as JsonObject)[name];
  return isObject(value) ? (value as JsonObject) : {};
}

/** A list of objects; anything else is no items. */
export function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject).map((item) => item as JsonObject) : [];
}

export function textOf(value: unknown, absent = ""): string {
  return value === undefined || value === null || value === "" ? absent : String(value);
}

export function numberOf(value: unknown, absent = 0): number {
  return typeof value === "number" ? value : absent;
}

export const NONE = "<none>";
export const UNSET = "<unset>";

/** `a=b,c=d` with sorted keys, `<none>` for none. */
export function labelsText(labels: unknown): string {
  if (!isObject(labels)) return NONE;
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.join(",");
}

/** A label selector in the text form of selectors, `<none>` for one that selects everything. */
export function selectorText(selector: unknown): string {
  if (!isObject(selector)) return NONE;
  const parts: (readonly [key: string, text: string])[] = [];
  for (const [key, value] of Object.entries(part(selector as JsonObject, "matchLabels"))) {
    parts.push([key, `${key}=${value}`]);
  }
  for (const expression of listOf((selector as JsonObject)["matchExpressions"])) {
    parts.push([String(expression["key"]), expressionText(expression)]);
  }
  if (parts.length === 0) return NONE;
  parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parts.map(([, text]) => text).join(",");
}

function expressionText(expression: JsonObject): string {
  const key = String(expression["key"]);
  const values = [...((expression["values"] ?? []) as string[])].sort().join(",");
  switch (expression["operator"]) {
    case "In":
      return `${key} in (${values})`;
    case "NotIn":
      return `${key} notin (${values})`;
    case "Exists":
      return key;
    default:
      return `!${key}`;
  }
}

/** Names and images of a Pod template's containers. */
export function containerCells(template: JsonObject): [names: string, images: string] {
  const containers = listOf(part(template, "spec")["containers"]);
  return [
    containers.map((container) => textOf(container["name"])).join(","),
    containers.map((container) => textOf(container["image"])).join(","),
  ];
}

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** `RWO,ROX`, each mode once, in the order in which they are printed. */
export function accessModesText(modes: unknown): string {
  const given = Array.isArray(modes) ? modes : [];
  return Object.entries(ACCESS_MODES)
    .filter(([mode]) => given.includes(mode))
    .map(([, text]) => text)
    .join(",");
}

export function conditionOf(object: KubeObject | JsonObject, type: string): JsonObject | undefined {
  return listOf(part(object, "status")["conditions"]).find((condition) => condition["type"] === type);
}
