// What all override policies of a world do to all copies, tried out: who reaches what, who changes what, what fails.

import type { Cluster } from "../../api/cluster.ts";
import type { KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { bestSelectorMatch } from "../policies/resource-selector.ts";
import { ObjectOverrides } from "./apply-overrides.ts";
import { readFailedOverride } from "./errors.ts";
import type { AnyOverridePolicy } from "./order.ts";
import { OverridePolicyIndex } from "./override-policies.ts";
import { describePolicy, type OverrideChange, overriderField, type PolicyRef } from "./override-result.ts";

export interface Placed {
  readonly object: KubeObject;
  readonly clusters: readonly Cluster[];
}

export interface OverrideWorld {
  readonly policies: readonly AnyOverridePolicy[];
  readonly clusters: readonly Cluster[];
  /** Every object that could be sent somewhere, with the clusters it goes to. */
  readonly objects: readonly Placed[];
  readonly compatibility?: "karmada" | "flaghoist" | undefined;
}

/** How often an overrider changed a copy, and how often another one wrote over all of that. */
export interface ItemEffect {
  changed: number;
  shadowed: number;
  /** Who did last. */
  by: OverrideChange | undefined;
}

export interface ItemFailure {
  readonly object: KubeObject;
  readonly clusters: string[];
  readonly problem: string;
}

export interface Effects {
  /** The objects that a policy selects, as they are or as cluster-wide overrides leave them. */
  selectedBy(policy: AnyOverridePolicy): readonly Placed[];
  /** The copies that a rule was applied to, as they became. */
  reached(policy: PolicyRef, rule: number): readonly KubeObject[];
  /** By `spec.overrideRules[0].overriders.imageOverrider[0]`. */
  effect(policy: PolicyRef, field: string): ItemEffect | undefined;
  failures(policy: PolicyRef, field: string): readonly ItemFailure[];
}

export function effectsOf({ policies, objects, compatibility }: OverrideWorld): Effects {
  const index = new OverridePolicyIndex(policies);
  const selected = new Map<AnyOverridePolicy, Placed[]>();
  const reached = new Map<string, KubeObject[]>();
  const items = new Map<string, ItemEffect>();
  const failures = new Map<string, ItemFailure[]>();
  for (const placed of objects) {
    const overrides = new ObjectOverrides(index, { compatibility });
    const seen = [placed.object];
    for (const cluster of placed.clusters) {
      try {
        const { object, applied, provenance } = overrides.apply(placed.object, cluster);
        if (object.metadata?.labels !== placed.object.metadata.labels) seen.push(object);
        for (const { policy, rule } of applied) push(reached, ruleKey(policy, rule), object);
        countEffects(provenance, items);
      } catch (error) {
        const failed = readFailedOverride(error);
        if (failed === undefined) {
          if (error instanceof AppError) continue;
          throw error;
        }
        const key = itemKey(failed.policy, failed.field);
        push(reached, ruleKey(failed.policy, failed.rule), placed.object);
        const same = failures.get(key)?.find((one) => one.object === placed.object && one.problem === failed.problem);
        if (same !== undefined) same.clusters.push(failed.cluster);
        else push(failures, key, { object: placed.object, clusters: [failed.cluster], problem: failed.problem });
      }
    }
    for (const policy of new Set(
      seen.flatMap((object) => [...index.clusterWide(object), ...index.ofNamespace(object)]),
    )) {
      const selectors = policy.spec.resourceSelectors ?? [];
      const object = seen.find((one) => selectors.length === 0 || bestSelectorMatch(one, selectors) > 0);
      if (object !== undefined) push(selected, policy, { ...placed, object });
    }
  }
  return {
    selectedBy: (policy) => selected.get(policy) ?? [],
    reached: (policy, rule) => reached.get(ruleKey(policy, rule)) ?? [],
    effect: (policy, field) => items.get(itemKey(policy, field)),
    failures: (policy, field) => failures.get(itemKey(policy, field)) ?? [],
  };
}

function countEffects(provenance: readonly OverrideChange[], items: Map<string, ItemEffect>): void {
  const own = new Map<string, { changes: number; shadowed: number; by: OverrideChange | undefined }>();
  for (const [position, change] of provenance.entries()) {
    const key = itemKey(change.policy, overriderField(change));
    const entry = own.get(key) ?? { changes: 0, shadowed: 0, by: undefined };
    own.set(key, entry);
    entry.changes++;
    const later = provenance.slice(position + 1).find((other) => writesOver(other, change));
    if (later === undefined || itemKey(later.policy, overriderField(later)) === key) continue;
    entry.shadowed++;
    entry.by = later;
  }
  for (const [key, { changes, shadowed, by }] of own) {
    const effect = items.get(key) ?? { changed: 0, shadowed: 0, by: undefined };
    items.set(key, effect);
    effect.changed++;
    if (shadowed === changes) {
      effect.shadowed++;
      effect.by = by;
    }
  }
}

/** Whether nothing of a change is left by a later one. Images and words are built upon what was there before. */
function writesOver(later: OverrideChange, earlier: OverrideChange): boolean {
  const isWhole = ["plaintext", "labelsOverrider", "annotationsOverrider"].includes(later.overrider);
  // What was not there was put beside: an item of a list that has moved on.
  if (!isWhole || later.old === undefined) return false;
  return later.path === earlier.path || earlier.path.startsWith(`${later.path}/`);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function ruleKey(policy: PolicyRef, rule: number): string {
  return `${describePolicy(policy)}\n${rule}`;
}

function itemKey(policy: PolicyRef, field: string): string {
  return `${describePolicy(policy)}\n${field}`;
}
