// A plan as the comment of a pull request.
import type { PlanReport } from "../../../api/plan-report.ts";
import { listBlock, smallBlock } from "./blocks.ts";
import { blocksSize, DETAILS, type Detail, joinBlocks, LEAST, type Room, sizeOf } from "./budget.ts";
import { changesSection, leastDiffSize } from "./changes-section.ts";
import { clusterSection } from "./cluster-section.ts";
import { DIALECTS, type DialectName } from "./dialects.ts";
import { driftSection } from "./drift-section.ts";
import { findingSection } from "./finding-section.ts";
import { type FrameOptions, footerLine, headBlocks, isSilent, leastReport, leftOutBlocks } from "./frame.ts";
import { lossSection } from "./loss-section.ts";
import { placementSection } from "./placement-section.ts";
import { firstItems, LeftOut, objectCode, type ReportLinks, type Style } from "./style.ts";
import { hookSection, keptSection, rolloutSection } from "./sync-section.ts";
import { testCounts, testSection } from "./test-section.ts";
import { SafeText } from "./text.ts";

export interface MarkdownOptions extends FrameOptions {
  readonly dialect: DialectName;
  /** What fits; what the host takes when absent. */
  readonly limit?: number;
  readonly unit?: Room["unit"];
  /** The first line, as it is; it counts for the limit. Absent where whoever posts the report adds it. */
  readonly marker?: string;
  readonly links?: ReportLinks;
}

/** What the words about what was left out may take. */
const ROOM_FOR_LEFT_OUT = 700;
const ROOM_FOR_HEADING = 20;

/**
 * The report as Markdown, of at most `limit`: less is said step by step (`DETAILS`) until it fits, at the least the
 * verdict in numbers. Text of the repository stays text.
 */
export function planMarkdown(report: PlanReport, options: MarkdownOptions): string {
  const dialect = DIALECTS[options.dialect];
  const room: Room = { size: options.limit ?? dialect.limit.size, unit: options.unit ?? dialect.limit.unit };
  const text = new SafeText(dialect);
  const links = options.links ?? {};
  const styleOf = (detail: Detail): Style => ({
    dialect,
    text,
    detail,
    links,
    leftOut: new LeftOut(),
    undated: options.undated === true,
  });
  for (const detail of DETAILS) {
    if (detail.diffs === "all" && leastDiffSize(report.objects, detail.context) > room.size) continue;
    const blocks = reportBlocks(report, styleOf(detail), room, options);
    const markdown = blocks === undefined ? undefined : joinBlocks(blocks);
    if (markdown !== undefined && sizeOf(markdown, room.unit) <= room.size) return markdown;
  }
  return leastReport(report, styleOf(LEAST), room, options);
}

/** The blocks of a report in the detail of `style`; undefined when they do not fit. */
function reportBlocks(report: PlanReport, style: Style, room: Room, options: MarkdownOptions): string[] | undefined {
  const marker = options.marker === undefined ? [] : [options.marker];
  const footer = smallBlock(style.dialect, footerLine(report, style, options));
  if (isSilent(report)) return [...marker, `${style.text.prose(report.verdict)} ${footer}`];

  let left = room.size - blocksSize([...marker, footer], room.unit) - ROOM_FOR_LEFT_OUT;
  const [above, below] = [SECTIONS_ABOVE, SECTIONS_BELOW].map((sections) =>
    sections.flatMap((section) => {
      // What does not fit any more need not be written.
      const blocks = left < 0 ? [] : section(report, style, options);
      left -= blocksSize(blocks, room.unit);
      return blocks;
    }),
  ) as [string[], string[]];
  if (left < ROOM_FOR_HEADING) return undefined;
  const changes = changesSection(report, style, { ...room, size: left - ROOM_FOR_HEADING });
  if (changes === undefined) return undefined;
  return [
    ...marker,
    ...above,
    ...titled("Changes", changes),
    ...below,
    ...leftOutBlocks(report, style, options),
    footer,
  ];
}

type Section = (report: PlanReport, style: Style, options: FrameOptions) => string[];

/** What matters most comes first. */
const SECTIONS_ABOVE: readonly Section[] = [
  headBlocks,
  (report, style) => titled(report.valid ? "Findings" : "Why", findingSection(report, style)),
  (report, style) => titled("Clusters", clusterSection(report.clusters, style)),
  (report, style) => titled("Placement", placementSection(report.objects, style)),
  (report, style) => titled("Rollout", rolloutSection(report.objects, style)),
  (report, style) => titled("If a part of the fleet fails", lossSection(report.whatIf, style)),
  ({ tests = [] }, style) =>
    tests.length === 0 ? [] : [`#### Fleet tests: ${testCounts(tests)}`, ...testSection(tests, style)],
  (report, style) => titled("Drift on what changes", driftSection(report, style)),
];

const SECTIONS_BELOW: readonly Section[] = [
  (report, style) => titled("Hooks", hookSection(report, style)),
  (report, style) => titled("No longer in the source, and kept", keptSection(report, style)),
  (report, style) => titled("Not known", unknownBlocks(report, style)),
  ({ notes = [] }, style) =>
    titled("Notes", itemsBlock(firstItems(notes, style, "notes", (note) => style.text.prose(note)))),
];

function unknownBlocks({ deletionsUnknown, unknown }: PlanReport, style: Style): string[] {
  const items = firstItems(
    unknown,
    style,
    "objects of which it is not known",
    ({ object, reason }) => `${objectCode(object, style)}: ${style.text.prose(reason)}`,
  );
  return itemsBlock([...(deletionsUnknown === undefined ? [] : [style.text.prose(deletionsUnknown)]), ...items]);
}

function itemsBlock(items: readonly string[]): string[] {
  return items.length === 0 ? [] : [listBlock(items)];
}

function titled(title: string, blocks: readonly string[]): string[] {
  return blocks.length === 0 ? [] : [`#### ${title}`, ...blocks];
}
