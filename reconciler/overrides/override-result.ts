// What came of the overrides of one copy: the object, and who changed what in it.

import type { Overriders } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";

export type OverriderKind = keyof Overriders;

export interface PolicyRef {
  readonly kind: "OverridePolicy" | "ClusterOverridePolicy";
  readonly namespace?: string;
  readonly name: string;
}

export interface AppliedOverride {
  readonly policy: PolicyRef;
  /** Index in `spec.overrideRules`; 0 for policies in the superseded form without rules. */
  readonly rule: number;
  readonly overriders: Overriders;
}

/** One changed field and who changed it. A field that several rules changed has several entries, the last one wins. */
export interface OverrideChange {
  /** JSON pointer into the object. */
  readonly path: string;
  readonly policy: PolicyRef;
  readonly rule: number;
  readonly overrider: OverriderKind;
  /** Index in the list of that overrider. */
  readonly index: number;
  /** Where the policy has the rule's overriders: `spec.overrideRules[0].overriders`. */
  readonly field: string;
  /** Undefined when the field was not there before. */
  readonly old: unknown;
  /** Undefined when the field was removed. */
  readonly value: unknown;
}

export interface OverrideResult {
  /** Shares with the input whatever no rule changed; the very input when nothing did. */
  readonly object: KubeObject;
  /** The rules that were meant for the cluster, in the order they were applied, whether they changed something or not. */
  readonly applied: readonly AppliedOverride[];
  /** Annotations for the Work that record the applied rules. */
  readonly appliedAnnotations: Readonly<Record<string, string>>;
  readonly provenance: readonly OverrideChange[];
}

/** `OverridePolicy shop/registry-by-region`, `ClusterOverridePolicy mirrors`. */
export function describePolicy(policy: PolicyRef): string {
  return `${policy.kind} ${policy.namespace === undefined ? "" : `${policy.namespace}/`}${policy.name}`;
}

/** Where a policy says so: `spec.overrideRules[0].overriders.imageOverrider[0]`. */
export function overriderField({
  field,
  overrider,
  index,
}: Pick<OverrideChange, "field" | "overrider" | "index">): string {
  return `${field}.${overrider}[${index}]`;
}
