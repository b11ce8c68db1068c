import { describe, expect, it } from "vitest";
import type { Place } from "../../api/plan-report.ts";
import { sizeOf } from "../../reconciler/reports/markdown/budget.ts";
import { DIALECTS, type DialectName } from "../../reconciler/reports/markdown/dialects.ts";
import { planMarkdown } from "../../reconciler/reports/markdown/plan-markdown.ts";
import { hugeReport } from "../../reconciler/reports/testing/huge-report.ts";
import { HEAD_COMMIT } from "../../reconciler/reports/testing/sample-parts.ts";
import { SAMPLES } from "../../reconciler/reports/testing/sample-reports.ts";
import { expectGolden } from "./golden.ts";

const MARKER = "<!-- flaghoist:plan:shop/apps -->";
const links = {
  place: ({ file, line, commit = HEAD_COMMIT }: Place) =>
    `https://git.example/shop/deploy/blob/${commit}/${encodeURI(file.toWellFormed())}${line === undefined ? "" : `#L${line}`}`,
  commit: (commit: string) => `https://git.example/shop/deploy/commit/${commit}`,
};

describe("the comment on GitHub", () => {
  const { huge: _, ...readable } = SAMPLES;

  it.each(Object.entries(readable))("reads well: %s", (name, make) => {
    const markdown = planMarkdown(make(), { dialect: "github", marker: MARKER, links, approve: "/flaghoist approve" });

    expectGolden(`markdown/github-${name}.md`, `${markdown}\n`);
  });
});

describe("the comment elsewhere", () => {
  it.each(["gitlab", "gitea", "bitbucket-cloud", "azure-devops"] as const)("reads well: %s", (dialect) => {
    const markdown = planMarkdown(SAMPLES.regionLoss(), { dialect });

    expectGolden(`markdown/${dialect}-regionLoss.md`, `${markdown}\n`);
  });

  it("keeps a hostile repository's text as text on Bitbucket, where no tag means anything", () => {
    expectGolden(
      "markdown/bitbucket-cloud-hostile.md",
      `${planMarkdown(SAMPLES.hostile(), { dialect: "bitbucket-cloud" })}\n`,
    );
  });
});

describe("a report that is too long", () => {
  const report = hugeReport({ objects: 200 });
  const LIMITS: readonly (readonly [DialectName, number])[] = [
    ["github", 30_000],
    ["bitbucket-cloud", 12_000],
    ["azure-devops", 6_000],
    ["gitlab", 900],
  ];

  it.each(LIMITS)("says on %s what fits into %d characters, and what it leaves out", (dialect, limit) => {
    const markdown = planMarkdown(report, { dialect, limit, marker: MARKER, whole: "the file plan.html of this job" });

    expect(markdown.length).toBeLessThanOrEqual(limit);
    expectGolden(`markdown/${dialect}-huge.md`, `${markdown}\n`);
  });

  it.each(Object.values(DIALECTS))("fits into what $name takes", (dialect) => {
    const markdown = planMarkdown(SAMPLES.huge(), { dialect: dialect.name });

    expect(sizeOf(markdown, dialect.limit.unit)).toBeLessThanOrEqual(dialect.limit.size);
    expect(sizeOf(markdown, dialect.limit.unit)).toBeGreaterThan(0.5 * Math.min(dialect.limit.size, 300_000));
  });
});
