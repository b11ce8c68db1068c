// A plan as people read it: the verdict, the clusters, then what changes in each object.
import { type ObjectRef, refKey } from "../../kube/object.ts";
import type { OverrideFinding } from "../overrides/lint.ts";
import type { FieldChange, ObjectChange, Plan } from "../plan/changes.ts";
import type { DriftGroup } from "../plan/live-drift.ts";
import type { OverriddenField } from "../plan/overridden-fields.ts";
import type { SourceChange } from "../plan/source-changes.ts";
import type { Survival, SurvivalChange, WhatIf } from "../plan/what-if.ts";
import type { Emphasis } from "./drift-text.ts";
import { findingSections } from "./findings-text.ts";
import { overrideSource, overrideText } from "./override-words.ts";
import { ageOf, andList, clusterList, count, objectName, value } from "./words.ts";
import { writerText } from "./writer-words.ts";

export interface PlanReport {
  readonly plan: Plan;
  /** What changes in the control plane. */
  readonly source: readonly SourceChange[];
  /** Drift that stands now in copies that the plan touches. */
  readonly drift: readonly DriftGroup[];
  /** Why nothing would be deleted before a person confirms. */
  readonly held: string | undefined;
  /** Why deletions are not known; undefined when they are. */
  readonly deletionsUnknown: string | undefined;
  /** What losses would do to the objects that change. */
  readonly whatIf: readonly WhatIf[];
  /** Overrides that would be in vain. */
  readonly findings: readonly OverrideFinding[];
  readonly nowMs: number;
}

const MOST_OBJECTS = 30;
const MOST_FIELDS = 10;

export function planText(report: PlanReport, paint: Emphasis): string {
  const { plan, source } = report;
  const sections: string[][] = [[verdictLine(report)]];
  if (plan.changes.length > 0) sections.push(clusterTable(report, paint));
  const keys = objectKeys(plan.changes, source);
  for (const key of keys.slice(0, MOST_OBJECTS)) sections.push(objectSection(key, report, paint));
  if (keys.length > MOST_OBJECTS) sections.push([`and ${keys.length - MOST_OBJECTS} more objects (-o json)`]);
  const losses = whatIfLines(report.whatIf);
  if (losses.length > 0) sections.push(losses);
  const problems = plan.problems.map(({ object, problem }) => `${paint.red("✗")} ${objectName(object)}: ${problem}`);
  if (problems.length > 0) sections.push(problems);
  if (plan.unknown.length > 0) sections.push(unknownLines(plan.unknown, paint));
  for (const section of findingSections(report.findings, paint)) sections.push([section]);
  if (report.held !== undefined) sections.push([`${paint.yellow("⚠")} ${report.held}`]);
  if (report.deletionsUnknown !== undefined) sections.push([paint.dim(report.deletionsUnknown)]);
  return sections.map((lines) => lines.join("\n")).join("\n\n");
}

/** `2 objects change in 2 of 3 clusters, 3 replicas move, nothing is deleted.` */
export function verdictLine({ plan, source, held }: PlanReport): string {
  const unknown = plan.unknown.length;
  const rest = unknown === 0 ? "" : ` Of ${count(unknown, "object")} it is not known.`;
  if (plan.changes.length === 0 && source.length === 0)
    return unknown === 0 ? "Nothing changes." : `Nothing that is known changes.${rest}`;
  if (plan.changes.length === 0) {
    const verb = source.length === 1 ? "changes" : "change";
    const where = unknown === 0 ? "nothing in any cluster." : `nothing that is known in any cluster.${rest}`;
    return `${count(source.length, "object")} ${verb} in the control plane, ${where}`;
  }
  const clusters = new Set(plan.changes.map((change) => change.cluster)).size;
  const deleted = plan.changes.filter((change) => change.change === "deleted");
  const parts = [
    `${objectsText(plan.changes)} in ${clusters} of ${count(plan.clusters.length, "cluster")}`,
    ...(plan.movedReplicas === 0
      ? []
      : [`${count(plan.movedReplicas, "replica")} ${plan.movedReplicas === 1 ? "moves" : "move"}`]),
    ...(deleted.length === 0
      ? ["nothing is deleted"]
      : deleted.length === plan.changes.length
        ? []
        : [`${count(deleted.length, "copy", "copies")} ${deleted.length === 1 ? "is" : "are"} deleted`]),
    ...(held === undefined ? [] : ["once a person confirms it"]),
  ];
  return `${parts.join(", ")}.${rest}`;
}

const MOST_UNKNOWN = 10;

function unknownLines(unknown: Plan["unknown"], paint: Emphasis): string[] {
  const lines = unknown
    .slice(0, MOST_UNKNOWN)
    .map(({ object, reason }) => `${paint.yellow("?")} ${objectName(object)}: ${reason}`);
  return unknown.length <= MOST_UNKNOWN ? lines : [...lines, `and ${unknown.length - MOST_UNKNOWN} more (-o json)`];
}

