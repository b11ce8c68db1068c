// Replicas that clusters keep although they are to have fewer, until their successors serve: kept with the binding.

import type { TargetCluster } from "../../../api/work.ts";
import { HELD_REPLICAS_ANNOTATION } from "../../works/metadata-keys.ts";
import type { Binding } from "../occasion.ts";

/** `targets` with the replicas that are told to the clusters: those that are to have fewer keep theirs while others start. */
export function withHeldReplicas(binding: Binding, targets: readonly TargetCluster[]): readonly TargetCluster[] {
  const held = readHeldReplicas(binding.metadata.annotations?.[HELD_REPLICAS_ANNOTATION]);
  if (held === undefined) return targets;
  return targets.map((target) => {
    const kept = held[target.name];
    return typeof kept === "number" && kept > (target.replicas ?? 0) ? { ...target, replicas: kept } : target;
  });
}

/** Undefined for a text that is no JSON of an object. */
function readHeldReplicas(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
