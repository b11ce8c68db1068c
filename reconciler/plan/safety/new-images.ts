// Images that a change brings: in files, or by what overrides make of them.
import { type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { imagesOf } from "./pods.ts";
import type { ReviewedChange } from "./reviewed-change.ts";

export interface NewImage {
  readonly ref: ObjectRef;
  readonly field: string;
  readonly image: string;
  /** Whose copies have it; none when the object is placed nowhere. */
  readonly clusters: readonly string[];
}

/** One entry for each image of a container that was not there before. */
export function newImages({ before, after, plan, desired }: ReviewedChange): readonly NewImage[] {
  const found = new Map<string, { ref: ObjectRef; field: string; image: string; clusters: string[] }>();
  const add = (ref: ObjectRef, field: string, image: string, cluster?: string): void => {
    const key = `${refKey(ref)}\n${field}\n${image}`;
    const one = found.get(key) ?? { ref, field, image, clusters: [] };
    if (cluster !== undefined) one.clusters.push(cluster);
    found.set(key, one);
  };
  for (const { object, cluster, change } of plan.changes) {
    if (change === "deleted") continue;
    const [old, fresh] = [before, after].map(({ outcomes }) =>
      outcomes.get(refKey(object))?.copies.find((copy) => copy.cluster === cluster),
    );
    // What comes from another cluster is not new.
    const elsewhere = old === undefined ? (before.outcomes.get(refKey(object))?.copies ?? []) : [old];
    const known = new Set(elsewhere.flatMap(({ manifest }) => imagesOf(manifest)).map(({ image }) => image));
    for (const { field, image } of fresh === undefined ? [] : imagesOf(fresh.manifest))
      if (!known.has(image)) add(object, field, image, cluster);
  }
  for (const { object, before: old } of desired) {
    const ref = refOf(object);
    if ((after.outcomes.get(refKey(ref))?.copies.length ?? 0) > 0) continue;
    const known = new Set(old === undefined ? [] : imagesOf(old).map(({ image }) => image));
    for (const { field, image } of imagesOf(object)) if (!known.has(image)) add(ref, field, image);
  }
  return [...found.values()];
}
