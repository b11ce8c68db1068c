// What changes in each object: folded away, one below the other.
import type {
  CopyGroup,
  DiffLine,
  ManifestDiff,
  ObjectReport,
  PlanReport,
  Severity,
} from "../../../api/plan-report.ts";
import { refKey } from "../../../kube/object.ts";
import { count, objectName } from "../words.ts";
import { codeNames, foldedBlock, listBlock, longList, summaryPlace } from "./blocks.ts";
import { type Room, sizeOf } from "./budget.ts";
import { diffBlocks, fieldItems, LONGEST_CONTENT } from "./diff-block.ts";
import { placeCode, type Style } from "./style.ts";
import type { TextPlace } from "./text.ts";

/** Where nothing can be folded, more diffs than these would bury the rest. */
const MOST_UNFOLDED = 10;
/** A diff that wants more than this share of what is left gives way to others. */
const LARGEST_SHARE = 0.5;
/** After so many that did not fit, nothing is tried any more. */
const MOST_MISSES = 20;

/** Objects without a diff, before the others are folded. */
const SHOWN = 15;

const SEVERITIES: readonly Severity[] = ["error", "warning", "notice"];
const NOT_FOUND = SEVERITIES.length;

/** Blocks of the section, without its heading; undefined when it does not fit. */
export function changesSection(report: PlanReport, style: Style, room: Room): string[] | undefined {
  const objects = inOrder(report);
  const told = objects.slice(0, style.detail.most);
  const lines = told.map((object) => summaryLine(object, style));
  const more = objects.length - told.length;
  const tail = more === 0 ? [] : [`and ${more} more objects`];
  style.leftOut.add("objects that change", more, objects.length);

  const wanted = told.flatMap((object, index) => (hasBody(object) ? [index] : []));
  const bodies = new Map<number, string>();
  let left = room.size - sizeOf(listBlock([...lines, ...tail]), room.unit);
  if (left < 0 && style.detail.diffs === "fitting") return undefined;
  let misses = 0;
  for (const index of wanted) {
    const object = told[index];
    if (object === undefined || misses >= MOST_MISSES) break;
    if (!style.dialect.html && bodies.size >= MOST_UNFOLDED) break;
    const block = objectBlock(object, style);
    const size = sizeOf(block, room.unit) + 2 - sizeOf(lines[index] ?? "", room.unit);
    if (style.detail.diffs === "fitting" && size > left * LARGEST_SHARE) {
      misses++;
      continue;
    }
    left -= size;
    if (left < 0) return undefined;
    bodies.set(index, block);
  }
  const bodied = objects.filter(hasBody).length;
  style.leftOut.add("diffs", bodied - bodies.size, bodied);
  const rest = lines.filter((_, index) => !bodies.has(index));
  const items = [...rest, ...tail];
  if (items.length === 0) return [...bodies.values()];
  const short = longList(style.dialect, items, { shown: SHOWN, more: (number) => `${number} more` });
  return [...bodies.values(), ...short];
}

/** What all diffs take at the least: a way to know without writing them that they do not fit. */
export function leastDiffSize(objects: readonly ObjectReport[], context: number): number {
  const counted = (lines: readonly DiffLine[]) =>
    lines.reduce(
      (sum, { op, text }) => sum + (op === " " && context < 3 ? 0 : Math.min(text.length, LONGEST_CONTENT) + 2),
      0,
    );
  const sizeOfDiff = (diff: ManifestDiff | undefined) =>
    (diff?.hunks ?? []).reduce((sum, { lines }) => sum + counted(lines), 0);
  return objects.reduce(
    (sum, { copies, diff }) =>
      sum +
      (copies.length === 0 ? sizeOfDiff(diff) : copies.reduce((total, group) => total + sizeOfDiff(group.diff), 0)),
    0,
  );
}

/** Those with findings first: their diffs are wanted most. */
export function inOrder({ findings, objects }: PlanReport): readonly ObjectReport[] {
  const rank = new Map<string, number>();
  for (const { object, severity } of findings) {
    if (object === undefined) continue;
    const key = refKey(object);
    rank.set(key, Math.min(rank.get(key) ?? NOT_FOUND, SEVERITIES.indexOf(severity)));
  }
  const rankOf = ({ object }: ObjectReport) => rank.get(refKey(object)) ?? NOT_FOUND;
  return rank.size === 0 ? objects : objects.toSorted((a, b) => rankOf(a) - rankOf(b));
}

export function hasBody({ copies, diff, fields }: ObjectReport): boolean {
  if (copies.length === 0) return diff !== undefined || fields.length > 0;
  return copies.some((group) => group.diff !== undefined || group.fields.length > 0);
}

/** `Deployment shop/web` changes in 2 clusters (+2 −2). */
function summaryText(report: ObjectReport, style: Style, place: TextPlace): string {
  const { object, change, copies, diff } = report;
  const clusters = new Set(copies.flatMap((group) => group.clusters));
  const verb = { created: "is created", changed: "changes", deleted: "is deleted" }[change];
  const where = clusters.size === 0 ? "" : ` in ${count(clusters.size, "cluster")}`;
  const diffs = [
    ...copies.flatMap((group) => group.diff ?? []),
    ...(copies.length === 0 && diff !== undefined ? [diff] : []),
  ];
  const [added, removed] = [sum(diffs, "added"), sum(diffs, "removed")];
  const lines = added + removed === 0 ? "" : ` (+${added} −${removed})`;
  const held = copies.some((group) => group.held !== undefined) ? ", held" : "";
  return `${style.text.code(objectName(object), place)} ${verb}${where}${held}${lines}`;
}

function summaryLine(report: ObjectReport, style: Style): string {
  const { place } = report;
  return `${summaryText(report, style, "line")}${place === undefined ? "" : `: ${placeCode(place, style)}`}`;
}

function objectBlock(report: ObjectReport, style: Style): string {
  const { dialect, text } = style;
  const { copies, diff, fields, place, notes = [] } = report;
  const summary = summaryText(report, style, summaryPlace(dialect));
  const own =
    copies.length > 0
      ? []
      : diff !== undefined
        ? diffBlocks(diff, style)
        : fields.length === 0
          ? []
          : [listBlock(fieldItems(fields, style))];
  const body = [
    ...(place === undefined ? [] : [`Written in ${placeCode(place, style)}.`]),
    ...own,
    ...copies.flatMap((group) => copyBlocks(group, style, report.change)),
    ...notes.map((note) => text.prose(note)),
  ];
  return foldedBlock(dialect, dialect.html ? summary : `**${summary}**`, body.join("\n\n"));
}

function copyBlocks(group: CopyGroup, style: Style, ofObject: ObjectReport["change"]): string[] {
  const { text } = style;
  const { clusters, change, diff, fields, held } = group;
  const where = codeNames(text, clusters);
  const verb =
    change === ofObject ? "In" : { created: "New in", changed: "Changed in", deleted: "Deleted from" }[change];
  const items = diff === undefined ? fieldItems(fields, style) : [];
  return [
    `${verb} ${where}${held === undefined ? "" : `, held: ${text.prose(held)}`}`,
    ...(diff === undefined ? [] : diffBlocks(diff, style)),
    ...(items.length === 0 ? [] : [listBlock(items)]),
  ];
}

function sum(
  diffs: readonly { readonly added: number; readonly removed: number }[],
  what: "added" | "removed",
): number {
  return diffs.reduce((total, diff) => total + diff[what], 0);
}
