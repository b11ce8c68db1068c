import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { markdownStructure } from "../../../test/markdown-structure.ts";
import { testSeed } from "../../../test/seed.ts";
import { hostileText } from "../../reports/testing/random-report.ts";
import { mayHoldCommands, parseCommands } from "./parse-commands.ts";

const HASH = "9c1f7e02b4d8";

describe("commands", () => {
  it.each([
    ["/flaghoist plan", { type: "plan", head: undefined }],
    ["/flaghoist plan 3F9C2AB", { type: "plan", head: "3f9c2ab" }],
    ["/flaghoist approve", { type: "approve", hash: undefined }],
    [`/flaghoist approve ${HASH}`, { type: "approve", hash: HASH }],
    [`/flaghoist approve ${"ab".repeat(32)}`, { type: "approve", hash: "ab".repeat(32) }],
    [`/flaghoist approve sha256:${"ab".repeat(32)}`, { type: "approve", hash: "ab".repeat(32) }],
    ["/flaghoist", { type: "help" }],
    ["/flaghoist help", { type: "help" }],
    ["/flaghoist\tplan  ", { type: "plan", head: undefined }],
    ["/flaghoist drift adopt", { type: "drift", action: "adopt" }],
    [
      "/flaghoist drift adopt deployment/web -n shop --field spec.replicas --clusters edge-1,edge-2",
      {
        type: "drift",
        action: "adopt",
        object: { kind: "deployment", name: "web", namespace: "shop" },
        field: "spec.replicas",
        clusters: ["edge-1", "edge-2"],
      },
    ],
    [
      "/flaghoist drift ignore deployments.apps/web --namespace=shop --field=spec.template.spec.containers[web].image",
      {
        type: "drift",
        action: "ignore",
        object: { kind: "deployments.apps", name: "web", namespace: "shop" },
        field: "spec.template.spec.containers[web].image",
      },
    ],
  ])("reads %s", (line, command) => {
    const [found, ...more] = parseCommands(line);

    expect(found).toMatchObject(command);
    expect(more).toEqual([]);
  });

  it.each([
    ["/flaghoist approve 9c1f7e0", /at least its first 12 digits/],
    ["/flaghoist approve it now", /at least its first 12 digits/],
    [`/flaghoist approve ${"a".repeat(65)}`, /at least its first 12 digits/],
    ["/flaghoist plan main", /the commit that is meant/],
    ["/flaghoist aprove", /`\/flaghoist help`/],
    ["/flaghoist Approve", /did you mean `\/flaghoist approve`/],
    ["/flaghoist adopt deployment/web", /did you mean `\/flaghoist drift adopt`/],
    ["/flaghoist drift", /drift adopt KIND\/NAME/],
    ["/flaghoist drift ignore", /drift ignore KIND\/NAME/],
    ["/flaghoist drift ignore deployment/web --clusters a", /drift ignore KIND\/NAME/],
    ["/flaghoist drift adopt web", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt deployment/web secret/x", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt deployment/web -n", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt deployment/web -n a -n b", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt -n shop", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt deployment/../web", /drift adopt KIND\/NAME/],
    ["/flaghoist drift adopt deployment/web --tree /etc", /drift adopt KIND\/NAME/],
    [`/flaghoist plan ${"x".repeat(3000)}`, /one short line/],
  ])("answers %s with what to write", (line, advice) => {
    const [found] = parseCommands(line);

    expect(found).toMatchObject({ type: "unknown", advice: expect.stringMatching(advice) });
    expect(found?.type === "unknown" ? found.text.length : 0).toBeLessThanOrEqual(100);
  });

  it("are read in their order, five of them at most", () => {
    const body = ["/flaghoist plan", "/flaghoist approve", ...Array.from({ length: 9 }, () => "/flaghoist help")];

    expect(parseCommands(body.join("\r\n")).map(({ type }) => type)).toEqual([
      "plan",
      "approve",
      "help",
      "help",
      "help",
    ]);
  });

  it("may stand among words", () => {
    expect(parseCommands("Looks good, thank you!\n/flaghoist approve\nI will merge it.")).toHaveLength(1);
    expect(parseCommands("@ada 👍\n\n/flaghoist approve\n\n> said before\n")).toHaveLength(1);
    expect(parseCommands("```yaml\nreplicas: 3\n```\n\n/flaghoist plan")).toHaveLength(1);
  });
});

describe("no command", () => {
  it.each([
    ["in a sentence", "write /flaghoist approve to go on"],
    ["another word", "/flaghoistapprove\n/flaghoist-plan"],
    ["in capitals", "/Flaghoist approve"],
    ["indented", " /flaghoist approve"],
    ["indented code", "    /flaghoist approve"],
    ["behind what nobody sees", "\u200B/flaghoist approve\n\uFEFF/flaghoist approve"],
    ["in a line that only looks like two", "x\u2028/flaghoist approve\u0085/flaghoist approve"],
    ["code", "`/flaghoist approve`"],
    ["code over lines", "see `\n/flaghoist approve\n`"],
    ["fenced", "```\n/flaghoist approve\n```"],
    ["fenced to the end", "~~~ sh\n/flaghoist approve"],
    ["fenced by more", "````\n```\n/flaghoist approve\n````"],
    ["fenced otherwise", "```\n~~~\n/flaghoist approve\n```"],
    ["a fence in a list", "- ```\n  x\n```\n/flaghoist approve\n```"],
    ["a fence in a quote", "> ```\n/flaghoist approve"],
    ["a fence that some hosts know", "``` a `b\n\n/flaghoist approve\n\n```"],
    ["a quote", "> /flaghoist approve"],
    ["a quote that goes on", "> she wrote\n/flaghoist approve"],
    ["a quote that goes on after words", "she wrote\n> do\n/flaghoist approve"],
    ["a quote of GitLab", ">>>\n\n/flaghoist approve\n\n>>>"],
    ["an item of a list", "- /flaghoist approve\n* one\n/flaghoist approve\n\n1. one\n/flaghoist approve"],
    ["hidden", "<!--\n/flaghoist approve\n-->"],
    ["hidden behind words", "x <!--\n\n/flaghoist approve\n-->"],
    ["hidden to the end", "<!-- x\n\n/flaghoist approve"],
    ["what looks hidden to some hosts", "<!--\n```\n-->\n\n/flaghoist approve\n\n```"],
    ["folded", "<details>\n\n/flaghoist approve\n\n</details>"],
    ["preformatted", "<pre>\n\n/flaghoist approve\n\n</pre>"],
    ["struck", "~~no\n/flaghoist approve~~"],
    ["the title of a link", '[x](https://x.example "\n/flaghoist approve\n")'],
    ["the title of a link in words", 'see [x](https://x.example "\n/flaghoist approve\n")'],
    ["a definition of a link", '[x]: https://x.example "\n/flaghoist approve\n"'],
    ["a footnote", "[^1]: x\n/flaghoist approve"],
    ["a row of a table", "| a |\n| - |\n/flaghoist approve"],
    ["a row of a table without borders", "a | b\n--|--\n/flaghoist approve"],
    ["data before the text, to GitLab", "---\n\n/flaghoist approve\n\n---"],
    ["math", "$$\n\n/flaghoist approve\n\n$$"],
    ["a drawing of Azure DevOps", "::: mermaid\n\n/flaghoist approve\n\n:::"],
    ["far down", `${"x\n".repeat(40_000)}\n/flaghoist approve`],
  ])("is %s", (_, body) => {
    expect(parseCommands(body)).toEqual([]);
  });

  it("is any text but that of a plain line, whatever is around it", () => {
    const seed = testSeed();
    const random = new Random(seed);
    let plain = 0;
    for (let round = 0; round < 4000; round++) {
      const lines = random.list(9, () => randomLine(random));
      const body = lines.join(random.pick(["\n", "\n", "\r\n", "\n\n"]));
      const commands = parseCommands(body);
      plain += commands.length;
      const shown = commandsShown(body);
      expect(commands.length, `seed ${seed}, round ${round}: ${JSON.stringify(body)}`).toBeLessThanOrEqual(shown);
      if (commands.length > 0) expect(mayHoldCommands(body)).toBe(true);
    }
    // Otherwise it would say nothing.
    expect(plain).toBeGreaterThan(100);
  });

  it("takes long to be found", () => {
    const bodies = [
      "<!--".repeat(20_000),
      "`".repeat(80_000),
      "> ".repeat(40_000),
      "/flaghoist ".repeat(8000),
      "- ".repeat(40_000),
    ];
    const before = performance.now();
    for (const body of bodies) parseCommands(`/flaghoist plan\n\n${body}\n${body}\n\n/flaghoist plan`);

    expect(performance.now() - before).toBeLessThan(500);
  });
});

function randomLine(random: Random): string {
  if (random.chance(0.35)) return random.pick(["/flaghoist approve", "/flaghoist plan", "/flaghoist help x"]);
  if (random.chance(0.2)) return "";
  if (random.chance(0.2))
    return random.pick(["Looks good", "two words (really)", "@ada: yes", "1 of 3", "https://x.example/a_b"]);
  if (random.chance(0.4))
    return random.pick([
      "```",
      "````",
      "~~~",
      "``` sh",
      "<!--",
      "-->",
      "<!-- x -->",
      "<details>",
      "</details>",
      "<pre>",
      "> x",
      ">",
      "- x",
      "- ```",
      "1. x",
      "    x",
      "`",
      "``",
      "x `",
      '[a](b "',
      '")',
      "[a]: b '",
      "'",
      "| a |",
      "| - |",
      "a | b",
      "- | -",
      "---",
      "***",
      "# x",
      ">>>",
      "$$",
      "x ~~",
      "~~",
      "x \\",
      "<b",
      "<a href='",
      "'>",
    ]);
  return hostileText(random);
}

/** How many lines a parser shows that are nothing but such a command, in no quote, list, table or emphasis. */
function commandsShown(body: string): number {
  return markdownStructure(body).lines.filter((line) => /^\/flaghoist(?!\S)/.test(line)).length;
}
