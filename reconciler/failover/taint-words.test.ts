import { describe, expect, it } from "vitest";
import type { Taint } from "../../api/cluster.ts";
import { changeTaintsByWords, cordonTaints, parseTaintWords } from "./taint-words.ts";

const OLD: Taint = { key: "dedicated", value: "a", effect: "NoSchedule", timeAdded: "2026-01-01T00:00:00Z" };
const OTHER: Taint = { key: "cluster.karmada.io/not-ready", effect: "NoSchedule" };

function change(before: readonly Taint[], words: readonly string[], overwrite = false) {
  return changeTaintsByWords("m1", before, parseTaintWords(words), overwrite);
}

describe("parseTaintWords", () => {
  it.each<[string, Partial<Taint>]>([
    ["dedicated=special-user:NoSchedule", { key: "dedicated", value: "special-user", effect: "NoSchedule" }],
    ["bar:NoExecute", { key: "bar", effect: "NoExecute" }],
    ["example.com/bar=:PreferNoSchedule", { key: "example.com/bar", effect: "PreferNoSchedule" }],
  ])("reads %s", (word, expected) => {
    expect(parseTaintWords([word])).toEqual({ add: [expected], remove: [] });
  });

  it.each([
    ["dedicated:NoSchedule-", { key: "dedicated", effect: "NoSchedule" }],
    ["dedicated=x:NoSchedule-", { key: "dedicated", effect: "NoSchedule" }],
    ["dedicated-", { key: "dedicated", effect: undefined }],
  ])("reads the removal %s", (word, expected) => {
    expect(parseTaintWords([word])).toEqual({ add: [], remove: [expected] });
  });

  it.each([
    [["dedicated=a"], /invalid taint spec/],
    [["dedicated=a:Never"], /invalid taint effect: Never/],
    [["a=b=c:NoSchedule"], /invalid taint spec/],
    [["a:NoSchedule:x"], /invalid taint spec/],
    [["-a:NoSchedule"], /invalid taint spec/],
    [["a=b c:NoSchedule"], /invalid taint spec/],
    [["a=b:NoSchedule", "a=c:NoSchedule"], /duplicated taints/],
    [["a=b:NoSchedule", "a-"], /can not both modify and remove/],
  ])("refuses %j", (words, message) => {
    expect(() => parseTaintWords(words)).toThrow(message);
  });
});

describe("changeTaintsByWords", () => {
  it("sets a taint and keeps the others", () => {
    expect(change([OTHER], ["bar:NoSchedule"])).toEqual({
      taints: [{ key: "bar", effect: "NoSchedule" }, OTHER],
      outcome: "tainted",
    });
  });

  it("replaces a value only when told to", () => {
    expect(() => change([OLD], ["dedicated=b:NoSchedule"])).toThrow(
      "cluster m1 already has dedicated taint(s) with same effect(s) and --overwrite is false",
    );
    expect(change([OLD], ["dedicated=b:NoSchedule"], true)).toEqual({
      taints: [{ key: "dedicated", value: "b", effect: "NoSchedule" }],
      outcome: "modified",
    });
  });

  it("takes away all taints of a key, or the one of an effect", () => {
    const executing: Taint = { key: "dedicated", effect: "NoExecute" };

    expect(change([OLD, executing, OTHER], ["dedicated-"])).toEqual({ taints: [OTHER], outcome: "untainted" });
    expect(change([OLD, executing], ["dedicated:NoExecute-"]).taints).toEqual([OLD]);
    expect(() => change([OTHER], ["dedicated-"])).toThrow('taint "dedicated" not found');
  });
});

describe("cordonTaints", () => {
  it("keeps new workloads away and lets them come again, once each", () => {
    const cordoned = cordonTaints([OTHER], true);

    expect(cordoned).toEqual([OTHER, { key: "cluster.karmada.io/unschedulable", effect: "NoSchedule" }]);
    expect(cordonTaints(cordoned ?? [], true)).toBeUndefined();
    expect(cordonTaints(cordoned ?? [], false)).toEqual([OTHER]);
    expect(cordonTaints([OTHER], false)).toBeUndefined();
  });
});