/** `2 objects change`, `5 objects are created`, `2 objects change and 1 is created`; what goes is said elsewhere. */
function objectsText(changes: readonly ObjectChange[]): string {
  const kinds = new Map<string, Set<string>>();
  for (const { object, change } of changes) {
    const key = refKey(object);
    kinds.set(key, (kinds.get(key) ?? new Set()).add(change));
  }
  const only = (kind: string): number => [...kinds.values()].filter((set) => set.size === 1 && set.has(kind)).length;
  const created = only("created");
  const deleted = only("deleted");
  const changed = kinds.size - created - deleted;
  const is = (number: number): string => (number === 1 ? "is" : "are");
  const parts = [
    ...(changed === 0 ? [] : [`${count(changed, "object")} ${changed === 1 ? "changes" : "change"}`]),
    ...(created === 0 ? [] : [`${changed === 0 ? count(created, "object") : created} ${is(created)} created`]),
    ...(changed + created > 0 ? [] : [`${count(deleted, "object")} ${is(deleted)} deleted`]),
  ];
  return andList(parts);
}

/** Clusters that change first; many that do not are one row. */
function clusterTable({ plan, drift, nowMs }: PlanReport, paint: Emphasis): string[] {
  const touched = plan.clusters.filter((row) => row.created + row.changed + row.deleted > 0);
  const others = plan.clusters.filter((row) => row.created + row.changed + row.deleted === 0);
  const header = ["cluster", "created", "changed", "deleted", "replicas", "drift now"];
  const rows = [...touched, ...(others.length > 8 ? [] : others)].map((row) => {
    const drifted = drift.filter((group) => group.clusters.includes(row.cluster));
    return {
      cells: [
        row.cluster,
        String(row.created),
        String(row.changed),
        String(row.deleted),
        replicasCell(row.replicasBefore, row.replicasAfter),
        String(drifted.length),
      ],
      note: driftNote(drifted, nowMs, paint),
    };
  });
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`;
  return [
    paint.dim(line(header)).trimEnd(),
    ...rows.map(({ cells, note }) => `${line(cells)}${note === "" ? "" : `  ${note}`}`),
    ...(others.length > 8 ? [`  and ${others.length} clusters where nothing changes`] : []),
  ];
}

function replicasCell(before: number, after: number): string {
  if (before === after) return String(after);
  const difference = after - before;
  return `${before} → ${after} (${difference > 0 ? "+" : "−"}${Math.abs(difference)})`;
}

function driftNote(groups: readonly DriftGroup[], nowMs: number, paint: Emphasis): string {
  const [first] = groups;
  if (first === undefined) return "";
  const by = first.manager === undefined ? "others" : first.manager;
  const since = ageOf(first.since, nowMs);
  const place = `${first.object.namespace ?? ""}${first.object.namespace === undefined ? "" : "/"}${first.object.name}`;
  return paint.yellow(`⚠ ${place} was edited by ${by}${since === undefined ? "" : ` ${since} ago`}`);
}

function objectKeys(changes: readonly ObjectChange[], source: readonly SourceChange[]): string[] {
  return [
    ...new Set([...source.map((change) => change.object), ...changes.map((change) => change.object)].map(refKey)),
  ];
}

function objectSection(key: string, { plan, source }: PlanReport, paint: Emphasis): string[] {
  const own = source.find((change) => refKey(change.object) === key);
  const copies = plan.changes.filter((change) => refKey(change.object) === key);
  const ref = own?.object ?? copies[0]?.object;
  if (ref === undefined) return [];
  const mark = MARKS[own?.change ?? onlyChange(copies)];
  const tint = mark === "+" ? paint.green : mark === "−" ? paint.red : paint.yellow;
  const replicas = replicasLine(copies);
  const lines = [
    `${tint(mark)} ${paint.bold(objectName(ref))}${replicas === "" ? "" : `   ${replicas}`}${originText(own)}`,
  ];
  // What changes in every copy alike is said by the copies; the control plane's own diff is for objects that stay here.
  if (copies.length === 0) return [...lines, ...fieldLines(own?.fields ?? [], "", paint)];
  for (const { clusters, changes } of alike(copies)) {
    const [first] = changes;
    if (first === undefined) continue;
    const where = clusterList(clusters);
    if (first.change === "created") {
      lines.push(`    ${paint.green("created")} in ${where}`);
      const overridden = first.overrides.slice(0, MOST_FIELDS).map((field) => `      ${overrideText(field)}`);
      if (first.overrides.length > MOST_FIELDS)
        overridden.push(`      and ${first.overrides.length - MOST_FIELDS} more overridden fields (-o json)`);
      lines.push(...overridden);
    } else if (first.change === "deleted") lines.push(`    ${paint.red("deleted")} from ${where}`);
    else lines.push(...fieldLines(withoutReplicas(first), `   in ${where}`, paint, first.overrides));
  }
  return lines;
}

const MARKS = { created: "+", deleted: "−", changed: "~" } as const;

/** What happens to an object that only its copies tell of. */
function onlyChange(copies: readonly ObjectChange[]): ObjectChange["change"] {
  const [first] = copies;
  return first !== undefined && copies.every((copy) => copy.change === first.change) ? first.change : "changed";
}

function originText(own: SourceChange | undefined): string {
  return own?.origin === undefined ? "" : `   (${own.origin})`;
}

/** `tokyo-1 2 → 4, paris-1 4 → 2`. */
function replicasLine(copies: readonly ObjectChange[]): string {
  const moved = copies.filter((copy) => copy.replicasBefore !== copy.replicasAfter);
  const texts = moved
    .slice(0, 6)
    .map(({ cluster, replicasBefore, replicasAfter }) =>
      replicasBefore === undefined
        ? `${cluster} ${replicasAfter}`
        : `${cluster} ${replicasBefore} → ${replicasAfter ?? 0}`,
    );
  return `${texts.join(", ")}${moved.length > 6 ? `, … (${moved.length} clusters)` : ""}`;
}

/** Said by the line of replicas already. */
function withoutReplicas(change: ObjectChange): readonly FieldChange[] {
  if (change.replicasBefore === change.replicasAfter) return change.fields;
  return change.fields.filter((field) => field.path !== "spec.replicas" && field.path !== "spec.parallelism");
}

/** Copies with the same changes together. */
function alike(
  copies: readonly ObjectChange[],
): readonly { readonly clusters: readonly string[]; readonly changes: readonly ObjectChange[] }[] {
  const groups = new Map<string, ObjectChange[]>();
  for (const copy of copies) {
    const fields = copy.change === "changed" ? withoutReplicas(copy) : [];
    const key = `${copy.change}\n${JSON.stringify(fields)}\n${copy.overrides.map(overrideText).join("\n")}`;
    groups.set(key, [...(groups.get(key) ?? []), copy]);
  }
  return [...groups.values()].map((changes) => ({ clusters: changes.map((change) => change.cluster), changes }));
}

function fieldLines(
  fields: readonly FieldChange[],
  where: string,
  paint: Emphasis,
  overrides: readonly OverriddenField[] = [],
): string[] {
  const lines = fields.slice(0, MOST_FIELDS).map(({ path, before, after, writer }) => {
    const old = before === undefined ? "" : `${paint.red(value(before))} → `;
    const fresh = after === undefined ? paint.red("removed") : paint.green(value(after));
    const by = overrides.find((field) => path === field.path || path.startsWith(`${field.path}.`));
    const source = by !== undefined ? overrideSource(by) : writer !== undefined ? writerText(writer) : "";
    return `    ${path}   ${old}${fresh}${where}${source === "" ? "" : `   ${source}`}`;
  });
  if (fields.length > MOST_FIELDS) lines.push(`    and ${fields.length - MOST_FIELDS} more fields${where}`);
  return lines;
}

/** `Deployment shop/web, ConfigMap shop/settings and 3 more`. */
export function someObjects(objects: readonly ObjectRef[], most = 3): string {
  const names = objects.map(objectName);
  return names.length <= most ? andList(names) : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

const MOST_LOSSES = 6;

/** `If paris-1 fails: web keeps 4 of 6 replicas, 6 with failover.   before: 2 of 6, 6 with failover` */
function whatIfLines(whatIf: readonly WhatIf[]): string[] {
  // What changes is worth more than what stays as it is.
  const changed = whatIf.filter(({ objects }) => objects.some((object) => !isSame(object)));
  const shown = changed.slice(0, MOST_LOSSES).map(({ loss, objects }) => {
    const name = loss.what === "region" ? `region ${loss.name}` : loss.name;
    const differing = objects.filter((object) => !isSame(object));
    const texts = differing.slice(0, 3).map(({ object, after }) => `${object.name} ${survivalText(after)}`);
    const more = differing.length > 3 ? `, and ${differing.length - 3} more objects differ` : "";
    const [first] = differing;
    const before =
      differing.length === 1 && first?.before !== undefined ? `   before: ${beforeText(first.before)}` : "";
    return `If ${name} fails: ${texts.join(", ")}${more}.${before}`;
  });
  return changed.length > MOST_LOSSES ? [...shown, `and ${changed.length - MOST_LOSSES} more cases (-o json)`] : shown;
}

function isSame({ before, after }: SurvivalChange): boolean {
  return before?.placed === after?.placed && before?.kept === after?.kept && before?.recovered === after?.recovered;
}

function survivalText(survival: Survival | undefined): string {
  if (survival === undefined) return "is not touched";
  const { placed, kept, recovered } = survival;
  const atOnce = kept === 0 ? "is down" : `keeps ${kept} of ${count(placed, "replica")}`;
  return recovered > kept ? `${atOnce}, ${recovered} with failover` : atOnce;
}

function beforeText({ placed, kept, recovered }: Survival): string {
  return `${kept} of ${placed}${recovered > kept ? `, ${recovered} with failover` : ""}`;
}
