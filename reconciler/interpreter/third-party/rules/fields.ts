// Rules that only move fields: revision of replicas, and retention of what belongs to the member.

import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { interpreterFieldMalformed } from "../../errors.ts";
import type { Fields } from "../../field-access.ts";

type Path = readonly [string, ...string[]];

/** A rule that writes the replicas at a path, also where the object had none. */
export function revising(...path: Path): (object: KubeObject, replicas: number) => KubeObject {
  return (object, replicas) => withField(object, path, replicas);
}

/** A rule that gives `desired` the fields of `observed` at these paths, those that `observed` has. */
export function retaining(...paths: readonly Path[]): (desired: KubeObject, observed: KubeObject) => KubeObject {
  return (desired, observed) =>
    paths.reduce((kept, path) => {
      const value = valueAt(observed, path);
      return value === undefined || value === null ? kept : withField(kept, path, value);
    }, desired);
}

/** What stands at `path`; undefined when there is nothing. Throws `interpreter-field-malformed`. */
export function valueAt(parent: Fields, path: readonly string[]): unknown {
  let current: unknown = parent;
  for (const [depth, key] of path.entries()) {
    if (current === undefined || current === null) return undefined;
    if (!isObject(current)) throw interpreterFieldMalformed(path.slice(0, depth).join("."), "an object");
    current = current[key];
  }
  return current;
}

/** A copy of the object with `value` at `path`; what leads there is made where it is missing. Throws `interpreter-field-malformed`. */
export function withField(object: KubeObject, path: Path, value: unknown): KubeObject {
  // The copy has what makes it an object: no rule writes those fields.
  return setAt(object, path, value, []) as KubeObject;
}

function setAt(parent: Fields, [key, ...rest]: readonly string[], value: unknown, above: readonly string[]): Fields {
  if (key === undefined) return parent;
  if (rest.length === 0) return { ...parent, [key]: value };
  const path = [...above, key];
  const inner = parent[key] ?? {};
  if (!isObject(inner)) throw interpreterFieldMalformed(path.join("."), "an object");
  return { ...parent, [key]: setAt(inner, rest, value, path) };
}
