import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { markdownStructure, unbalancedTags } from "../../../test/markdown-structure.ts";
import { testSeed } from "../../../test/seed.ts";
import { DIALECTS, type DialectName } from "../../reports/markdown/dialects.ts";
import { hostileText } from "../../reports/testing/random-report.ts";
import { type CommandOutcome, isDone, isWorthReply, replyText } from "./command-replies.ts";
import { parseCommands } from "./parse-commands.ts";

const context = { dialect: "github", by: "ada", head: "1".repeat(40) } as const;
const HASH = `sha256:${"9c1f7e02b4d8".padEnd(64, "0")}`;

function outcome(line: string, decision: CommandOutcome["decision"], drift?: CommandOutcome["drift"]): CommandOutcome {
  const [command] = parseCommands(line);
  if (command === undefined) throw new Error(`no command: ${line}`);
  return { command, decision, ...(drift === undefined ? {} : { drift }) };
}

const planned = outcome("/flaghoist plan", { do: "plan", requestedBy: "ada" });
const approved = outcome("/flaghoist approve", {
  do: "approve",
  approval: { at: "", by: "ada", head: "1".repeat(40), pullRequest: 7, renderHash: HASH },
});
const adopt = { do: "drift", action: "adopt", object: undefined, field: undefined, clusters: undefined } as const;
const adopted = outcome("/flaghoist drift adopt", adopt, {
  pullRequest: { number: 12, url: "https://git.example/shop/pull/12" },
});
const refused = outcome("/flaghoist approve", { refuse: "nobody approves a pull request of their own" });

describe("a reply", () => {
  it.each([
    ["a plan", planned, "Commit `1111111` is planned, as `ada` asked."],
    [
      "an approval",
      approved,
      "Approved by `ada`: render hash `9c1f7e02b4d8` of commit `1111111`. Once it is merged, deletions of exactly this go on without another word, for 30 days. A push that renders to something else takes another approval.",
    ],
    [
      "an adoption",
      adopted,
      "As `ada` asked: [pull request 12](https://git.example/shop/pull/12) lets Git say what the clusters have, once it is merged.",
    ],
    ["a refusal", refused, "Not done: nobody approves a pull request of their own."],
    [
      "drift that is none",
      outcome("/flaghoist drift adopt deploy/web", adopt, { refused: "no field of Deployment web differs" }),
      "Not done: no field of Deployment web differs.",
    ],
    [
      "what is not understood",
      outcome("/flaghoist deploy @all", { refuse: "`/flaghoist help` tells what there is" }),
      "Not understood: `/flaghoist deploy @all`. `/flaghoist help` tells what there is.",
    ],
  ])("tells %s", (_, one, words) => {
    expect(replyText([one], context)).toBe(words);
  });

  it("tells several by their commands", () => {
    expect(replyText([planned, refused], context)).toBe(
      [
        "- `/flaghoist plan`: Commit `1111111` is planned, as `ada` asked.",
        "- `/flaghoist approve`: Not done: nobody approves a pull request of their own.",
      ].join("\n"),
    );
  });

  it("tells what there is to be asked for", () => {
    const help = replyText([outcome("/flaghoist help", { do: "help" })], context);

    expect(markdownStructure(help).code).toContain("/flaghoist approve HASH");
    expect(parseCommands(help)).toEqual([]);
  });

  it("is not needed where a sign on the comment says it", () => {
    expect(isWorthReply([planned], true)).toBe(false);
    expect(isWorthReply([planned], false)).toBe(true);
    expect(isWorthReply([planned, refused], true)).toBe(true);
    expect(isWorthReply([approved], true)).toBe(true);
  });

  it("of drift without a pull request says that it was not done", () => {
    expect([planned, approved, adopted, refused].map(isDone)).toEqual([true, true, true, false]);
    expect(isDone(outcome("/flaghoist drift adopt", adopt, { refused: "x" }))).toBe(false);
  });

  it("is whole, mentions nobody, links nothing and commands nothing, whatever is in it", () => {
    const seed = testSeed();
    const random = new Random(seed);
    const dialects = Object.keys(DIALECTS) as DialectName[];
    for (let round = 0; round < 800; round++) {
      const words = hostileText(random);
      const object = { kind: hostileText(random), name: hostileText(random), namespace: undefined };
      const all: CommandOutcome[] = [
        { command: { type: "unknown", text: hostileText(random), advice: "" }, decision: { refuse: words } },
        { command: { ...adopt, type: "drift", object }, decision: adopt, drift: { refused: hostileText(random) } },
        { ...planned },
      ];
      const shown = random.some(all, 1);
      const by = hostileText(random);
      const dialect = random.pick(dialects);
      const reply = replyText(shown, { dialect, by, head: hostileText(random) });
      const where = `seed ${seed}, round ${round}: ${JSON.stringify(reply)}`;
      const { links, tags, images, plain, headings, tables, fences } = markdownStructure(reply);

      expect({ links, images, headings, tables, fences }, where).toEqual({
        links: [],
        images: 0,
        headings: [],
        tables: 0,
        fences: [],
      });
      expect(unbalancedTags(tags), where).toEqual([]);
      expect(plain.join(" "), where).not.toMatch(/@\w|#\d|!\d|:\w+:/);
      expect(
        reply.split("\n").filter((line) => line.startsWith("/")),
        where,
      ).toEqual([]);
      expect(reply, where).not.toContain("<!--");
      expect(parseCommands(reply), where).toEqual([]);
      expect(reply.length, where).toBeLessThan(20_000);
    }
  });
});
