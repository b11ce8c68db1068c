// What stands around the sections of a report: the verdict above, where it comes from and what was left out below.
import type { PlanReport } from "../../../api/plan-report.ts";
import { count, shortCommit } from "../words.ts";
import { alertBlock, codeNames, smallBlock, tableBlock } from "./blocks.ts";
import { blocksSize, joinBlocks, type Room } from "./budget.ts";
import { isTouched } from "./cluster-section.ts";
import { type Style, shortHash, timeText } from "./style.ts";
import { testCounts } from "./test-section.ts";

export interface FrameOptions {
  readonly marker?: string;
  /** What a person writes to approve the plan: `/flaghoist approve HASH`. Absent: nobody listens to comments. */
  readonly approve?: string;
  /** Where the whole report is when this one is cut, in words: `the file plan.html of this job`. */
  readonly whole?: string;
  /** Says nothing of when it was made and how long that took, so that the same plan is the same text. */
  readonly undated?: boolean;
}

/** The verdict, what is compared, and what a person has to do before anything happens. */
export function headBlocks(report: PlanReport, style: Style, { approve }: FrameOptions): string[] {
  const { text, dialect } = style;
  const { held, renderHash, state, verdict } = report;
  const asked =
    approve === undefined || renderHash === undefined || state === "refused"
      ? ""
      : `. Or approve it before the merge, with a comment ${text.code(approve)}.`;
  return [
    `### ${text.prose(verdict)}`,
    subjectLine(report, style),
    ...(held === undefined
      ? []
      : [alertBlock(dialect, "WARNING", `**Held for a person:** ${text.prose(withoutHeld(held))}${asked}`)]),
    ...(state === "refused"
      ? [alertBlock(dialect, "CAUTION", "**Refused:** nothing of this can be applied; what runs stays as it is.")]
      : []),
  ];
}

/** The words after a heading that says so already. */
export function withoutHeld(held: string): string {
  return held.replace(/^held: /, "");
}

/** `Sync shop/apps: main 81d0e44 → two-regions 3f9c2ab, compared with 3 live clusters.` */
function subjectLine({ subject }: PlanReport, style: Style): string {
  const { text } = style;
  const { base, fleet, head, path, syncs = [] } = subject;
  const side = ({ name, commit }: { readonly name: string; readonly commit?: string | undefined }) => {
    // No branch has a space in its name: these are words, such as `the working directory`.
    const words = name.includes(" ") ? text.prose(name) : text.code(name);
    return commit === undefined || commit === name ? words : `${words} ${commitCode(commit, style)}`;
  };
  const [first] = syncs;
  const several = syncs.length > 1 ? `Syncs ${codeNames(text, syncs)}` : undefined;
  const what = first === undefined ? `Folder ${text.code(path)}` : (several ?? `Sync ${text.code(first)}`);
  const from = base === undefined ? "what the control plane has" : side(base);
  const clusters = count(fleet.clusters, `${fleet.from === "live" ? "live " : ""}cluster`);
  const taken = fleet.takenAt === undefined ? "" : ` of ${timeText(fleet.takenAt, style)}`;
  const against = fleet.from === "live" ? clusters : `a snapshot${taken} with ${clusters}`;
  const compared = fleet.clusters === 0 ? "" : `, compared with ${against}`;
  return `${what}: ${from} → ${side(head)}${compared}.`;
}

function commitCode(commit: string, { links, text }: Style): string {
  return text.link(text.code(shortCommit(commit)), links.commit?.(commit));
}

/** `Commit 3f9c2ab · render hash 9c1f7e02b4d8 · Flaghoist 0.1.0 · 2026-11-29 09:30 UTC · 0.4 s`, and how to approve. */
export function footerLine(
  { made, renderHash, state, subject }: PlanReport,
  style: Style,
  options: FrameOptions,
): string {
  const { text } = style;
  const { commit } = subject.head;
  const approve =
    options.approve === undefined || renderHash === undefined || state === "unchanged" || state === "refused"
      ? []
      : [`approve with a comment ${text.code(options.approve)}, which holds for this render hash only`];
  return [
    ...(commit === undefined ? [] : [`commit ${commitCode(commit, style)}`]),
    ...(renderHash === undefined ? [] : [`render hash ${text.code(shortHash(renderHash))}`]),
    `Flaghoist ${text.prose(made.version)}`,
    ...(style.undated === true ? [] : [timeText(made.at, style), `${(made.tookMs / 1000).toFixed(1)} s`]),
    ...approve,
  ].join(" · ");
}

