// What differs in one cluster's copy of an object.

import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy, Overriders } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { APPLIED_CLUSTER_OVERRIDES_ANNOTATION, APPLIED_OVERRIDES_ANNOTATION } from "../works/metadata-keys.ts";
import { overrideWords } from "./command-args.ts";
import { Draft } from "./draft.ts";
import { overrideFailed } from "./errors.ts";
import { overrideField } from "./field.ts";
import { overrideImage } from "./image.ts";
import { overrideLabels } from "./labels-annotations.ts";
import { type AnyOverridePolicy, overridersPath, rulesOf, selectOverridePolicies } from "./order.ts";
import { overridePlaintext } from "./plaintext.ts";
import { overrideRecord } from "./record.ts";

export interface OverrideRequest {
  /** The object as it would be without overrides, replicas of this cluster included. Never changed. */
  readonly object: KubeObject;
  readonly cluster: Cluster;
  /** Of the whole fleet; those that do not select the object are passed over. */
  readonly clusterOverridePolicies: readonly ClusterOverridePolicy[];
  /** Of any namespaces; those of other namespaces are passed over. */
  readonly overridePolicies: readonly OverridePolicy[];
}

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

/** The order in which the overriders of one rule work. */
const OVERRIDER_ORDER: readonly OverriderKind[] = [
  "imageOverrider",
  "commandOverrider",
  "argsOverrider",
  "labelsOverrider",
  "annotationsOverrider",
  "fieldOverrider",
  "plaintext",
];

/**
 * Applies the override policies to one cluster's copy: cluster-wide ones first, then those of the object's namespace,
 * matched against what the first left behind.
 *
 * Throws `override-failed`, with the policy, rule, overrider and path in its details, when a rule cannot be carried
 * out: then nothing may be sent to that cluster.
 */
export function applyOverrides(request: OverrideRequest): OverrideResult {
  const { object, cluster } = request;
  const clusterStage = applyStage(object, cluster, request.clusterOverridePolicies);
  const { namespace } = object.metadata;
  const inNamespace =
    namespace === undefined || namespace === ""
      ? []
      : request.overridePolicies.filter((policy) => policy.metadata.namespace === namespace);
  const stage = applyStage(clusterStage.object, cluster, inNamespace);

  const clusterRecord = overrideRecord(clusterStage.applied.map(recorded));
  const record = overrideRecord(stage.applied.map(recorded));
  return {
    object: stage.object,
    applied: [...clusterStage.applied, ...stage.applied],
    appliedAnnotations: {
      ...(clusterRecord === undefined ? {} : { [APPLIED_CLUSTER_OVERRIDES_ANNOTATION]: clusterRecord }),
      ...(record === undefined ? {} : { [APPLIED_OVERRIDES_ANNOTATION]: record }),
    },
    provenance: [...clusterStage.changes, ...stage.changes],
  };
}

/** The change that stands, for every changed field; in the order the fields were first changed. */
export function lastChanges(provenance: readonly OverrideChange[]): ReadonlyMap<string, OverrideChange> {
  const last = new Map<string, OverrideChange>();
  for (const change of provenance) last.set(change.path, change);
  return last;
}

function recorded({ policy, overriders }: AppliedOverride): { policyName: string; overriders: Overriders } {
  return { policyName: policy.name, overriders };
}

interface Stage {
  readonly object: KubeObject;
  readonly applied: readonly AppliedOverride[];
  readonly changes: readonly OverrideChange[];
}

function applyStage(object: KubeObject, cluster: Cluster, policies: readonly AnyOverridePolicy[]): Stage {
  if (policies.length === 0) return { object, applied: [], changes: [] };
  const draft = new Draft(object);
  const applied: AppliedOverride[] = [];
  const changes: OverrideChange[] = [];
  for (const policy of selectOverridePolicies(object, policies)) {
    const ref = policyRef(policy);
    for (const [rule, { targetCluster, overriders }] of rulesOf(policy).entries()) {
      if (targetCluster != null && !clusterMatches(cluster, targetCluster)) continue;
      const application = { policy: ref, rule, overriders };
      applyRule(draft, cluster, application, overridersPath(policy, rule), changes);
      applied.push(application);
    }
  }
  return { object: draft.object, applied, changes };
}

function applyRule(
  draft: Draft,
  cluster: Cluster,
  applied: AppliedOverride,
  field: string,
  changes: OverrideChange[],
): void {
  const { policy, rule, overriders } = applied;
  for (const overrider of OVERRIDER_ORDER) {
    const count = overriders[overrider]?.length ?? 0;
    for (let index = 0; index < count; index++) {
      try {
        applyOne(draft, overriders, overrider, index);
      } catch (error) {
        const path = error instanceof AppError ? error.details["path"] : undefined;
        const failed = {
          policy: describePolicy(policy),
          rule,
          overrider: `${overrider}[${index}]`,
          field: `${field}.${overrider}[${index}]`,
          path: typeof path === "string" ? path : undefined,
          cluster: cluster.metadata.name ?? "",
        };
        throw overrideFailed(failed, messageOf(error), error);
      }
      for (const write of draft.takeWrites()) changes.push({ ...write, policy, rule, overrider, index });
    }
  }
}

function applyOne(draft: Draft, overriders: Overriders, overrider: OverriderKind, index: number): void {
  switch (overrider) {
    case "imageOverrider":
      withItem(overriders.imageOverrider, index, (item) => overrideImage(draft, item));
      break;
    case "commandOverrider":
      withItem(overriders.commandOverrider, index, (item) => overrideWords(draft, "command", item));
      break;
    case "argsOverrider":
      withItem(overriders.argsOverrider, index, (item) => overrideWords(draft, "args", item));
      break;
    case "labelsOverrider":
      withItem(overriders.labelsOverrider, index, (item) => overrideLabels(draft, "labels", item));
      break;
    case "annotationsOverrider":
      withItem(overriders.annotationsOverrider, index, (item) => overrideLabels(draft, "annotations", item));
      break;
    case "fieldOverrider":
      withItem(overriders.fieldOverrider, index, (item) => overrideField(draft, item));
      break;
    case "plaintext":
      withItem(overriders.plaintext, index, (item) => overridePlaintext(draft, item));
  }
}

function withItem<T>(list: readonly T[] | undefined, index: number, use: (item: T) => void): void {
  const item = list?.[index];
  if (item !== undefined) use(item);
}

function policyRef(policy: AnyOverridePolicy): PolicyRef {
  const { namespace, name = "" } = policy.metadata;
  return policy.kind === "OverridePolicy"
    ? { kind: policy.kind, ...(namespace === undefined ? {} : { namespace }), name }
    : { kind: policy.kind, name };
}

/** `OverridePolicy shop/registry-by-region`, `ClusterOverridePolicy mirrors`. */
export function describePolicy(policy: PolicyRef): string {
  return `${policy.kind} ${policy.namespace === undefined ? "" : `${policy.namespace}/`}${policy.name}`;
}
