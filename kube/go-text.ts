// Values as Go prints them, for messages whose text clients know.

const MAP = "map[string]interface {}";
const LIST = "[]interface {}";

/** A value in the form of `%v`: `map[a:1 b:[x y]]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isMap(value)) return String(value);
  const parts = sortedKeys(value).map((key) => `${key}:${goText(value[key])}`);
  return `map[${parts.join(" ")}]`;
}

/** A value in the form of `%#v`: `map[string]interface {}{"a":1}`. */
export function goSyntax(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `${LIST}{${value.map(goSyntax).join(", ")}}`;
  if (!isMap(value)) return String(value);
  const parts = sortedKeys(value).map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`);
  return `${MAP}{${parts.join(", ")}}`;
}

/** The type of decoded JSON in the form of `%T`. */
export function goType(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      if (value === null || value === undefined) return "<nil>";
      return Array.isArray(value) ? LIST : MAP;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function sortedKeys(value: Record<string, unknown>): string[] {
  return Object.keys(value).sort();
}
