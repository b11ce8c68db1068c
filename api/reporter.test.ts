import { describe, expect, it } from "vitest";
import { reporterSpecSchema } from "./reporter.ts";

const LEAST = { sourceRef: { kind: "GitRepository", name: "shop" }, secretRef: { name: "bot" } };

function problems(spec: object): string[] {
  const { error } = reporterSpecSchema.safeParse({ ...LEAST, ...spec });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("a Reporter", () => {
  it("is content with a source and a Secret", () => {
    expect(problems({})).toEqual([]);
  });

  it.each(["512Mi", "2Gi", "1.5Gi", "4000000000"])("gives a plan %s of memory", (memory) => {
    expect(problems({ pullRequests: { limits: { memory } } })).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      "memory that is no amount",
      { pullRequests: { limits: { memory: "much" } } },
      /memory: must be an amount of memory/,
    ],
    ["less than no memory", { pullRequests: { limits: { memory: "-1Gi" } } }, /memory: must be an amount of memory/],
    ["a time without a unit", { pullRequests: { limits: { timeout: "120" } } }, /timeout: must be a duration/],
    ["a host that is not known", { provider: "sourceforge" }, /provider: Invalid option/],
    ["a permission that is none", { commands: { approve: "everybody" } }, /commands\.approve: Invalid option/],
    ["a word that is misspelt", { pullRequests: { fork: "plan" } }, /pullRequests: Unrecognized key: "fork"/],
  ])("is refused with %s", (_what, spec, words) => {
    expect(problems(spec)).toEqual([expect.stringMatching(words)]);
  });
});
