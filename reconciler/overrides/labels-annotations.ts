import type { LabelAnnotationOverrider } from "../../api/policy.ts";
import { isObject } from "../../kube/object.ts";
import type { Draft } from "./draft.ts";

/** Adds, replaces or removes labels or annotations of the object itself, not of its pods. */
export function overrideLabels(
  draft: Draft,
  field: "labels" | "annotations",
  { operator, value }: LabelAnnotationOverrider,
): void {
  const keys = Object.keys(value ?? {}).sort();
  // An override may have taken the metadata away, or made something else of it.
  const metadata: unknown = draft.object.metadata;
  if (metadata != null && !isObject(metadata)) return;
  const current = textsOf(metadata?.[field]);
  if (operator === "add" && metadata == null && keys.length > 0) draft.set(["metadata"], {});
  if (operator === "add" && current === undefined && keys.length > 0) draft.set(["metadata", field], {});
  for (const key of keys) {
    if (operator !== "add" && (current === undefined || !Object.hasOwn(current, key))) continue;
    // As Karmada: a tilde is not escaped. The admission of policies keeps it out of keys.
    const path = `/metadata/${field}/${key.replaceAll("/", "~1")}`;
    // The listed value does not matter for a removal.
    draft.patch(operator === "remove" ? { op: operator, path } : { op: operator, path, value: value[key] });
  }
}

// A map with anything but texts in it counts as none, as it does for programs that decode it.
function textsOf(map: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(map) && Object.values(map).every((value) => typeof value === "string") ? map : undefined;
}
