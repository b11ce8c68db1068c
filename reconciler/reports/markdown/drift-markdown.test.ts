import { describe, expect, it } from "vitest";
import { refOf } from "../../../kube/object.ts";
import { deployment } from "../../../test/builders.ts";
import { markdownStructure } from "../../../test/markdown-structure.ts";
import type { CopyState, DriftedField } from "../../plan/live-drift.ts";
import type { DriftReport } from "../drift-text.ts";
import { HOSTILE_TEXTS } from "../testing/hostile-report.ts";
import { driftMarkdown } from "./drift-markdown.ts";

const NOW = Date.parse("2026-11-29T09:30:00Z");

function copy(given: Partial<CopyState>): CopyState {
  return {
    cluster: "a",
    object: refOf(deployment()),
    state: "as-wanted",
    fields: [],
    mode: "report",
    sync: "shop/apps",
    message: undefined,
    ...given,
  };
}

function field(given: Partial<DriftedField>): DriftedField {
  return {
    path: "spec.replicas",
    wanted: 2,
    found: 5,
    manager: "kubectl-scale",
    since: "2026-11-29T07:30:00Z",
    ...given,
  };
}

function markdownOf(
  report: Partial<DriftReport>,
  limit = 65_536,
  dialect: "github" | "bitbucket-cloud" = "github",
): string {
  return driftMarkdown(
    { copies: [], clusters: ["a", "b"], unreachable: [], leftOver: [], past: [], ...report },
    { dialect, limit, nowMs: NOW, version: "0.1.0", commands: ["/flaghoist drift adopt", "/flaghoist drift ignore"] },
  );
}

describe("driftMarkdown", () => {
  it("says what drifted, who did it and since when, the same over clusters once", () => {
    const fields = [field({ firstSeen: "2026-11-26T09:30:00Z" })];
    const copies = [copy({ state: "drifted", fields }), copy({ cluster: "b", state: "drifted", fields })];

    expect(
      markdownOf({ copies }),
    ).toBe(`### 1 field in 1 object differs from what is wanted, in 2 of 2 clusters. Correcting is off for Sync shop/apps (drift: report).

- **\`Deployment shop/web\`**
    - \`spec.replicas\` in \`a\`, \`b\`: wanted \`2\`, found \`5\`, by \`kubectl-scale\` 2h ago, first seen 3 days ago

What can be done, in a comment: \`/flaghoist drift adopt\` or \`/flaghoist drift ignore\`.

<sub>Flaghoist 0.1.0 · 2026-11-29 09:30 UTC · kept up to date, and closed when all is as wanted</sub>`);
  });

  it("says the same of equal drift at any time, where it is not to age", () => {
    const report: DriftReport = {
      copies: [copy({ state: "drifted", fields: [field({ firstSeen: "2026-11-26T09:30:00Z" })] })],
      clusters: ["a", "b"],
      unreachable: [],
      leftOver: [],
      past: [],
    };
    const at = (nowMs: number) =>
      driftMarkdown(report, {
        dialect: "github",
        nowMs,
        version: "0.1.0",
        undated: true,
        commands: ["/x"],
        listensIn: "y",
      });

    expect(at(NOW)).toContain("by `kubectl-scale` 2026-11-29 07:30 UTC, first seen 2026-11-26 09:30 UTC");
    expect(at(NOW)).toContain("What can be done, in y: `/x`.");
    expect(at(NOW + 86_400_000)).toBe(at(NOW));
  });

  it("says that all is well, and what is not known", () => {
    expect(markdownOf({ copies: [copy({})], unreachable: [{ cluster: "b", reason: "silent" }] })).toMatch(
      /^### No drift in 1 copy in 1 of 2 clusters; of the rest it is not known\./,
    );
    expect(markdownOf({ copies: [copy({}), copy({ cluster: "b", state: "waiting" })] })).toMatch(
      /^### No drift in 1 of 2 copies in 2 clusters; of the rest it is not known\./,
    );
    expect(markdownOf({ copies: [copy({})] })).toMatch(/^### No drift: 1 copy in 2 clusters is as wanted\.\n\n<sub>/);
    expect(markdownOf({ unreachable: [{ cluster: "b", reason: "it does not answer" }] })).toContain(
      "#### Not known\n\n- `b` could not be asked: it does not answer",
    );
  });

  it.each([65_536, 5_000, 400])("lets clusters and users write nothing but text, within %d characters", (limit) => {
    const copies = HOSTILE_TEXTS.map((text, index) =>
      copy({
        cluster: text,
        object: { ...refOf(deployment()), name: text },
        state: (["drifted", "missing", "waiting", "unknown"] as const)[index % 4] ?? "drifted",
        fields: [field({ path: text, wanted: text, found: { text }, manager: text, since: text })],
        message: text,
      }),
    );
    const leftOver = HOSTILE_TEXTS.map((text) => ({ cluster: text, message: text }));
    const past = HOSTILE_TEXTS.map((text) => ({
      object: refOf(deployment()),
      message: text,
      corrected: true,
      at: text,
      times: 2,
    }));

    for (const dialect of ["github", "bitbucket-cloud"] as const) {
      const markdown = markdownOf({ copies, leftOver, past }, limit, dialect);
      const found = markdownStructure(markdown);
      expect(markdown.length).toBeLessThanOrEqual(limit);
      expect(found.links).toEqual([]);
      expect(found.tags.filter((tag) => !/^<\/?sub>$/.test(tag))).toEqual([]);
      expect(
        found.headings.filter((heading) => !/^### \d|^#### (?:Not known|Left over|Noticed lately)$/.test(heading)),
      ).toEqual([]);
      expect(found.plain.filter((text) => /[@#<>`*_~$&|\\{}[\]^]/.test(text))).toEqual([]);
      expect(markdown).not.toContain("<!--");
      expect(markdown).toContain("kept up to date");
    }
  });
});
