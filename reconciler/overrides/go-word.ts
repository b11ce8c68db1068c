import { isObject } from "../../kube/object.ts";

/**
 * A word of a command as Karmada takes it. API servers refuse lists with anything but texts in their own kinds; for what
 * custom resources hold, Go's formatting of a text that is none is the rule.
 */
export function goWord(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(goWord).join(" ")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    return `map[${keys.map((key) => `${key}:${goWord(value[key])}`).join(" ")}]`;
  }
  switch (typeof value) {
    case "boolean":
      return `%!s(bool=${value})`;
    case "number":
      return Number.isInteger(value) ? `%!s(int64=${value})` : `%!s(float64=${goFloat(value)})`;
    default:
      return "%!s(<nil>)";
  }
}

/** The shortest digits, with an exponent where it is under -4 or over 5. */
function goFloat(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
