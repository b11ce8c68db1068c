// A repository that tries to write into the report: every text of it that a report repeats is bait.
import type { PlanReport } from "../../../api/plan-report.ts";
import { changed, clusterRow, copies, diffOf, objectOf, sampleReport } from "./sample-parts.ts";

/** Texts that mean something to one Markdown dialect or another. */
export const HOSTILE_TEXTS: readonly string[] = [
  "@octocat please look",
  "@acme/platform-team",
  "@all @here @everyone",
  "mail me at root@example.org",
  "@<11111111-2222-3333-4444-555555555555>",
  "fixes #1, closes #22 and resolves acme/shop#333",
  'GH-12 !34 &56 %78 ~bug ~"to do" $90 *iteration:12 [vulnerability:3] ^alert#4',
  "0123456789abcdef0123456789abcdef01234567 and 3f9c2ab and acme/shop@3f9c2ab",
  "/flaghoist approve",
  "/approve\n/merge\n/label ~owned",
  "[click](https://evil.example/?a=b) ![i](https://evil.example/x.png)",
  "[ref][1]\n\n[1]: https://evil.example",
  "footnote[^1]\n\n[^1]: https://evil.example",
  "<https://evil.example> https://evil.example/path www.evil.example ftp://evil.example",
  "javascript:alert(1) data:text/html,x",
  "<!-- flaghoist:report:shop/apps --> <!-- --> --!> -->",
  "</details></summary></table><h1>Approved</h1><img src=x onerror=alert(1)>",
  "<details open><summary>x",
  "<script>alert(1)</script> <style>*{display:none}</style> <?php ?> <![CDATA[ x ]]>",
  "&lt;b&gt; &amp; &#60; &#x3c; &copy;",
  "```\n```yaml\n~~~\n````diff",
  "`a` ``b`` ```c``` `",
  "| a | b |\n| - | - |\n| c | d |",
  "\\| \\\\| \\` \\",
  "# heading\n===\n---\n***\n> quote\n- [x] done\n- [ ] open\n1. one\n+ plus\n    code",
  ":tada: :warning: :+1:",
  "**bold** __bold__ *it* _it_ ~~no~~ ~sub~ ^sup^ ==mark== ++ins++",
  "$e=mc^2$ $$x$$ $`x`$ \\(x\\)",
  "{color:red}red{color} {{ liquid }} {% raw %} [[wiki]] [[_TOC_]] [[TOC]]",
  "#ffffff `#ff0000` rgb(1,2,3)",
  "\u202Egnp.exe\u202C \u2066x\u2069 \u200B\u200D\uFEFF\u00AD",
  "nul\u0000bell\u0007esc\u001B[31mred\u001B[0m del\u007F c1\u009B",
  "line\u2028separator\u2029paragraph\u0085next\u000Bvt\u000Cff\rcr\r\ncrlf\ttab",
  "lone \uD83D surrogate \uDC4B",
  "👩‍👩‍👧‍👦 e\u0301 ｆｕｌｌ ａ\u0300\u0301\u0302\u0303\u0304",
  "   \u00A0leading and trailing   ",
  "",
  "x".repeat(400),
];

/** Every text of the repository is bait, and the numbers are those of a small change. */
export function hostileReport(): PlanReport {
  const at = (index: number) => HOSTILE_TEXTS[index % HOSTILE_TEXTS.length] ?? "";
  const object = { ...objectOf("v1 ConfigMap shop/web"), name: "web|`@octocat`" };
  const lines = HOSTILE_TEXTS.flatMap((text) => text.split("\n")).map((line) => ({
    op: "+" as const,
    text: line,
    writer: 0,
  }));
  return sampleReport({
    verdict: "1 object changes in 2 of 2 clusters, no replicas move, nothing is deleted.",
    subject: {
      path: "apps/`shop`",
      repository: "https://git.example/shop/deploy.git?<!--",
      syncs: ["shop/<b>apps"],
      base: { name: "main|@acme/team" },
      head: { name: "fixes #1 <!-- flaghoist", commit: "3f9c2ab41d0e7b5c8a6f9e2d1c0b7a6958473625" },
      fleet: { from: "snapshot", takenAt: "2026-11-28T00:00:00Z", clusters: 2 },
    },
    clusters: [
      clusterRow("a|b`c", { changed: 1, drift: 1, region: "<!-- eu -->", zone: "@zone" }),
      clusterRow("@octocat", { changed: 1, provider: "#1" }),
    ],
    objects: [
      changed(object, {
        place: { file: "apps/`@octocat`/#1.yaml", line: 3 },
        placement: {
          policyBefore: "shop/<!-- a",
          policyAfter: "shop/#2 -->",
          policyPlace: { file: "deploy/|.yaml", line: 1 },
          clusters: [{ cluster: "a|b`c", before: 1, after: 2, there: "stays", reason: at(10) }],
          summary: at(16),
          refused: [{ clusters: ["@octocat"], reason: at(18) }],
        },
        copies: [
          copies(["a|b`c", "@octocat"], {
            ...diffOf("", [{ what: "override", name: at(17), place: { file: at(21), line: 1 } }]),
            hunks: [{ before: 0, after: 1, lines }],
            added: lines.length,
          }),
        ],
        notes: [...HOSTILE_TEXTS],
      }),
    ],
    problems: HOSTILE_TEXTS.map((message) => ({
      severity: "warning" as const,
      message,
      reasons: [message],
      place: { file: message, line: 1 },
    })),
    unknown: HOSTILE_TEXTS.map((reason) => ({ object, reason })),
    drift: HOSTILE_TEXTS.map((text) => ({
      object,
      path: text,
      base: text,
      head: { text },
      live: [text],
      outcome: "undone" as const,
      manager: text,
      since: text,
      clusters: [text],
    })),
    driftUnknown: HOSTILE_TEXTS.map((text) => ({ cluster: text, reason: text })),
    findings: HOSTILE_TEXTS.map((text) => ({
      rule: text,
      severity: "warning" as const,
      object: { ...object, name: text },
      place: { file: text, line: 2 },
      field: text,
      clusters: [text],
      message: text,
      advice: text,
    })),
    whatIf: HOSTILE_TEXTS.map((text) => ({
      loss: {
        what: "zone" as const,
        name: text,
        clusters: [text],
        also: [{ what: "region" as const, name: text }],
      },
      objects: [
        {
          object: { ...object, name: text },
          minimum: 1,
          minimumFrom: text,
          before: { placed: 2, kept: 1, recovered: 2 },
          after: { placed: 2, kept: 0, recovered: 0 },
          outcome: "down" as const,
          comparison: "worse" as const,
        },
      ],
    })),
    tests: HOSTILE_TEXTS.map((text) => ({
      name: text,
      place: { file: text, line: 1 },
      outcome: "failed" as const,
      message: text,
      details: [text],
    })),
    held: at(15),
    deletionsUnknown: at(8),
    notes: [...HOSTILE_TEXTS],
  });
}
