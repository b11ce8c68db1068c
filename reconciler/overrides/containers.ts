// Where the kinds that run containers keep them. As Karmada, kinds are told by their name alone, and init containers
// are left out.

import { isObject, type KubeObject } from "../../kube/object.ts";
import { overrideImpossible } from "./errors.ts";

const POD_PATH: readonly string[] = ["spec", "containers"];
const TEMPLATE_PATH: readonly string[] = ["spec", "template", "spec", "containers"];
const PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: POD_PATH,
  ReplicaSet: TEMPLATE_PATH,
  Deployment: TEMPLATE_PATH,
  DaemonSet: TEMPLATE_PATH,
  StatefulSet: TEMPLATE_PATH,
  Job: TEMPLATE_PATH,
};

export interface Container {
  readonly path: readonly (string | number)[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Whether the kind is one whose containers overriders find by themselves. */
export function hasKnownContainers({ kind }: Pick<KubeObject, "kind">): boolean {
  return Object.hasOwn(PATHS, kind);
}

/**
 * The containers of a workload; none for other kinds. Throws `override-impossible` when their list is malformed, and when
 * it is null for an overrider that does not take that for absent.
 */
export function containersOf(object: KubeObject, nullList: "absent" | "malformed"): readonly Container[] {
  const path = Object.hasOwn(PATHS, object.kind) ? PATHS[object.kind] : undefined;
  if (path === undefined) return [];
  let current: unknown = object;
  for (const key of path) {
    if (current === undefined || current === null) return [];
    if (!isObject(current))
      throw overrideImpossible(`/${path.join("/")}`, `${key} stands in something that is no object`);
    current = current[key];
  }
  if (current === undefined || (current === null && nullList === "absent")) return [];
  if (!Array.isArray(current)) throw overrideImpossible(`/${path.join("/")}`, "the containers are not a list");
  return current.map((fields: unknown, index) => {
    const own = [...path, index];
    if (!isObject(fields)) throw overrideImpossible(`/${own.join("/")}`, "a container is not an object");
    return { path: own, fields };
  });
}
