// Drift of a repository's objects as a comment or an issue that is kept up to date.
import { refKey } from "../../../kube/object.ts";
import { type DriftGroup, groupDrift } from "../../plan/live-drift.ts";
import { type DriftReport, driftVerdict, type PastDrift } from "../drift-text.ts";
import { ageOf, objectName, value } from "../words.ts";
import { codeNames, listBlock, smallBlock } from "./blocks.ts";
import { DETAILS, type Detail, joinBlocks, LEAST, type Room, sizeOf } from "./budget.ts";
import { DIALECTS, type DialectName } from "./dialects.ts";
import { firstItems, LeftOut, type Style, timeText } from "./style.ts";
import { SafeText } from "./text.ts";

export interface DriftMarkdownOptions {
  readonly dialect: DialectName;
  /** What fits; what the host takes when absent. */
  readonly limit?: number;
  readonly unit?: Room["unit"];
  /** The time of the report. */
  readonly nowMs: number;
  readonly version: string;
  /** What people may write, where somebody listens: `/flaghoist drift adopt`. */
  readonly commands?: readonly string[];
  /** Where they may write it; below the report when absent. */
  readonly listensIn?: string;
  /** Says nothing that changes with the time of the report alone: equal drift gives an equal text. */
  readonly undated?: boolean;
}

/** At the least there is the verdict. Text of clusters and users stays text. */
export function driftMarkdown(report: DriftReport, options: DriftMarkdownOptions): string {
  const dialect = DIALECTS[options.dialect];
  const room: Room = { size: options.limit ?? dialect.limit.size, unit: options.unit ?? dialect.limit.unit };
  const text = new SafeText(dialect);
  const { undated = false } = options;
  const styleOf = (detail: Detail): Style => ({ dialect, text, detail, links: {}, leftOut: new LeftOut(), undated });
  const fits = (blocks: readonly string[]) => sizeOf(joinBlocks(blocks), room.unit) <= room.size;
  // These reports have no diffs: only the lengths of lists make a difference.
  const lengths = new Map(DETAILS.map((detail) => [detail.most, detail]));
  for (const detail of lengths.values()) {
    const blocks = driftBlocks(report, styleOf(detail), options);
    if (fits(blocks)) return joinBlocks(blocks);
  }
  const style = styleOf(LEAST);
  const least = [headLine(report, style), footer(style, options)];
  return joinBlocks(fits(least) ? least : least.slice(1));
}

function headLine(report: DriftReport, { text }: Style): string {
  return `### ${text.prose(driftVerdict(report, groupDrift(report.copies)).text)}`;
}

function driftBlocks(report: DriftReport, style: Style, options: DriftMarkdownOptions): string[] {
  const { text, leftOut } = style;
  const { nowMs, commands = [], listensIn = "a comment" } = options;
  const groups = groupDrift(report.copies);
  const byObject = Map.groupBy(groups, ({ object }) => refKey(object));
  const waiting = report.copies.filter(({ state }) => state === "waiting");
  const unknown = report.copies.filter(({ state }) => state === "unknown");
  const objects = firstItems([...byObject.values()], style, "objects", (own) => objectText(own, nowMs, style));
  const not = [
    ...firstItems(
      waiting,
      style,
      "copies that wait",
      ({ cluster, object, message }) =>
        `${text.code(objectName(object))} in ${text.code(cluster)} is not applied: ${text.prose(message ?? "not tried yet")}`,
    ),
    ...firstItems(
      unknown,
      style,
      "copies of which it is not known",
      ({ cluster, object, message }) =>
        `${text.code(objectName(object))} in ${text.code(cluster)}: ${text.prose(message ?? "not known")}`,
    ),
    ...firstItems(
      report.unreachable,
      style,
      "clusters that could not be asked",
      ({ cluster, reason }) => `${text.code(cluster)} could not be asked: ${text.prose(reason)}`,
    ),
  ];
  const over = firstItems(
    report.leftOver,
    style,
    "copies left over",
    ({ cluster, message }) => `${text.code(cluster)}: ${text.prose(message)}`,
  );
  const past = firstItems(report.past, style, "earlier drifts", (one) => pastText(one, nowMs, style));
  return [
    headLine(report, style),
    ...(objects.length === 0 ? [] : [listBlock(objects)]),
    ...(groups.length === 0 || commands.length === 0
      ? []
      : [`What can be done, in ${listensIn}: ${commands.map((command) => text.code(command)).join(" or ")}.`]),
    ...titled("Not known", not),
    ...titled("Left over", over),
    ...titled("Noticed lately", past),
    ...(leftOut.parts().length === 0
      ? []
      : [`Left out for length: ${leftOut.parts().join(", ")}. All of it: \`flaghoist drift\`.`]),
    footer(style, options),
  ];
}

function titled(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`#### ${title}`, listBlock(items)];
}

function objectText(groups: readonly DriftGroup[], nowMs: number, style: Style): string {
  const [first] = groups;
  if (first === undefined) return "";
  const lines = groups.slice(0, style.detail.most).map((group) => `- ${groupText(group, nowMs, style)}`);
  const more = groups.length - lines.length;
  style.leftOut.add("fields", more, groups.length);
  return [
    `**${style.text.code(objectName(first.object))}**`,
    ...lines,
    ...(more === 0 ? [] : [`- and ${more} more fields`]),
  ].join("\n");
}

/** `spec.replicas` in `paris-1`: wanted `2`, found `5`, by `kubectl-scale` 2h ago, first seen 3 days ago */
function groupText(
  { clusters, found, firstSeen, manager, path, since, wanted }: DriftGroup,
  nowMs: number,
  style: Style,
): string {
  const { text } = style;
  const where = `in ${codeNames(text, clusters)}`;
  if (path === "") return `missing ${where}`;
  const [at, seen] = [momentText(since, nowMs, style), momentText(firstSeen, nowMs, style)];
  const by = manager === undefined ? "" : `, by ${text.code(manager)}`;
  const when = at === undefined ? "" : `${by === "" ? "," : ""} ${at}`;
  return `${text.code(path)} ${where}: wanted ${text.code(value(wanted))}, found ${text.code(value(found))}${by}${when}${seen === undefined ? "" : `, first seen ${seen}`}`;
}

/** `2h ago`, or `2026-11-29 07:30 UTC` where the text is not to age; undefined for no time. */
function momentText(time: string | undefined, nowMs: number, style: Style): string | undefined {
  const age = ageOf(time, nowMs);
  if (time === undefined || age === undefined) return undefined;
  return style.undated === true ? timeText(time, style) : `${age} ago`;
}

function pastText({ at, corrected, message, object, times }: PastDrift, nowMs: number, style: Style): string {
  const { text } = style;
  const moment = momentText(at, nowMs, style);
  const often = times > 1 ? `, ${times} times` : "";
  return `${moment === undefined ? "" : `${moment}${often}: `}${text.code(objectName(object))} ${text.prose(message)}${corrected ? " → undone" : ""}`;
}

function footer(style: Style, { nowMs, version }: DriftMarkdownOptions): string {
  const { dialect, text, undated } = style;
  const at = undated === true ? "" : ` · ${timeText(new Date(nowMs).toISOString(), style)}`;
  return smallBlock(
    dialect,
    `Flaghoist ${text.prose(version)}${at} · kept up to date, and closed when all is as wanted`,
  );
}
