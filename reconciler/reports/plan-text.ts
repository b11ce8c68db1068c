// A plan as people read it in a terminal: the verdict, the clusters, then what changes in each object.
import type {
  ClusterRow,
  CopyGroup,
  FieldReport,
  ObjectReport,
  PlanReport,
  ReportedDrift,
  ReportedLoss,
  ReportFinding,
} from "../../api/plan-report.ts";
import { refKey } from "../../kube/object.ts";
import type { Emphasis } from "./drift-text.ts";
import { placementReasons } from "./placement-text.ts";
import { alsoText, placeText, rolloutText, survivalBefore, survivalText, writtenBy } from "./plan-words.ts";
import { hookSections, keptSection } from "./sync-words.ts";
import { failedTestLines } from "./test-text.ts";
import { ageOf, clusterList, objectName, value } from "./words.ts";

const MOST_OBJECTS = 30;
const MOST_FIELDS = 10;
const MOST_UNKNOWN = 10;
const MOST_LOSSES = 6;
/** Clusters where nothing changes are listed when they are no more. */
const MOST_QUIET_CLUSTERS = 8;

export function planText(report: PlanReport, nowMs: number, paint: Emphasis): string {
  const { objects, problems } = report;
  if (!report.valid) return refusedText(report, paint);
  const sections: string[][] = [[report.verdict]];
  if (report.clusters.some(isTouched)) sections.push(clusterTable(report, nowMs, paint));
  for (const object of objects.slice(0, MOST_OBJECTS)) sections.push(objectSection(object, paint));
  if (objects.length > MOST_OBJECTS) sections.push([`and ${objects.length - MOST_OBJECTS} more objects (-o json)`]);
  const losses = whatIfLines(report.whatIf);
  if (losses.length > 0) sections.push(losses);
  const tests = failedTestLines(report.tests ?? [], paint);
  if (tests.length > 0) sections.push(tests);
  const broken = problems
    .filter(({ severity }) => severity === "error")
    .flatMap(({ object, message, reasons = [] }) => [
      `${paint.red("✗")} ${object === undefined ? "" : `${objectName(object)}: `}${message}`,
      ...reasons.map((reason) => `    ${reason}`),
    ]);
  if (broken.length > 0) sections.push(broken);
  if (report.unknown.length > 0) sections.push(unknownLines(report.unknown, paint));
  sections.push(...findingSections(report.findings, paint));
  if (report.hooks !== undefined) sections.push(...hookSections(report.hooks, paint));
  if (report.kept !== undefined) sections.push(keptSection(report.kept));
  if (report.notes !== undefined && report.notes.length > 0) sections.push([...report.notes]);
  if (report.held !== undefined) sections.push([`${paint.yellow("⚠")} ${report.held}`]);
  if (report.deletionsUnknown !== undefined) sections.push([paint.dim(report.deletionsUnknown)]);
  return sections.map((lines) => lines.join("\n")).join("\n\n");
}

function refusedText({ verdict, problems }: PlanReport, paint: Emphasis): string {
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = errors.map(
    ({ place, message }) => `  ${paint.red("✗")} ${place === undefined ? "" : `${placeText(place)}: `}${message}`,
  );
  return [verdict, "", ...lines].join("\n");
}

function unknownLines(unknown: PlanReport["unknown"], paint: Emphasis): string[] {
  const lines = unknown
    .slice(0, MOST_UNKNOWN)
    .map(({ object, reason }) => `${paint.yellow("?")} ${objectName(object)}: ${reason}`);
  return unknown.length <= MOST_UNKNOWN ? lines : [...lines, `and ${unknown.length - MOST_UNKNOWN} more (-o json)`];
}

function isTouched({ created, changed, deleted }: ClusterRow): boolean {
  return created + changed + deleted > 0;
}

