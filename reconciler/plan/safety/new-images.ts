// Images that a change brings: in files, or by what overrides make of them.
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { onceEach } from "../../../runtime/once-each.ts";
import { changeKey } from "../changes.ts";
import { type Copy, copyIn } from "../copy.ts";
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
  // Copies that come to the same are one manifest.
  const imagesIn = onceEach((manifest: KubeObject) => imagesOf(manifest));
  const images = (copies: readonly Copy[]): ReadonlySet<string> =>
    new Set([...new Set(copies.map(({ manifest }) => manifest))].flatMap(imagesIn).map(({ image }) => image));
  const imagesOfOne = onceEach((manifest: KubeObject) => new Set(imagesIn(manifest).map(({ image }) => image)));
  const imagesAnywhere = onceEach((key: string) => images(before.outcomes.get(key)?.copies ?? []));
  for (const copy of plan.changes) {
    const { object, cluster } = copy;
    if (copy.change === "deleted") continue;
    const key = changeKey(copy);
    const [old, fresh] = [before, after].map(({ outcomes }) => copyIn(outcomes.get(key)?.copies, cluster));
    if (fresh === undefined) continue;
    const own = imagesIn(fresh.manifest);
    if (own.length === 0) continue;
    // What comes from another cluster is not new.
    const known = old === undefined ? imagesAnywhere(key) : imagesOfOne(old.manifest);
    for (const { field, image } of own) if (!known.has(image)) add(object, field, image, cluster);
  }
  for (const { object, before: old } of desired) {
    const ref = refOf(object);
    if ((after.outcomes.get(refKey(ref))?.copies.length ?? 0) > 0) continue;
    const known = new Set(old === undefined ? [] : imagesOf(old).map(({ image }) => image));
    for (const { field, image } of imagesOf(object)) if (!known.has(image)) add(ref, field, image);
  }
  return [...found.values()];
}