/** What was left out for length, by this report or by who made it, and where it can be read. */
export function leftOutBlocks({ cut = [] }: PlanReport, style: Style, options: FrameOptions): string[] {
  const { leftOut, text } = style;
  const parts = [
    ...leftOut.parts(),
    ...cut.map(({ what, left, of }) => `${left} of ${of} ${text.prose(what, "line", 60)}`),
  ];
  return parts.length === 0
    ? []
    : [`Left out for length: ${parts.slice(0, 10).join(", ")}.${wholeText(style, options)}`];
}

function wholeText({ links, text }: Style, { whole }: FrameOptions): string {
  const words = whole === undefined ? undefined : text.prose(whole, "line", 120);
  if (links.report !== undefined) return ` All of it: ${text.link(words ?? "the whole report", links.report)}.`;
  return words === undefined ? " All of it: `flaghoist plan -o html`." : ` All of it: ${words}.`;
}

/**
 * What is said when nothing else fits: the verdict and its numbers, then the verdict alone, then only what has to stay:
 * marker and footer.
 */
export function leastReport(report: PlanReport, style: Style, room: Room, options: FrameOptions): string {
  const { text, dialect } = style;
  const marker = options.marker === undefined ? [] : [options.marker];
  const footer = smallBlock(dialect, footerLine(report, style, options));
  const left = (most: number) => `### ${text.prose(report.verdict, "line", most)}`;
  const cut = `This report is too long for a comment.${wholeText(style, options)}`;
  const tries = [
    [...marker, left(400), countTable(report), cut, footer],
    [...marker, left(120), cut, footer],
    [...marker, left(60), footer],
    [...marker, footer],
  ];
  const fits = tries.find((blocks) => blocksSize(blocks, room.unit) <= room.size + 2);
  // Fewer characters than these two take are no comment.
  return joinBlocks(fits ?? marker);
}

function countTable({ clusters, findings, objects, problems, tests, unknown, whatIf }: PlanReport): string {
  const severities = [...problems, ...findings].map(({ severity }) => severity);
  const of = (change: string) => objects.filter((object) => object.change === change).length;
  const lost = whatIf.filter((loss) =>
    loss.objects.some(({ outcome }) => outcome === "down" || outcome === "below-minimum"),
  );
  const rows: (readonly [string, number | string])[] = [
    ["objects created", of("created")],
    ["objects changed", of("changed")],
    ["objects deleted", of("deleted")],
    ["objects of which it is not known", unknown.length],
    ["clusters touched", `${clusters.filter(isTouched).length} of ${clusters.length}`],
    ["errors", severities.filter((severity) => severity === "error").length],
    ["warnings", severities.filter((severity) => severity === "warning").length],
    ["losses that a workload does not survive", lost.length],
    ["fleet tests", testCounts(tests ?? [])],
  ];
  return tableBlock(
    [{ title: "what" }, { title: "how many", align: "right" }],
    rows.filter(([, number]) => number !== 0 && number !== "").map(([what, number]) => [what, String(number)]),
  );
}

/** Whether the verdict says everything. */
export function isSilent(report: PlanReport): boolean {
  const { drift, driftUnknown, findings, held, notes, objects, problems, deletionsUnknown, tests, unknown, state } =
    report;
  const told = [drift, driftUnknown, findings, report.kept, notes, objects, problems, unknown];
  return (
    state === "unchanged" &&
    told.every((list) => list === undefined || list.length === 0) &&
    held === undefined &&
    report.hooks === undefined &&
    deletionsUnknown === undefined &&
    (tests ?? []).every(({ outcome }) => outcome !== "failed")
  );
}
