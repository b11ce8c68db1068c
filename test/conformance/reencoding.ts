// Karmada decodes a template into its Go type to aggregate its status, and encodes it again. Only the status is then
// written, but the recorded objects show the other traces of it. We leave everything but the status alone.
import { isObject } from "../../kube/object.ts";
import { canonicalQuantity, tryParseQuantity } from "../../kube/quantity.ts";
import { differences } from "./compare.ts";
import type { Comparable } from "./karmada-cases.ts";

const RESOURCE_LISTS: readonly string[] = ["requests", "limits", "overhead", "capacity"];
const DEVIATION = "the template beside its status is left as its author wrote it, not re-encoded";

/** Compares `<key>.status` (none and an empty one are the same), and the rest of the object under `key` up to what re-encoding changes. */
export function sameButForEncoding(key: string, expected: unknown, actual: unknown): Comparable {
  if (!isObject(expected) || !isObject(actual)) return { expected, actual };
  const want = expected[key];
  const got = actual[key];
  if (!isObject(want) || !isObject(got)) return { expected, actual };
  const { status: wantStatus, ...wantRest } = want;
  const { status: gotStatus, ...gotRest } = got;
  const comparable = {
    expected: { ...expected, [key]: { ...asObject(canonical(wantRest)), status: unlessEmpty(wantStatus) } },
    actual: { ...actual, [key]: { ...asObject(canonical(gotRest)), status: unlessEmpty(gotStatus) } },
  };
  return differences(want, got).length === 0 ? comparable : { ...comparable, deviates: DEVIATION };
}

// A Go type writes its status even when there is nothing in it, and leaves out lists and texts with nothing in them.
function unlessEmpty(status: unknown): unknown {
  if (!isObject(status)) return status;
  const filled = Object.entries(status).filter(
    ([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0),
  );
  return filled.length === 0 ? undefined : Object.fromEntries(filled);
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** Without empty objects, lists and texts, and with quantities of resource lists in canonical form. */
function canonical(value: unknown, inResources = false): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => canonical(item));
  if (isObject(value)) {
    const entries = Object.entries(value)
      .map(([key, inner]) => [key, canonical(inner, inResources || RESOURCE_LISTS.includes(key))])
      .filter(([, inner]) => inner !== undefined);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  if (value === "" || value === null) return undefined;
  if (inResources && (typeof value === "string" || typeof value === "number")) {
    return tryParseQuantity(String(value)) === undefined ? value : canonicalQuantity(String(value));
  }
  return value;
}
