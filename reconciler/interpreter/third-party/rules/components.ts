// Workloads of several kinds of pods: what each kind is called, how many it has, and what one pod of it needs.

import type { Component, ComponentReplicaRequirements } from "../../../../api/work.ts";
import { interpreterFieldMalformed } from "../../errors.ts";
import { type Fields, textAt } from "../../field-access.ts";

const MAX_INT32 = 2 ** 31 - 1;

/** One kind of pods. `where` is the path of its number of replicas. Throws `interpreter-field-malformed`. */
export function componentOf(
  name: string,
  replicas: number,
  needs: ComponentReplicaRequirements | undefined,
  where: string,
): Component {
  if (!Number.isInteger(replicas) || Math.abs(replicas) > MAX_INT32) {
    throw interpreterFieldMalformed(where, "an integer of 32 bits");
  }
  return { name, ...(needs === undefined ? {} : { replicaRequirements: needs }), replicas };
}

/** The name under `key`, or another when there is none. Throws `interpreter-field-malformed`. */
export function nameOr(parent: Fields, key: string, otherwise: string): string {
  return textAt(parent, key) || otherwise;
}