/** Clusters that change first; many that do not are one row. */
function clusterTable({ clusters, drift }: PlanReport, nowMs: number, paint: Emphasis): string[] {
  const touched = clusters.filter(isTouched);
  const others = clusters.filter((row) => !isTouched(row));
  const hasHeld = clusters.some(({ held = 0 }) => held > 0);
  const header = ["cluster", "created", "changed", "deleted", ...(hasHeld ? ["held"] : []), "replicas", "drift now"];
  const left = new Set(["cluster", "replicas"]);
  const rows = [...touched, ...(others.length > MOST_QUIET_CLUSTERS ? [] : others)].map((row) => ({
    cells: [
      row.cluster,
      String(row.created),
      String(row.changed),
      String(row.deleted),
      ...(hasHeld ? [String(row.held ?? 0)] : []),
      replicasCell(row.replicasBefore, row.replicasAfter),
      String(row.drift),
    ],
    note: driftNote(
      drift.filter((one) => one.clusters.includes(row.cluster)),
      nowMs,
      paint,
    ),
  }));
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (left.has(header[i] ?? "") ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`;
  return [
    paint.dim(line(header)).trimEnd(),
    ...rows.map(({ cells, note }) => `${line(cells)}${note === "" ? "" : `  ${note}`}`),
    ...(others.length > MOST_QUIET_CLUSTERS ? [`  and ${others.length} clusters where nothing changes`] : []),
  ];
}

function replicasCell(before: number, after: number): string {
  if (before === after) return String(after);
  const difference = after - before;
  return `${before} → ${after} (${difference > 0 ? "+" : "−"}${Math.abs(difference)})`;
}

function driftNote(drift: readonly ReportedDrift[], nowMs: number, paint: Emphasis): string {
  const [first] = drift;
  if (first === undefined) return "";
  const by = first.manager === undefined ? "others" : first.manager;
  const since = ageOf(first.since, nowMs);
  const place = `${first.object.namespace ?? ""}${first.object.namespace === undefined ? "" : "/"}${first.object.name}`;
  return paint.yellow(`⚠ ${place} was edited by ${by}${since === undefined ? "" : ` ${since} ago`}`);
}

const MARKS = { created: "+", deleted: "−", changed: "~" } as const;

function objectSection(
  { object, change, place, placement, fields, copies, rollout, notes = [] }: ObjectReport,
  paint: Emphasis,
): string[] {
  const mark = MARKS[change];
  const tint = mark === "+" ? paint.green : mark === "−" ? paint.red : paint.yellow;
  const replicas = replicasLine(placement);
  const lines = [
    `${tint(mark)} ${paint.bold(objectName(object))}${replicas === "" ? "" : `   ${replicas}`}${place === undefined ? "" : `   (${placeText(place)})`}`,
    ...(placement === undefined ? [] : placementReasons(placement).map((line) => `    ${line}`)),
    // What changes in every copy alike is said by the copies; the control plane's own is for objects that stay here.
    ...(copies.length === 0 ? fieldLines(fields, "", paint) : copies.flatMap((group) => copyLines(group, paint))),
    ...(rollout === undefined ? [] : [`    ${rolloutText(rollout)}`]),
    ...notes.map((note) => `    ${note}`),
  ];
  return lines;
}

function copyLines({ clusters, change, fields, held }: CopyGroup, paint: Emphasis): string[] {
  const where = clusterList(clusters);
  const wait = held === undefined ? [] : [`    ${paint.yellow("⚠")} ${where}: ${held}`];
  if (change === "deleted") return [`    ${paint.red("deleted")} from ${where}`, ...wait];
  if (change === "changed") return [...fieldLines(fields, `   in ${where}`, paint), ...wait];
  const overridden = fields.slice(0, MOST_FIELDS).map((field) => `      ${overriddenText(field)}`);
  const more = fields.length - MOST_FIELDS;
  return [
    `    ${paint.green("created")} in ${where}`,
    ...overridden,
    ...(more > 0 ? [`      and ${more} more overridden fields (-o json)`] : []),
    ...wait,
  ];
}

/** `tokyo-1 2 → 4, paris-1 4 → 2`. */
function replicasLine(placement: ObjectReport["placement"]): string {
  const moved = (placement?.clusters ?? []).filter(({ before, after }) => before !== after);
  const texts = moved
    .slice(0, 6)
    .map(({ cluster, before, after }) =>
      before === undefined ? `${cluster} ${after}` : `${cluster} ${before} → ${after ?? 0}`,
    );
  return `${texts.join(", ")}${moved.length > 6 ? `, … (${moved.length} clusters)` : ""}`;
}

function fieldLines(fields: readonly FieldReport[], where: string, paint: Emphasis): string[] {
  const lines = fields.slice(0, MOST_FIELDS).map(({ path, before, after, writer }) => {
    const old = before === undefined ? "" : `${paint.red(value(before))} → `;
    const fresh = after === undefined ? paint.red("removed") : paint.green(value(after));
    return `    ${path}   ${old}${fresh}${where}${writer === undefined ? "" : `   ${writtenBy(writer)}`}`;
  });
  if (fields.length > MOST_FIELDS) lines.push(`    and ${fields.length - MOST_FIELDS} more fields${where}`);
  return lines;
}

/** `image eu.example/web:1 (was web:1) ← override shop/registry, rule 1`. */
function overriddenText({ path, before, after, writer }: FieldReport): string {
  const was = before === undefined ? "" : ` (was ${value(before)})`;
  const what = after === undefined ? "removed" : value(after);
  return `${shortPath(path)} ${what}${was}${writer === undefined ? "" : ` ${writtenBy(writer)}`}`;
}

/** Images are known by that one word; any other field is named whole, without the pod template's way down. */
function shortPath(path: string): string {
  const image = /^spec\.template\.spec\.containers\[([^\]]+)\]\.image$/.exec(path);
  return image === null ? path.replace(/^spec\.template\.spec\./, "…") : "image";
}

/** `If paris-1 fails: web keeps 4 of 6 replicas, 6 with failover.   before: 2 of 6, 6 with failover` */
function whatIfLines(losses: readonly ReportedLoss[]): string[] {
  // What changes is worth more than what stays as it is.
  const changed = losses.filter(({ objects }) => objects.some((object) => !isSame(object)));
  const shown = changed.slice(0, MOST_LOSSES).map(({ loss, objects }) => {
    const name = `${loss.what === "cluster" ? "" : `${loss.what} `}${loss.name}${alsoText(loss)}`;
    const differing = objects.filter((object) => !isSame(object));
    const texts = differing.slice(0, 3).map(({ object, after }) => `${object.name} ${survivalText(after)}`);
    const more = differing.length > 3 ? `, and ${differing.length - 3} more objects differ` : "";
    const [first] = differing;
    const before =
      differing.length === 1 && first?.before !== undefined ? `   before: ${survivalBefore(first.before)}` : "";
    return `If ${name} fails: ${texts.join(", ")}${more}.${before}`;
  });
  return changed.length > MOST_LOSSES ? [...shown, `and ${changed.length - MOST_LOSSES} more cases (-o json)`] : shown;
}

function isSame({ before, after }: ReportedLoss["objects"][number]): boolean {
  return before?.placed === after?.placed && before?.kept === after?.kept && before?.recovered === after?.recovered;
}

/** One section for each object that something was found about. */
function findingSections(findings: readonly ReportFinding[], paint: Emphasis): string[][] {
  const groups = new Map<string, ReportFinding[]>();
  for (const finding of findings) {
    const key = finding.object === undefined ? "" : refKey(finding.object);
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].map((own) => {
    const [first] = own;
    const title = first?.object === undefined ? [] : [paint.bold(objectName(first.object))];
    return [
      ...title,
      ...own.map(({ severity, field, message, advice }) => {
        const mark =
          severity === "error" ? paint.red("✗") : severity === "warning" ? paint.yellow("!") : paint.dim("·");
        return `  ${mark} ${field === undefined ? "" : `${field}: `}${message}${advice === undefined ? "" : `; ${advice}`}`;
      }),
    ];
  });
}
