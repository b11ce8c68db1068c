// A Job with a number of completions is shared out like its pods: each cluster completes its part.

import type { TargetCluster } from "../../api/work.ts";
import { fnv1a32 } from "../../kube/hash.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { divideByWeight } from "../scheduler/division/webster.ts";
import type { AnyBinding } from "./binding.ts";

/** Completions by cluster; undefined when the object is no Job whose completions are to be divided. */
export function divideCompletions(
  template: KubeObject,
  binding: AnyBinding,
  targets: readonly TargetCluster[],
): ReadonlyMap<string, number> | undefined {
  const completions = completionsOf(template);
  if (template.kind !== "Job" || completions === undefined || !((binding.spec.replicas ?? 0) > 0)) return undefined;
  // As Karmada: a scheduling that says nothing else duplicates.
  if (binding.spec.placement?.replicaScheduling?.replicaSchedulingType !== "Divided") return undefined;
  const shares = targets.map((target) => ({ name: target.name, weight: target.replicas ?? 0 }));
  // As Karmada: where nobody gets pods there is nothing to go by, and nothing that runs.
  if (shares.every((share) => share.weight <= 0)) return undefined;
  const uid = template.metadata.uid ?? "";
  // Ties are broken by the object, so that not every small Job lands in the first cluster.
  return divideByWeight(completions, shares, uid !== "" && fnv1a32(uid) % 2 === 1);
}

/** The copy with its cluster's part of the completions. */
export function withCompletions(
  object: KubeObject,
  division: ReadonlyMap<string, number> | undefined,
  cluster: string,
): KubeObject {
  const completions = division?.get(cluster);
  if (completions === undefined) return object;
  const spec = object["spec"];
  return { ...object, spec: { ...(isObject(spec) ? spec : {}), completions } };
}

function completionsOf(template: KubeObject): number | undefined {
  const spec = template["spec"];
  const completions = isObject(spec) ? spec["completions"] : undefined;
  return typeof completions === "number" ? completions : undefined;
}
