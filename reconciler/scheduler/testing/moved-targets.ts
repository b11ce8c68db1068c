// What a relocation does, in the shape that specifications compare.
import type { Relocation } from "../relocation/relocation.ts";

/** The relocation with its targets as replicas by cluster; undefined where nothing moves. */
export function withTargets(relocation: Relocation) {
  const moved = relocation.verdict === "move" ? relocation.clusters : undefined;
  return { ...relocation, targets: moved && Object.fromEntries(moved.map(({ name, replicas }) => [name, replicas])) };
}
