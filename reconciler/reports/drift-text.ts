// Drift as people read it.
import type { ObjectRef } from "../../kube/object.ts";
import { type CopyState, type DriftedField, type DriftGroup, groupDrift } from "../plan/live-drift.ts";
import { ageOf, clusterList, count, objectName, value } from "./words.ts";

/** Drift that was noticed before, from the Events of templates. */
export interface PastDrift {
  readonly object: ObjectRef;
  readonly message: string;
  readonly corrected: boolean;
  /** RFC 3339. */
  readonly at: string;
  readonly times: number;
}

export interface DriftReport {
  readonly copies: readonly CopyState[];
  readonly clusters: readonly string[];
  /** Clusters that could not be asked, and why. */
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
  /** What clusters say of copies that no Work stands behind. */
  readonly leftOver: readonly { readonly cluster: string; readonly message: string }[];
  readonly past: readonly PastDrift[];
}

export interface Emphasis {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

const MOST_PAST = 5;

export function driftText(report: DriftReport, nowMs: number, paint: Emphasis): string {
  const groups = groupDrift(report.copies);
  const { good, text } = driftVerdict(report, groups);
  const lines = [good ? `${paint.green("✔")} ${text}` : text];
  let last = "";
  for (const group of groups) {
    const name = objectName(group.object);
    if (name !== last) lines.push("", `  ${paint.bold(name)}`);
    last = name;
    lines.push(...groupLines(group, nowMs, paint));
  }
  const [kept] = report.copies.filter((copy) => copy.state === "drifted" && copy.fields.some(isKept(copy)));
  if (kept !== undefined) lines.push("", ...hints(kept.object, paint));
  const waiting = report.copies.filter((copy) => copy.state === "waiting");
  if (waiting.length > 0) lines.push("", ...waiting.slice(0, 5).map((copy) => waitingLine(copy, paint)));
  if (waiting.length > 5) lines.push(`  and ${waiting.length - 5} more that wait to be applied`);
  const unknown = report.copies.filter((copy) => copy.state === "unknown");
  if (unknown.length > 0) lines.push("", ...unknown.slice(0, 5).map((copy) => unknownLine(copy, paint)));
  if (unknown.length > 5) lines.push(`  and ${unknown.length - 5} more of which it is not known`);
  for (const { cluster, reason } of report.unreachable)
    lines.push("", `  ${paint.yellow("⚠")} cluster ${cluster} could not be asked: ${reason}`);
  for (const { cluster, message } of report.leftOver)
    lines.push("", `  ${paint.yellow("⚠")} left over in ${cluster}: ${message}`);
  if (report.past.length > 0) {
    lines.push("", "  Noticed lately:");
    lines.push(...report.past.slice(0, MOST_PAST).map((past) => pastLine(past, nowMs)));
    if (report.past.length > MOST_PAST) lines.push(`    and ${report.past.length - MOST_PAST} more (-o json)`);
  }
  return lines.join("\n");
}

/** The outcome in a sentence, and whether everything is as wanted. */
export function driftVerdict(
  report: DriftReport,
  groups: readonly DriftGroup[],
): { readonly good: boolean; readonly text: string } {
  const isAllKnown = report.unreachable.length === 0 && knownCopies(report).length === report.copies.length;
  return { good: groups.length === 0 && isAllKnown, text: verdictText(report, groups) };
}

/** Copies of which it is known whether they are as wanted. */
function knownCopies({ copies }: DriftReport): readonly CopyState[] {
  return copies.filter(({ state }) => state !== "unknown" && state !== "waiting");
}

function verdictText(report: DriftReport, groups: readonly DriftGroup[]): string {
  const { copies, clusters } = report;
  const touched = new Set(groups.flatMap((group) => group.clusters));
  const unasked = report.unreachable.filter(({ cluster }) => !touched.has(cluster)).length;
  const asked = clusters.length - unasked;
  const known = knownCopies(report).length;
  if (groups.length === 0 && known < copies.length)
    return `No drift in ${known} of ${count(copies.length, "copy", "copies")} in ${count(asked, "cluster")}; of the rest it is not known.`;
  if (groups.length === 0 && unasked > 0)
    return `No drift in ${count(copies.length, "copy", "copies")} in ${asked} of ${count(clusters.length, "cluster")}; of the rest it is not known.`;
  if (groups.length === 0)
    return `No drift: ${count(copies.length, "copy", "copies")} in ${count(asked, "cluster")} ${copies.length === 1 ? "is" : "are"} as wanted.`;
  const fields = groups.filter((group) => group.path !== "").length;
  const missing = groups.length - fields;
  const objects = new Set(groups.map((group) => objectName(group.object))).size;
  const what =
    missing === 0
      ? `${count(fields, "field")} in ${count(objects, "object")} ${fields === 1 ? "differs" : "differ"} from what is wanted`
      : fields === 0
        ? `${count(missing, "object")} ${missing === 1 ? "is" : "are"} missing`
        : `${count(objects, "object")} ${objects === 1 ? "is" : "are"} not as wanted`;
  return `${what}, in ${touched.size} of ${count(asked, "cluster")}. ${fate(copies)}`;
}

function unknownLine({ cluster, object, message }: CopyState, paint: Emphasis): string {
  return `  ${paint.yellow("?")} ${objectName(object)} in ${cluster}: ${message ?? ""}`;
}

/** Whether a field stays as it was found. */
function isKept(copy: CopyState): (field: DriftedField) => boolean {
  return ({ mode }) => (mode ?? copy.mode) !== "correct";
}

/** What can be done about what stays. */
function hints(object: ObjectRef, paint: Emphasis): string[] {
  const words = `${object.kind.toLowerCase()}/${object.name}${object.namespace === undefined ? "" : ` -n ${object.namespace}`}`;
  return [
    paint.dim(`  keep theirs: flaghoist drift adopt ${words}     let clusters decide: flaghoist drift ignore ${words}`),
  ];
}

/** What becomes of the drift. */
function fate(copies: readonly CopyState[]): string {
  const kept = copies.filter((copy) => copy.state === "drifted" && copy.fields.some(isKept(copy)));
  if (kept.length === 0) return "It is undone as soon as it is noticed.";
  const [first] = kept;
  const syncs = [...new Set(kept.map((copy) => copy.sync).filter((sync) => sync !== undefined))];
  const mode = first?.fields.find(isKept(first))?.mode ?? first?.mode ?? "report";
  return syncs.length === 0
    ? `Correcting is off (drift: ${mode}).`
    : `Correcting is off for Sync ${clusterList(syncs)} (drift: ${mode}).`;
}

function groupLines(group: DriftGroup, nowMs: number, paint: Emphasis): string[] {
  const where = `in ${clusterList(group.clusters)}`;
  if (group.path === "") return [`    ${paint.red("missing")}   ${where}`];
  const by = group.manager === undefined ? "" : `   by ${group.manager}`;
  const since = ageOf(group.since, nowMs);
  const seen = ageOf(group.firstSeen, nowMs);
  return [
    `    ${group.path}`,
    `      wanted ${paint.green(value(group.wanted))}   found ${paint.red(value(group.found))}   ${where}${by}${since === undefined ? "" : `, ${since} ago`}${seen === undefined ? "" : `   first seen ${seen} ago`}`,
  ];
}

function waitingLine(copy: CopyState, paint: Emphasis): string {
  return `  ${paint.yellow("⚠")} ${objectName(copy.object)} in ${copy.cluster} is not applied: ${copy.message ?? "not tried yet"}`;
}

function pastLine(past: PastDrift, nowMs: number): string {
  const at = ageOf(past.at, nowMs);
  const times = past.times > 1 ? `, ${past.times} times` : "";
  return `    ${at === undefined ? "" : `${at} ago${times}  `}${objectName(past.object)}  ${past.message}${past.corrected ? "  → undone" : ""}`;
}
