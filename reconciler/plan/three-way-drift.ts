// Drift on what a change touches, three ways: as the base wants a field, as the head wants it, and as clusters have it.
import type { ReportedDrift } from "../../api/plan-report.ts";
import { type FieldRules, ignoredFields, modeOf } from "../../fleets/field-rules.ts";
import { valueAtFields, withoutFields } from "../../fleets/field-values.ts";
import type { FieldPath } from "../../kube/fields/path.ts";
import { equalJson, type KubeObject, type ObjectRef, refKey } from "../../kube/object.ts";
import { rulesOfCopy } from "../works/field-rules.ts";
import { RUN_MASK } from "./diff/mask.ts";
import type { CopyState, DriftedField } from "./live-drift.ts";
import { reportedObject } from "./report-words.ts";

/** The copy of an object in a cluster; undefined when there is to be none. */
export type CopyFinder = (object: ObjectRef, cluster: string) => KubeObject | undefined;

export interface DriftSides {
  readonly base: CopyFinder;
  readonly head: CopyFinder;
}

type Outcome = ReportedDrift["outcome"];

/** What becomes of each difference; equal ones are joined over clusters, in the order of objects and fields. */
export function threeWayDrift(copies: readonly CopyState[], { base, head }: DriftSides): ReportedDrift[] {
  const groups = new Map<string, ReportedDrift>();
  const add = (cluster: string, entry: Omit<ReportedDrift, "clusters">): void => {
    const { since, ...same } = entry;
    const key = `${refKey({ namespace: undefined, ...entry.object })}\n${entry.path}\n${JSON.stringify(same)}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { ...entry, clusters: [cluster] });
      return;
    }
    group.clusters.push(cluster);
    if (since !== undefined && (group.since === undefined || since < group.since)) group.since = since;
  };
  for (const copy of copies) {
    const { cluster, object, state, fields } = copy;
    const sides = { base: base(object, cluster), head: head(object, cluster) };
    if (state === "missing") add(cluster, missing(copy, sides));
    if (state === "drifted") for (const field of fields) add(cluster, drifted(copy, field, sides));
  }
  for (const group of groups.values()) group.clusters.sort();
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

interface Sides {
  readonly base: KubeObject | undefined;
  readonly head: KubeObject | undefined;
}

function missing({ object, mode }: CopyState, { head }: Sides): Omit<ReportedDrift, "clusters"> {
  return {
    object: reportedObject(object),
    path: "",
    base: "present",
    ...(head === undefined ? {} : { head: "present" }),
    outcome: head === undefined ? "adopted" : isPutRight(mode) ? "undone" : "kept",
  };
}

function drifted(copy: CopyState, field: DriftedField, { base, head }: Sides): Omit<ReportedDrift, "clusters"> {
  const { object } = copy;
  const { path, fieldPath = [], wanted, found, mark, manager, since } = field;
  const shown = (value: unknown): unknown => RUN_MASK.atFields(object.kind, fieldPath, value);
  const sides = {
    base: base === undefined || fieldPath.length === 0 ? shown(wanted) : shown(valueAtFields(base, fieldPath)),
    head:
      head === undefined ? undefined : fieldPath.length === 0 ? shown(wanted) : shown(valueAtFields(head, fieldPath)),
    // What is secret is known by its mark alone.
    live: mark ?? shown(found),
  };
  const outcome =
    head === undefined ? "undone" : outcomeOf(sides, fieldPath, head, modeIn(copy, field, { base, head }));
  return {
    object: reportedObject(object),
    path,
    ...present("base", sides.base),
    ...present("head", sides.head),
    ...present("live", sides.live),
    outcome,
    ...(manager === undefined ? {} : { manager }),
    ...(since === undefined ? {} : { since }),
  };
}

/** A new wish for a field counts more than what others made of the old one. */
function outcomeOf(
  { base, head, live }: { readonly base: unknown; readonly head: unknown; readonly live: unknown },
  fieldPath: FieldPath,
  manifest: KubeObject,
  mode: string,
): Outcome {
  if (equalJson(head, live)) return "adopted";
  if (isIgnored(manifest, fieldPath)) return "kept";
  // What the head no longer says is whose it is in the cluster.
  if (head === undefined) return "kept";
  if (!equalJson(base, head)) return "overwritten";
  return isPutRight(mode) ? "undone" : "kept";
}

/** The change may come with other rules. */
function modeIn(copy: CopyState, field: DriftedField, { base, head }: Sides): string {
  const known = field.mode ?? copy.mode;
  if (base === undefined || head === undefined || field.fieldPath === undefined) return known;
  const rules = rulesOf(head);
  return equalJson(rulesOf(base), rules) ? known : modeOf(field.fieldPath, head, head, rules);
}

function isIgnored(manifest: KubeObject, fieldPath: FieldPath): boolean {
  const ignored = ignoredFields(manifest, manifest, rulesOf(manifest));
  const value = valueAtFields(manifest, fieldPath);
  return value !== undefined && !equalJson(valueAtFields(withoutFields(manifest, ignored), fieldPath), value);
}

function rulesOf(manifest: KubeObject): FieldRules {
  return rulesOfCopy(manifest, false);
}

function isPutRight(mode: string): boolean {
  return mode === "correct";
}

function present<K extends string>(key: K, value: unknown): { readonly [key in K]?: unknown } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]?: unknown });
}
