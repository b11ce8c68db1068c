import { describe, expect, it } from "vitest";
import { refOf } from "../../../kube/object.ts";
import { deployment } from "../../../test/builders.ts";
import { markdownStructure } from "../../../test/markdown-structure.ts";
import { HOSTILE_TEXTS } from "../../reports/testing/hostile-report.ts";
import { type ChangeWords, changeBody, changeTitle, commitMessage } from "./change-words.ts";

function wordsOf(text: string, given: Partial<ChangeWords> = {}): ChangeWords {
  const object = { ...refOf(deployment()), name: text };
  const values = [{ wanted: text, found: { text }, clusters: [text] }];
  return {
    action: "adopt",
    drifted: [
      {
        object,
        template: deployment(),
        fields: [{ path: text, fieldPath: [], values }],
        clusters: [text, `${text} too`],
      },
    ],
    change: {
      files: [[text, text]],
      changed: [{ index: 0, path: text, file: text, line: 3 }],
      refused: [{ index: 0, path: text, reason: text }],
    },
    requestedBy: text,
    pullRequest: 7,
    ...given,
  };
}

describe("the words of a pull request about drift", () => {
  it.each(["adopt", "ignore"] as const)("to %s let clusters, files and users write nothing but text", (action) => {
    for (const text of HOSTILE_TEXTS)
      for (const dialect of ["github", "gitlab", "bitbucket-cloud"] as const) {
        const body = changeBody(wordsOf(text, { action }), dialect);
        const found = markdownStructure(body);

        expect(found.links).toEqual([]);
        expect(found.tags).toEqual([]);
        expect(found.headings).toEqual([]);
        expect(found.plain.filter((plain) => /[@#<>`*_~$&|\\{}[\]^]/.test(plain))).toEqual([]);
        expect(body).not.toContain("<!--");
      }
  });

  it("are one line as a title, and begin no line of a commit but their own", () => {
    for (const text of HOSTILE_TEXTS) {
      expect(changeTitle(wordsOf(text))).not.toMatch(/[\r\n]/);
      const lines = commitMessage(wordsOf(text)).trimEnd().split("\n");
      expect(lines).toHaveLength(5);
      expect(lines.slice(1)).toEqual([
        "",
        expect.stringMatching(/^- /),
        "",
        expect.stringMatching(/^Asked for by .*7\.$/),
      ]);
    }
  });

  it("count what is too much to list", () => {
    const changed = Array.from({ length: 60 }, (_, index) => ({ index: 0, path: `p${index}`, file: "f", line: 1 }));
    const words = wordsOf("web", { change: { files: [], changed, refused: [] } });

    expect(changeBody(words, "github")).toContain("and 10 more");
    expect(
      commitMessage(words)
        .split("\n")
        .filter((line) => line.startsWith("- ")),
    ).toHaveLength(50);
  });
});
