// What the safety rules look at: a change of the control plane, and what it comes to before and after.
import type { Place, ReportFinding } from "../../../api/plan-report.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { refKey } from "../../../kube/object.ts";
import type { OverrideFinding } from "../../overrides/lint.ts";
import type { Plan } from "../changes.ts";
import type { DecidedWorld } from "../compare-worlds.ts";
import type { RemovedObject } from "../folder-change.ts";
import type { HeldCluster, SyncPrune } from "../prunes.ts";
import { reportedObject } from "../report-words.ts";
import type { DesiredObject } from "../source-changes.ts";
import type { TakenObject } from "../taken-objects.ts";

/** Everything that the rules know of a change. */
export interface ReviewedChange {
  /** Objects that come or differ. */
  readonly desired: readonly DesiredObject[];
  readonly removed: readonly RemovedObject[];
  /** Everything that the head renders to. */
  readonly rendered: readonly ObjectRef[];
  readonly prunes: readonly SyncPrune[];
  /** What Syncs that the change does not concern have already. */
  readonly taken: readonly TakenObject[];
  readonly before: DecidedWorld;
  readonly after: DecidedWorld;
  readonly plan: Plan;
  /** By `refKey`: objects that change, in the control plane or in a cluster. */
  readonly touched: ReadonlySet<string>;
  readonly overrideFindings: readonly OverrideFinding[];
  /** Clusters whose deletions wait for a person, and those that come near to it. */
  readonly losses: { readonly held: readonly HeldCluster[]; readonly near: readonly HeldCluster[] };
  /** Where an object is written: in the head, or where the control plane has it from. */
  readonly placeOf: (ref: ObjectRef) => Place | undefined;
}

/** Looks at a change as a whole. */
export type SafetyRule = (change: ReviewedChange) => readonly ReportFinding[];

/** One of the two sides of a change, for rules that look at what is, not at what happens. */
export interface ReviewedSide extends DecidedWorld {
  readonly change: ReviewedChange;
}

export type SideRule = (side: ReviewedSide) => readonly ReportFinding[];

/**
 * A rule about what is, as one about what the change does: what stood before is told of objects that the change touches
 * only, and as a notice.
 */
export function causedBy(rule: SideRule): SafetyRule {
  return (change) => {
    const known = new Set(rule({ ...change.before, change }).map(identityOf));
    return rule({ ...change.after, change }).flatMap((finding): ReportFinding[] => {
      if (!known.has(identityOf(finding))) return [finding];
      return finding.object !== undefined && change.touched.has(refKey(refOfReported(finding.object)))
        ? [{ ...finding, severity: "notice" }]
        : [];
    });
  };
}

/** The words may name what else changes. */
function identityOf({ rule, object, field, clusters = [] }: ReportFinding): string {
  return JSON.stringify([rule, object, field, clusters]);
}

function refOfReported(object: NonNullable<ReportFinding["object"]>): ObjectRef {
  return { ...object, namespace: object.namespace };
}

/** The object of a finding and where it is written. */
export function about(change: ReviewedChange, ref: ObjectRef): Pick<ReportFinding, "object" | "place"> {
  const place = change.placeOf(ref);
  return { object: reportedObject(ref), ...(place === undefined ? {} : { place }) };
}

/** Whether objects are of a kind of a group, in any version. */
export function isOfKind({ apiVersion, kind }: Pick<ObjectRef, "apiVersion" | "kind">, groupKind: string): boolean {
  const slash = apiVersion.indexOf("/");
  return groupKind === `${slash < 0 ? "" : apiVersion.slice(0, slash)}/${kind}`;
}

/** The spec of an object; empty when there is none. */
export function specOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  const spec = object?.["spec"];
  return typeof spec === "object" && spec !== null && !Array.isArray(spec) ? { ...spec } : {};
}
