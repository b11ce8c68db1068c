import { describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import { Random } from "../../../runtime/random.ts";
import { markdownStructure, unbalancedTags } from "../../../test/markdown-structure.ts";
import { testSeed } from "../../../test/seed.ts";
import { hugeReport } from "../testing/huge-report.ts";
import { randomReport } from "../testing/random-report.ts";
import { SAMPLES } from "../testing/sample-reports.ts";
import { sizeOf } from "./budget.ts";
import { DIALECTS, type DialectName } from "./dialects.ts";
import { type MarkdownOptions, planMarkdown } from "./plan-markdown.ts";

const MARKER = "<!-- flaghoist:plan:shop/apps -->";
const OUR_HEADINGS =
  /^(?:### |#### (?:Findings|Why|Clusters|Placement|Rollout|If a part of the fleet fails|Fleet tests: [\w ,]+|Drift on what changes|Changes|Hooks|No longer in the source, and kept|Not known|Notes)$)/;
const OUR_TAGS = /^<\/?(?:details|summary|code|sub)>$/;
/** Letters, numbers, and the signs that mean nothing to any host. */
const HARMLESS = /^[\p{L}\p{M}\p{N}\s.,;:!?'"“”‘’„«»()\-–—−+/%→←·…①-⑳]*$/u;
const NAMES = Object.keys(DIALECTS) as DialectName[];

/** What no text of a repository may bring about, whatever it is. */
function expectOurs(markdown: string, { dialect, limit, unit }: MarkdownOptions): void {
  const { html } = DIALECTS[dialect];
  const body = markdown.startsWith(MARKER) ? markdown.slice(MARKER.length) : markdown;
  const found = markdownStructure(body);
  expect(found.headings.filter((heading) => !OUR_HEADINGS.test(heading))).toEqual([]);
  expect(found.links.filter((link) => !link.startsWith("https://ours.example/"))).toEqual([]);
  expect(found.tags.filter((tag) => !html || !OUR_TAGS.test(tag))).toEqual([]);
  expect(unbalancedTags(found.tags)).toEqual([]);
  expect(found.images).toBe(0);
  expect(found.plain.filter((text) => !isHarmless(text))).toEqual([]);
  expect(found.fences.filter(({ language }) => language !== "diff")).toEqual([]);
  expect([...found.kinds].filter((kind) => /ordered_list|hr|code_block|s_open/.test(kind))).toEqual([]);
  expect(body.includes("<!--") || body.includes("[//]:")).toBe(false);
  expect(body.isWellFormed()).toBe(true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there
  expect(body.match(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\u200B]/g)).toBeNull();
  // GitLab does what a line of a comment says that begins so.
  expect(body.split("\n").filter((line) => line.startsWith("/"))).toEqual([]);
  // Each row of a table has the cells of its head.
  for (const table of body.split("\n\n").filter((block) => block.startsWith("| "))) {
    const cells = table.split("\n").map((row) => row.replaceAll("\\|", "").split("|").length);
    expect(new Set(cells).size).toBe(1);
  }
  expect(sizeOf(markdown, unit ?? "characters")).toBeLessThanOrEqual(limit ?? DIALECTS[dialect].limit.size);
}

function isHarmless(text: string): boolean {
  if (text === "[!WARNING]" || text === "[!CAUTION]") return true;
  return HARMLESS.test(text) && !/\b[0-9a-f]{7,}\b|\b[A-Z]+-\d|!\d|:\w+:|www\.|:\/\//.test(text.replace(/xxx+/g, ""));
}

describe("planMarkdown", () => {
  const links = { place: () => "https://ours.example/file", commit: () => "https://ours.example/commit" };

  it.each(NAMES)("lets a hostile repository write nothing but text on %s", (dialect) => {
    const options = { dialect, marker: MARKER, links };

    expectOurs(planMarkdown(SAMPLES.hostile(), options), options);
  });

  it("lets no random text become anything else", () => {
    const seed = testSeed();
    const random = new Random(seed);
    for (let round = 0; round < 150; round++) {
      const report = randomReport(random);
      const unit = random.pick(["characters", "bytes"] as const);
      const options = { dialect: random.pick(NAMES), links, limit: random.pick([1_500, 4_000, 1_000_000]), unit };
      try {
        expectOurs(planMarkdown(report, options), options);
      } catch (cause) {
        throw new Error(`seed ${seed}, round ${round}`, { cause });
      }
    }
  });

  it("stays whole at every limit, with marker and footer", () => {
    const report = hugeReport({ objects: 40, clusters: 20 });
    for (let limit = 190; limit < 30_000; limit = Math.ceil(limit * 1.17)) {
      for (const dialect of ["github", "bitbucket-cloud"] as const) {
        for (const unit of ["characters", "bytes"] as const) {
          const options = { dialect, marker: MARKER, limit, unit };
          const markdown = planMarkdown(report, options);

          expectOurs(markdown, options);
          expect(markdown.startsWith(`${MARKER}\n\n`)).toBe(true);
          expect(markdown.split("\n").at(-1)).toContain("render hash `9c1f7e02b4d8`");
          const ticks = markdown.split("\n").filter((line) => line.startsWith("```"));
          expect(ticks.length % 2).toBe(0);
        }
      }
    }
  });

  it("says in one line that nothing changes", () => {
    const markdown = planMarkdown(SAMPLES.unchanged(), { dialect: "github" });

    expect(markdown.split("\n")).toHaveLength(1);
    expect(markdown).toMatch(/^Nothing changes in 3 clusters\. <sub>commit `3f9c2ab`/);
  });

  it("shows as much of the render hash as an approval has to name", () => {
    const report = { ...SAMPLES.replicaMove(), renderHash: `sha256:${"9c1f7e02b4d8".padEnd(64, "a")}` };

    expect(planMarkdown(report, { dialect: "github" })).toContain("render hash `9c1f7e02b4d8`");
  });

  it("tells how to approve only what can be approved, where somebody listens", () => {
    const approve = "/flaghoist approve";

    expect(planMarkdown(SAMPLES.replicaMove(), { dialect: "github", approve })).toContain("`/flaghoist approve`");
    expect(planMarkdown(SAMPLES.replicaMove(), { dialect: "github" })).not.toContain("approve");
    expect(planMarkdown(SAMPLES.refused(), { dialect: "github", approve })).not.toContain("/flaghoist approve");

    const held = planMarkdown(SAMPLES.massPrune(), { dialect: "github", approve: "/flaghoist approve 9c1f7e02b4d8" });
    expect(held).toMatch(
      /Held for a person:.*Or approve it before the merge, with a comment `\/flaghoist approve 9c1f7e02b4d8`\./,
    );
    expect(planMarkdown(SAMPLES.massPrune(), { dialect: "github" })).not.toContain("approve it");
  });

  it("gives up lines around changes before diffs, and diffs before the list of objects", () => {
    const report = hugeReport({ objects: 12, clusters: 4 });
    const whole = planMarkdown(report, { dialect: "github" });
    const at = (share: number) => planMarkdown(report, { dialect: "github", limit: Math.floor(whole.length * share) });
    const diffs = (markdown: string) => markdown.split("<details>\n<summary><code>Deployment").length - 1;

    expect(diffs(whole)).toBe(12);
    expect(diffs(at(0.95))).toBe(12);
    expect(at(0.95)).toContain("Left out for length: lines around changes.");
    expect(diffs(at(0.5))).toBeLessThan(12);
    expect(at(0.5)).toMatch(/Left out for length: .*\d+ of 12 diffs/);
    expect(at(0.5)).toContain("`Deployment team-11/app-0011`");
  });

  it("writes a thousand objects on a hundred clusters without rendering them again and again", () => {
    let asked = 0;
    const place = () => {
      asked++;
      return undefined;
    };
    const report = hugeReport();

    planMarkdown(report, { dialect: "github", links: { place } });

    expect(asked).toBeLessThan(20 * report.objects.length);
  });

  it("tells the severest finding and the worst loss first", () => {
    const report = SAMPLES.regionLoss();
    const order = (markdown: string, words: readonly string[]) =>
      words.toSorted((a, b) => markdown.indexOf(a) - markdown.indexOf(b));
    const turned = {
      ...report,
      findings: report.findings.toReversed(),
      whatIf: SAMPLES.replicaMove().whatIf.concat(report.whatIf),
    };
    const markdown = planMarkdown(turned, { dialect: "github" });

    expect(order(markdown, ["**notice:**", "**error:**"])).toEqual(["**error:**", "**notice:**"]);
    expect(order(markdown, ["cluster `paris-1` fails", "cluster `tokyo-1` fails", "region `eu-west` fails"])).toEqual([
      "region `eu-west` fails",
      "cluster `tokyo-1` fails",
      "cluster `paris-1` fails",
    ]);
  });

  it("says of what has no replicas whether it comes or goes", () => {
    const report = SAMPLES.replicaMove();
    const clusters = [
      { cluster: "paris-1", there: "goes" as const },
      { cluster: "tokyo-1", there: "came" as const },
      { cluster: "tokyo-2", there: "goes" as const, before: 2 },
    ];
    const objects = report.objects.map((object) => ({ ...object, placement: { clusters } }));

    const markdown = planMarkdown({ ...report, objects }, { dialect: "github" });

    expect(markdown).toContain("`paris-1`: gone\n");
    expect(markdown).toContain("`tokyo-1`: new here\n");
    expect(markdown).toContain("`tokyo-2`: 2 → gone\n");
  });

  it("has a row for each cluster of a small fleet, and one for those of a large one that change alike", () => {
    const small = planMarkdown(SAMPLES.replicaMove(), { dialect: "github" });
    const large = planMarkdown(SAMPLES.baseImage(), { dialect: "github" });

    expect(small).toContain("| `paris-2` | 0 | 0 | 0 |");
    expect(large.match(/^\| `.*$/gm)).toEqual(["| `edge-001` … `eu-040` (100) | 3 | 6 |"]);
  });

  it("marks lines with who wrote them where several did, and names a single writer below", () => {
    const markdown = planMarkdown(SAMPLES.replicaMove(), { dialect: "github" });

    expect(markdown).toContain("+          weight: 2   ①");
    expect(markdown).toContain("① `deploy/policies.yaml:14` · ② `deploy/policies.yaml:17`");
    expect(markdown).toContain("+  replicas: 4\n");
    expect(markdown).toContain("← weights of policy shop/two-regions (`deploy/policies.yaml:14`)");
  });

  it("shows fields where there are no lines", () => {
    const report: PlanReport = SAMPLES.replicaMove();
    const [object] = report.objects;
    const fields = [{ path: "spec.paused", before: false, after: true }];
    const markdown = planMarkdown(
      { ...report, objects: [{ ...object!, copies: [{ clusters: ["a"], change: "changed", fields }] }] },
      { dialect: "github" },
    );

    expect(markdown).toContain("- `spec.paused`: `false` → `true`");
  });
});
