// A plan as a page of one file.
import type { PlanReport } from "../../../api/plan-report.ts";
import { refKey } from "../../../kube/object.ts";
import { LeftOut, type ReportLinks } from "../markdown/style.ts";
import { testCounts } from "../markdown/test-section.ts";
import { changesSection } from "./changes-section.ts";
import { clusterSection } from "./cluster-section.ts";
import type { Page } from "./elements.ts";
import { footBlock, headBlock } from "./frame.ts";
import { type Html, html } from "./html.ts";
import { pageHtml } from "./page.ts";
import { placementSection } from "./placement-section.ts";
import { driftSection, findingSection, lossSection, testSection } from "./remark-sections.ts";
import { hookSection, keptSection, noteSection, rolloutSection, unknownSection } from "./sync-sections.ts";

export interface HtmlOptions {
  /** Where files and commits can be looked at; without them the page leads nowhere. */
  readonly links?: ReportLinks;
}

interface Section {
  /** The part of the address that leads here. */
  readonly id: string;
  readonly title: string;
  /** What the list of sections calls it, where that is shorter. */
  readonly short?: string;
  readonly content: Html | undefined;
}

/** With fewer sections everything is in sight. */
const FEWEST_LISTED = 3;

/**
 * The report as one HTML file that needs nothing else, in the order and words of the Markdown. Bounded in length: what was
 * left out is told at the end. Text of the repository stays text.
 */
export function planHtml(report: PlanReport, { links = {} }: HtmlOptions = {}): string {
  const leftOut = new LeftOut();
  const { section: changes, anchors } = changesSection(report, { links, leftOut, changesOf: () => undefined });
  const page: Page = { links, leftOut, changesOf: (object) => anchors.get(refKey(object)) };
  const { objects, tests = [], valid, whatIf, clusters } = report;
  const sections: readonly Section[] = [
    { id: "findings", title: valid ? "Findings" : "Why", content: findingSection(report, page) },
    { id: "clusters", title: "Clusters", content: clusterSection(clusters, page) },
    { id: "placement", title: "Placement", content: placementSection(objects, page) },
    { id: "rollout", title: "Rollout", content: rolloutSection(objects, page) },
    { id: "losses", title: "If a part of the fleet fails", content: lossSection(whatIf, page) },
    {
      id: "tests",
      title: `Fleet tests: ${testCounts(tests)}`,
      short: "Fleet tests",
      content: tests.length === 0 ? undefined : testSection(tests, page),
    },
    { id: "drift", title: "Drift on what changes", content: driftSection(report, page) },
    { id: "changes", title: "Changes", content: changes },
    { id: "hooks", title: "Hooks", content: hookSection(report, page) },
    { id: "kept", title: "No longer in the source, and kept", content: keptSection(report, page) },
    { id: "unknown", title: "Not known", content: unknownSection(report, page) },
    { id: "notes", title: "Notes", content: noteSection(report, page) },
  ];
  const told = sections.filter(({ content }) => content !== undefined);
  const body = html`<header>
${headBlock(report, page)}${told.length < FEWEST_LISTED ? undefined : contents(told)}</header>
<main>
${told.map(({ id, title, content }) => html`<section class="${id}" aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${content}</section>\n`)}</main>
${footBlock(report, page)}`;
  return pageHtml(`Plan: ${report.verdict}`, body);
}

function contents(sections: readonly Section[]): Html {
  const items = sections.map(({ id, title, short = title }) => html`<li><a href="#${id}">${short}</a></li>`);
  return html`<nav aria-label="On this page"><ul>${items}<li><button type="button" id="unfold" aria-pressed="false" hidden>Unfold all</button></li></ul></nav>\n`;
}
