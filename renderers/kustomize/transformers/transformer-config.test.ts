import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG, decodeConfig, EMPTY_CONFIG, mergeConfig } from "./transformer-config.ts";

function pathsOf(text: string): readonly string[] {
  const own = mergeConfig(DEFAULT_CONFIG, decodeConfig(text, "c.yaml"));
  return mergeConfig(EMPTY_CONFIG, own).namePrefix.map(({ path, kind }) => `${kind ?? "*"} ${path}`);
}

describe("mergeConfig", () => {
  it("keeps the built-in spec beside specs of other paths", () => {
    expect(pathsOf("namePrefix: [{path: spec/owner, kind: Team}]")).toEqual(["Team spec/owner", "* metadata/name"]);
  });

  it("drops a general spec that comes after a narrower one on the same path, as the real tool does", () => {
    expect(pathsOf("namePrefix: [{path: metadata/name, kind: Team}]")).toEqual(["Team metadata/name"]);
  });

  it("keeps a general spec that sorts before a narrower one", () => {
    const text = "namePrefix: [{path: metadata/name, kind: ValidatingWebhookConfiguration}]";

    expect(pathsOf(text)).toEqual(["* metadata/name", "ValidatingWebhookConfiguration metadata/name"]);
  });

  it("refuses specs of one path that disagree on creating the field", () => {
    const text = "commonLabels: [{path: metadata/labels, kind: Team}]";
    const own = mergeConfig(DEFAULT_CONFIG, decodeConfig(text, "c.yaml"));

    expect(() => mergeConfig(EMPTY_CONFIG, own)).toThrow("the field metadata/labels of");
  });

  it("is one object for all kustomizations without configurations", () => {
    const settled = mergeConfig(EMPTY_CONFIG, DEFAULT_CONFIG);

    expect(mergeConfig(settled, DEFAULT_CONFIG)).toBe(settled);
    expect(mergeConfig(mergeConfig(EMPTY_CONFIG, settled), DEFAULT_CONFIG)).toBe(settled);
  });
});
