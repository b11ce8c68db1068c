import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { markdownStructure } from "../../../test/markdown-structure.ts";
import { testSeed } from "../../../test/seed.ts";
import { hostileText } from "../testing/random-report.ts";
import { DIALECTS } from "./dialects.ts";
import { SafeText, safeAddress } from "./text.ts";

const text = new SafeText(DIALECTS.github);

describe("prose", () => {
  it.each([
    ["2 objects change in 2 of 3 clusters, 3 replicas move.", "2 objects change in 2 of 3 clusters, 3 replicas move."],
    ['names the patch "limits.yaml", which is gone', 'names the patch "`limits.yaml`", which is gone'],
    ["ask @octocat or @acme/team", "ask `@octocat` or `@acme/team`"],
    ["fixes #1, !2, &3, %4, ~bug, $5 and GH-6", "fixes `#1`, `!2`, `&3`, `%4`, `~bug`, `$5` and `GH-6`"],
    ["see acme/shop#1 and 3f9c2ab", "see `acme/shop#1` and `3f9c2ab`"],
    ["at https://evil.example or www.evil.example", "at `https://evil.example` or `www.evil.example`"],
    ["**bold** _it_ :tada: <b> &amp;", "`**bold**` `_it_` `:tada`: `<b>` `&amp`;"],
    ["1. one", "`1.` one"],
    ["- one", "`-` one"],
    ["# one", "`#` one"],
    ["/approve this", "`/approve` this"],
    ["a\n/approve\r\n# b", "a `/approve` `#` b"],
    ["weights: tokyo-1 1 → 2 (limit 30 %), e.g. 0.5", "weights: tokyo-1 1 → 2 (limit 30 %), e.g. 0.5"],
    ["To go on: kubectl annotate sync apps x=1", "To go on: `kubectl annotate sync apps x=1`"],
    ["run `flaghoist drift adopt` first", "run `flaghoist drift adopt` first"],
  ])("writes %j so that it means only itself", (given, written) => {
    expect(text.prose(given)).toBe(written);
  });

  it("escapes for HTML where no Markdown is read", () => {
    expect(text.prose('it\'s "a<b>" & @x', "html")).toBe(
      "it&#39;s &quot;<code>a&lt;b&gt;</code>&quot; <code>&amp;</code> <code>@x</code>",
    );
  });

  it("is cut between characters", () => {
    expect(text.prose("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "line", 20)).toBe("`👩‍👩‍👧‍👦…`");
  });
});

describe("code", () => {
  it.each([
    ["a`b", "``a`b``"],
    ["`", "`` ` ``"],
    ["``a``", "``` ``a`` ```"],
    [" a ", "`  a  `"],
    ["a\nb", "`a↵b`"],
    ["\u202Eb\u0000", "`\\u202Eb␀`"],
    ["<!-- x -->", "`<\\!-- x -->`"],
    ["", "(empty)"],
  ])("writes %j as one span", (given, written) => {
    expect(text.code(given)).toBe(written);
  });

  it("keeps a pipe out of a table's borders", () => {
    const markdown = (cell: string) => markdownStructure(`| a | b |\n| - | - |\n| ${text.code(cell, "cell")} | c |`);

    expect(markdown("x | y").code).toEqual(["x | y"]);
    expect(markdown("x \\| y").code).toEqual(["x \\│ y"]);
    expect(new SafeText(DIALECTS["bitbucket-cloud"]).code("x|y", "cell")).toBe("`x│y`");
  });

  it("hides mentions of Azure DevOps there in code, too", () => {
    const guid = "@<11111111-2222-3333-4444-555555555555>";

    expect(new SafeText(DIALECTS["azure-devops"]).code(guid)).not.toContain("@<");
    expect(text.code(guid)).toContain("@<");
  });

  it("gives a parser back what went in", () => {
    const seed = testSeed();
    const random = new Random(seed);
    for (let round = 0; round < 500; round++) {
      const span = text.code(hostileText(random));
      const found = markdownStructure(`x ${span} y`);
      expect([...found.plain, ...found.code], `seed ${seed}, round ${round}: ${span}`).toEqual(
        span === "(empty)" ? ["x (empty) y"] : ["x ", " y", expect.any(String)],
      );
    }
  });
});

describe("fence", () => {
  it("is longer than any in its lines", () => {
    expect(text.fence([" ```", "+````", "-~~~"], "diff")).toBe("`````diff\n ```\n+````\n-~~~\n`````");
  });

  it("shows what cannot be seen, and hides what programs look for", () => {
    expect(text.fence([" a\u202Eb\u0007", "+<!-- flaghoist -->", " [//]: # (flaghoist)"], "diff")).toBe(
      "```diff\n a\\u202Eb␇\n+<\\!-- flaghoist -->\n [//\\]: # (flaghoist)\n```",
    );
  });
});

describe("safeAddress", () => {
  it.each([
    ["javascript:alert(1)", undefined],
    ["data:text/html,x", undefined],
    ["/relative", undefined],
    ["https://", undefined],
    ["https://x.example/a b)(c", "https://x.example/a%20b%29%28c"],
    ["https://user:secret@x.example/?a=1&lt;b", "https://x.example/?a=1&amp;lt;b"],
    ["https://x.example/<`|*_>", "https://x.example/%3C%60%7C%2A_%3E"],
  ])("%s is %s", (given, safe) => {
    expect(safeAddress(given)).toBe(safe);
  });
});
