// JSON merge patch (RFC 7386).
import { equalJson, setOwn } from "./object.ts";

/**
 * `target` with the patch merged in: null removes a key, lists are replaced. Shares unchanged parts; changes nothing.
 *
 * As Kubernetes: keys with null vanish also from objects inside a new list, which RFC 7386 would keep.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return Array.isArray(patch) ? patch.map(withoutNulls) : patch;
  let result: Record<string, unknown> = isMap(target) ? target : {};
  let copied = result !== target;
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change === undefined) continue;
    const exists = Object.hasOwn(result, key);
    const before = exists ? result[key] : undefined;
    if (change === null && !exists) continue;
    const after = change === null ? undefined : applyMergePatch(before, change);
    if (exists && after === before && change !== null) continue;
    if (!copied) {
      result = { ...result };
      copied = true;
    }
    if (change === null) delete result[key];
    else setOwn(result, key, after);
  }
  return result;
}

function withoutNulls(value: unknown): unknown {
  return typeof value === "object" && value !== null ? applyMergePatch(undefined, value) : value;
}

/**
 * The merge patch that turns `from` into `to`; undefined when they are equal. A null inside `to` cannot be said in a
 * merge patch and is lost.
 */
export function createMergePatch(from: unknown, to: unknown): unknown {
  if (from === to) return undefined;
  if (!isMap(from) || !isMap(to)) return equalJson(from, to) ? undefined : to;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) {
    if (from[key] !== undefined && (!Object.hasOwn(to, key) || to[key] === undefined)) setOwn(patch, key, null);
  }
  for (const key of Object.keys(to)) {
    const after = to[key];
    if (after === undefined) continue;
    const change = createMergePatch(Object.hasOwn(from, key) ? from[key] : undefined, after);
    if (change !== undefined) setOwn(patch, key, change);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
