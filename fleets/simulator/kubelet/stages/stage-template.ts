// Templates of stages. Pure.
import { compileJsonPath } from "../../../../kube/jsonpath.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";

/** What stands between `$(` and `)`. Paths may hold parentheses of their own, as filters do. */
const REFERENCE = /\$\(((?:[^()]|\([^()]*\))*)\)/g;

/**
 * The template with its references replaced: `$(now)` by the time, `$(.a.path)` by what is there. A text that is one
 * reference becomes its value whatever type it has; in longer texts values are written out. Nothing at a path is nothing.
 */
export function renderTemplate(template: unknown, object: KubeObject, now: string): unknown {
  if (Array.isArray(template)) return template.map((each: unknown) => renderTemplate(each, object, now));
  if (isObject(template))
    return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, renderTemplate(each, object, now)]));
  if (typeof template !== "string") return template;
  const whole = new RegExp(`^${REFERENCE.source}$`).exec(template);
  if (whole !== null) return referenced(whole[1] ?? "", object, now);
  return template.replace(REFERENCE, (_text, reference: string) => {
    const value = referenced(reference, object, now);
    return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  });
}

function referenced(reference: string, object: KubeObject, now: string): unknown {
  return reference.trim() === "now" ? now : compileJsonPath(reference).find(object)[0];
}

/**
 * A status with a patch merged into it: objects key by key, null removes; lists whose items all have a `type`, or a
 * `name`, item by item; other lists as a whole. A condition whose status changes gets the time of the transition.
 */
export function mergeStatus(status: unknown, patch: unknown, now: string): unknown {
  if (Array.isArray(patch)) return mergeList(Array.isArray(status) ? status : [], patch, now);
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(status) ? { ...status } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete merged[key];
    else merged[key] = mergeStatus(merged[key], value, now);
  }
  return merged;
}

function mergeList(present: readonly unknown[], patch: readonly unknown[], now: string): unknown[] {
  const key = ["type", "name"].find((name) => patch.every((each) => isObject(each) && each[name] !== undefined));
  if (key === undefined) return [...patch];
  const merged = [...present];
  for (const item of patch) {
    // All items are objects that have the key.
    const { [key]: id } = item as Record<string, unknown>;
    const index = merged.findIndex((each) => isObject(each) && each[key] === id);
    const before = merged[index];
    const after = withTransition(before, mergeStatus(before, item, now), key, now);
    if (index < 0) merged.push(after);
    else merged[index] = after;
  }
  return merged;
}

function withTransition(before: unknown, after: unknown, key: string, now: string): unknown {
  if (key !== "type" || !isObject(after) || after["status"] === undefined) return after;
  const isSame = isObject(before) && before["status"] === after["status"] && before["lastTransitionTime"] !== undefined;
  return isSame ? after : { ...after, lastTransitionTime: now };
}
