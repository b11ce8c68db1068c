// Whether an object still is what an apply of ours made of a manifest, told from the claims that the server keeps on it.
import { equalJson, isObject, type JsonObject, type KubeObject } from "../kube/object.ts";
import { equalQuantities, tryParseQuantity } from "../kube/quantity.ts";
import { FIELD_MANAGER } from "./member.ts";

/**
 * Whether everything that `manifest` says is ours in `live` and is as it says, and we claim nothing else. To be asked only
 * for a manifest that is known to have been applied: what the server has added inside a value of ours (defaults of a list
 * that is replaced as a whole) is then its doing, since whoever else changes a value takes our claim on it.
 */
export function isStillAsApplied(manifest: KubeObject, live: KubeObject): boolean {
  const claim = live.metadata.managedFields?.find(
    (entry) => entry.manager === FIELD_MANAGER && entry.operation === "Apply" && (entry.subresource ?? "") === "",
  );
  if (claim?.fieldsV1 === undefined || claim.apiVersion !== manifest.apiVersion) return false;
  const { apiVersion: _apiVersion, kind: _kind, ...fields } = manifest;
  const { name: _name, namespace: _namespace, ...metadata } = manifest.metadata;
  return isClaimed(claim.fieldsV1, { ...fields, metadata }, live);
}

function isClaimed(claims: JsonObject, wanted: unknown, actual: unknown): boolean {
  const keys = Object.keys(claims).filter((key) => key !== ".");
  if (keys.length === 0) return holds(wanted, actual);
  if (isObject(wanted)) return isObject(actual) && isMapClaimed(claims, keys, wanted, actual);
  return Array.isArray(wanted) && Array.isArray(actual) && isListClaimed(claims, keys, wanted, actual);
}

function isMapClaimed(
  claims: JsonObject,
  keys: readonly string[],
  wanted: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): boolean {
  let count = 0;
  for (const field in wanted) {
    const value = wanted[field];
    if (value === undefined || value === null) continue;
    const claim = claims[`f:${field}`];
    // An empty map may leave no trace: labels do not.
    if (claim === undefined && isEmpty(value)) continue;
    if (!isObject(claim)) return false;
    count++;
    if (isEmpty(value) && actual[field] === undefined) continue;
    // Claims hold claims.
    if (!Object.hasOwn(actual, field) || !isClaimed(claim as JsonObject, value, actual[field])) return false;
  }
  return count === keys.length;
}

function isListClaimed(
  claims: JsonObject,
  keys: readonly string[],
  wanted: readonly unknown[],
  actual: readonly unknown[],
): boolean {
  if (keys.length !== wanted.length) return false;
  const free = new Set(wanted);
  for (const key of keys) {
    const claim = claims[key];
    if (!isObject(claim)) return false;
    const sought: unknown = key.startsWith("i:") ? undefined : JSON.parse(key.slice(2));
    switch (key.slice(0, 2)) {
      case "v:":
        if (![wanted, actual].every((list) => list.some((item) => equalJson(item, sought)))) return false;
        break;
      case "k:": {
        if (!isObject(sought)) return false;
        const item = actual.find((each) => hasKeys(each, sought));
        const own = [...free].find((each) => hasKeys(each, sought)) ?? [...free].find((each) => mayHave(each, sought));
        if (own === undefined || item === undefined) return false;
        free.delete(own);
        // Claims hold claims.
        if (!isClaimed(claim as JsonObject, own, item)) return false;
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

function hasKeys(item: unknown, keys: Readonly<Record<string, unknown>>): boolean {
  return isObject(item) && Object.keys(keys).every((key) => equalJson(item[key], keys[key]));
}

/** Keys that a manifest leaves out have defaults: a port's protocol. */
function mayHave(item: unknown, keys: Readonly<Record<string, unknown>>): boolean {
  return isObject(item) && Object.keys(keys).every((key) => item[key] === undefined || equalJson(item[key], keys[key]));
}

/** Whether `actual` has all of `wanted`; lists are of one length. */
function holds(wanted: unknown, actual: unknown): boolean {
  if (wanted === undefined || wanted === null) return true;
  if (Array.isArray(wanted))
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, index) => holds(item, actual[index]))
    );
  if (isObject(wanted)) return isObject(actual) && Object.keys(wanted).every((key) => holds(wanted[key], actual[key]));
  return wanted === actual || isSameQuantity(wanted, actual);
}

/** Servers write `1000m` as `1`. */
function isSameQuantity(wanted: unknown, actual: unknown): boolean {
  const [a, b] = [wanted, actual].map((value) =>
    typeof value === "string" || typeof value === "number" ? tryParseQuantity(String(value)) : undefined,
  );
  return a !== undefined && b !== undefined && equalQuantities(a, b);
}

function isEmpty(map: unknown): boolean {
  return isObject(map) && Object.values(map).every((value) => value === undefined || value === null);
}
