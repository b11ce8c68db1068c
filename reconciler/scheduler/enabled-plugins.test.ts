import { describe, expect, it } from "vitest";
import { BUILT_IN_PLUGINS, enabledPlugins, unknownPlugin } from "./enabled-plugins.ts";

const KNOWN = ["A", "B", "C"];

describe("enabledPlugins", () => {
  it.each<[list: string[], enabled: string[]]>([
    [["*"], ["A", "B", "C"]],
    [
      ["*", "-B"],
      ["A", "C"],
    ],
    // As Karmada: the star counts first, wherever it stands.
    [
      ["-B", "*"],
      ["A", "C"],
    ],
    [
      ["A", "C"],
      ["A", "C"],
    ],
    [["A", "-A"], []],
    [
      ["*", "-A", "A"],
      ["B", "C", "A"],
    ],
    [["-A"], []],
    [[], []],
  ])("%j of A, B, C switches on %j", (list, enabled) => {
    expect([...enabledPlugins(list, KNOWN)]).toEqual(enabled);
  });
});

describe("unknownPlugin", () => {
  it("finds nothing wrong with names, their opposites and the star", () => {
    expect(unknownPlugin(["*", "A", "-B"], KNOWN)).toBeUndefined();
  });

  it("lists the plugins there are, and the one that was meant", () => {
    expect(unknownPlugin(["*", "-ClusterLocalty"], BUILT_IN_PLUGINS)).toBe(
      'there is no scheduling plugin "-ClusterLocalty". Did you mean -ClusterLocality? There are APIEnablement, TaintToleration, ClusterAffinity, SpreadConstraint, ClusterEviction, WorkloadAffinity, WorkloadAntiAffinity, ClusterLocality',
    );
  });
});
