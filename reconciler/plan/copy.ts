import type { KubeObject } from "../../kube/object.ts";
import type { OverrideResult } from "../overrides/override-result.ts";

/** One cluster's copy of an object. */
export interface Copy {
  readonly cluster: string;
  readonly manifest: KubeObject;
  /** Undefined for objects that do not count replicas. */
  readonly replicas: number | undefined;
  readonly overrides: OverrideResult;
}

const BY_CLUSTER = new WeakMap<readonly Copy[], ReadonlyMap<string, Copy>>();

/** That of a cluster among the copies of one object, of which there may be many. */
export function copyIn(copies: readonly Copy[] | undefined, cluster: string): Copy | undefined {
  if (copies === undefined) return undefined;
  let index = BY_CLUSTER.get(copies);
  if (index === undefined) {
    index = new Map(copies.map((copy) => [copy.cluster, copy]));
    BY_CLUSTER.set(copies, index);
  }
  return index.get(cluster);
}
