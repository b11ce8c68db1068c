import { describe, expect, it } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import {
  DRIFT_ANNOTATION,
  DRIFT_RULES_ANNOTATION,
  driftRuleProblem,
  IGNORE_DIFFERENCES_ANNOTATION,
  matchesGlob,
  readDriftAnnotations,
  rulesAbout,
} from "./drift-rules.ts";

function web(annotations?: Record<string, string>): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", ...(annotations === undefined ? {} : { annotations }) },
  };
}

describe("rulesAbout", () => {
  const pointer = { jsonPointers: ["/spec/replicas"] };

  it.each([
    [{ group: "apps", kind: "Deployment" }, true],
    [{ group: "*", kind: "*" }, true],
    [{ group: "ap?s", kind: "Deploy*" }, true],
    [{ group: "apps", kind: "Deployment", name: "web", namespace: "shop" }, true],
    [{ group: "apps", kind: "Deployment", name: "", namespace: "" }, true],
    [{ kind: "Deployment" }, false],
    [{ group: "apps", kind: "StatefulSet" }, false],
    [{ group: "apps", kind: "Deployment", name: "we*" }, false],
    [{ group: "apps", kind: "Deployment", namespace: "other" }, false],
  ])("chooses by %o: %s", (words, chosen) => {
    expect(rulesAbout(web(), { ignoreDifferences: [{ ...words, ...pointer }] })).toHaveLength(chosen ? 1 : 0);
  });

  it("keeps the order of rules, those that ignore first", () => {
    const rules = rulesAbout(web(), {
      driftRules: [{ group: "apps", kind: "Deployment", mode: "report", jsonPointers: ["/spec/paused"] }],
      ignoreDifferences: [{ group: "apps", kind: "Deployment", managedFieldsManagers: ["hpa"] }],
    });

    expect(rules).toEqual([
      { mode: "ignore", jsonPointers: [], managers: ["hpa"] },
      { mode: "report", jsonPointers: ["/spec/paused"], managers: [] },
    ]);
  });
});

describe("matchesGlob", () => {
  it.each([
    ["", "", true],
    ["", "apps", false],
    ["*", "", true],
    ["*a*b", "xxaxxb", true],
    ["*a*b", "xxaxxbc", false],
    ["?", "", false],
  ])("%s matches %s: %s", (pattern, text, matches) => {
    expect(matchesGlob(pattern, text)).toBe(matches);
  });

  it("needs no more than the product of the lengths", () => {
    expect(matchesGlob(`${"a*".repeat(200)}b`, "a".repeat(20_000))).toBe(false);
  });
});

describe("driftRuleProblem", () => {
  it("refuses jq expressions, and says what to use", () => {
    expect(driftRuleProblem({ kind: "Deployment", jqPathExpressions: [".spec.replicas"] })).toMatchObject({
      field: "jqPathExpressions",
      message: expect.stringContaining("jsonPointers"),
    });
  });

  it.each(["spec/replicas", "spec.replicas", "/metadata/annotations/a~b", ""])("refuses the pointer %j", (pointer) => {
    expect(driftRuleProblem({ kind: "X", jsonPointers: ["/ok", pointer] })?.field).toBe("jsonPointers[1]");
  });

  it("wants fields to be named where they are ignored, and not where they are only told of", () => {
    expect(driftRuleProblem({ kind: "X" })?.message).toContain("must name");
    expect(driftRuleProblem({ kind: "X", mode: "report" })).toBeUndefined();
  });
});

describe("readDriftAnnotations", () => {
  it("says nothing special of an object without annotations", () => {
    expect(readDriftAnnotations(web())).toEqual({ mode: "correct", rules: [], problems: [] });
  });

  it.each([
    ["JSON", '[{"jsonPointers":["/spec/replicas"]}]'],
    ["YAML", "- jsonPointers:\n    - /spec/replicas\n"],
    ["the words of a Sync", "- { group: apps, kind: Deployment, jsonPointers: [/spec/replicas] }"],
  ])("reads what is ignored as %s", (_, text) => {
    expect(readDriftAnnotations(web({ [IGNORE_DIFFERENCES_ANNOTATION]: text }))).toEqual({
      mode: "correct",
      rules: [{ mode: "ignore", jsonPointers: ["/spec/replicas"], managers: [] }],
      problems: [],
    });
  });

  it.each([
    "{",
    "- [",
    "nonsense",
    "- 5",
    "- { jsonPointers: /spec/replicas }",
    "- { unknown: 1 }",
    "- {}",
    "- { jsonPointers: [spec] }",
    "- { jqPathExpressions: [.spec] }",
    `[${'{"jsonPointers":["/a"]},'.repeat(200)}{}]`,
    `- { jsonPointers: ["/${"a".repeat(70_000)}"] }`,
    "&a [*a]",
  ])("takes garbage for nothing, and says so: %.40s", (text) => {
    const read = readDriftAnnotations(web({ [IGNORE_DIFFERENCES_ANNOTATION]: text }));

    expect(read.rules).toEqual([]);
    expect(read.problems).toHaveLength(1);
    expect(read.problems[0]).toContain(IGNORE_DIFFERENCES_ANNOTATION);
  });

  it("keeps the rules that are right beside one that is not", () => {
    const text = '[{"mode":"report","jsonPointers":["/spec/paused"]},{"mode":"ignore"}]';
    const read = readDriftAnnotations(web({ [DRIFT_RULES_ANNOTATION]: text, [DRIFT_ANNOTATION]: "pause" }));

    expect(read.mode).toBe("pause");
    expect(read.rules).toEqual([{ mode: "report", jsonPointers: ["/spec/paused"], managers: [] }]);
    expect(read.problems).toHaveLength(1);
  });

  it("corrects where the mode is no mode", () => {
    const read = readDriftAnnotations(web({ [DRIFT_ANNOTATION]: "off" }));

    expect(read).toMatchObject({ mode: "correct", problems: [expect.stringContaining("off")] });
  });
});
