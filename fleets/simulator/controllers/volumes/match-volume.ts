// Which volume a claim gets. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { compareQuantities } from "../../../../kube/quantity.ts";
import { matchesLabelSelector } from "../../../../kube/selectors.ts";
import { capacityOf, claimSpec, classOf, isForClaim, phaseOf, requestOf, volumeSpec } from "./volume-facts.ts";

/** Claims and volumes that say nothing are about file systems. */
export function isSameMode(claim: KubeObject, volume: KubeObject): boolean {
  return (claimSpec(claim).volumeMode ?? "Filesystem") === (volumeSpec(volume).volumeMode ?? "Filesystem");
}

function hasAccessModes(claim: KubeObject, volume: KubeObject): boolean {
  const offered = volumeSpec(volume).accessModes ?? [];
  return (claimSpec(claim).accessModes ?? []).every((mode) => offered.includes(mode));
}

function hasSameAttributes(claim: KubeObject, volume: KubeObject): boolean {
  return (claimSpec(claim).volumeAttributesClassName ?? "") === (volumeSpec(volume).volumeAttributesClassName ?? "");
}

/**
 * The volume for a claim: one that is promised to it, else the smallest that will do, first among those that offer the
 * fewest access modes. With `onlyPromised` others are left to the scheduler.
 */
export function findVolume(
  claim: KubeObject,
  volumes: readonly KubeObject[],
  onlyPromised: boolean,
): KubeObject | undefined {
  const offers = new Map<string, KubeObject[]>();
  for (const volume of volumes) {
    if (!hasAccessModes(claim, volume)) continue;
    const modes = [...(volumeSpec(volume).accessModes ?? [])].sort().join(",");
    const offer = offers.get(modes);
    if (offer === undefined) offers.set(modes, [volume]);
    else offer.push(volume);
  }
  const byModes = [...offers].sort(([a], [b]) => a.split(",").length - b.split(",").length || (a < b ? -1 : 1));
  for (const [, offer] of byModes) {
    const best = bestOf(claim, offer, onlyPromised);
    if (best !== undefined) return best;
  }
  return undefined;
}

function bestOf(claim: KubeObject, volumes: readonly KubeObject[], onlyPromised: boolean): KubeObject | undefined {
  const { selector } = claimSpec(claim);
  const requested = requestOf(claim);
  let best: KubeObject | undefined;
  for (const volume of volumes) {
    const isPromised = isForClaim(volume, claim);
    if (volumeSpec(volume).claimRef !== undefined && !isPromised) continue;
    if (compareQuantities(capacityOf(volume), requested) < 0) continue;
    if (!isSameMode(claim, volume) || !hasSameAttributes(claim, volume)) continue;
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (isPromised) return volume;
    if (onlyPromised || phaseOf(volume) !== "Available") continue;
    if (selector !== undefined && !matchesLabelSelector(selector, volume.metadata.labels)) continue;
    if (classOf(volume) !== classOf(claim)) continue;
    if (best === undefined || compareQuantities(capacityOf(best), capacityOf(volume)) > 0) best = volume;
  }
  return best;
}

/** Why the volume that a claim names will not do; undefined when it will. */
export function unsuitability(volume: KubeObject, claim: KubeObject): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (!hasSameAttributes(claim, volume)) return "volumeAttributesClassName does not match";
  if (!isSameMode(claim, volume)) return "incompatible volumeMode";
  if (!hasAccessModes(claim, volume)) return "incompatible accessMode";
  return undefined;
}
