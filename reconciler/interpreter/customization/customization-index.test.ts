import { describe, expect, it } from "vitest";
import type { CustomizationRules, ResourceInterpreterCustomization } from "../../../api/config.ts";
import { CustomizationIndex } from "./customization-index.ts";

function customization(
  name: string,
  scripts: Partial<Record<keyof CustomizationRules, string>>,
  kind = "Machine",
): ResourceInterpreterCustomization {
  return {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterCustomization",
    metadata: { name },
    spec: {
      target: { apiVersion: "acme.dev/v1", kind },
      customizations: Object.fromEntries(Object.entries(scripts).map(([rule, luaScript]) => [rule, { luaScript }])),
    },
  };
}

const MACHINE = { group: "acme.dev", version: "v1", kind: "Machine" };

describe("CustomizationIndex", () => {
  it("takes the script of the first customization by name that has one", () => {
    const index = new CustomizationIndex([
      customization("c", { retention: "c" }),
      customization("a", { retention: "", healthInterpretation: "a" }),
      customization("b", { retention: "b", healthInterpretation: "b" }),
    ]);

    expect(index.scripts(MACHINE, "Retain")).toEqual([
      { customization: "b", operation: "Retain", functionName: "Retain", source: "b" },
    ]);
    expect(index.scripts(MACHINE, "InterpretHealth").map(({ source }) => source)).toEqual(["a"]);
  });

  it("takes all scripts for dependencies, by name", () => {
    const index = new CustomizationIndex([
      customization("b", { dependencyInterpretation: "b" }),
      customization("a", { dependencyInterpretation: "a" }),
      customization("c", { dependencyInterpretation: "" }),
    ]);

    expect(index.scripts(MACHINE, "InterpretDependency").map(({ source }) => source)).toEqual(["a", "b"]);
  });

  it("knows group, version and kind exactly", () => {
    const index = new CustomizationIndex([customization("a", { retention: "a" })]);

    expect(index.scripts({ ...MACHINE, version: "v2" }, "Retain")).toEqual([]);
    expect(index.scripts({ ...MACHINE, group: "" }, "Retain")).toEqual([]);
    expect(index.scripts({ ...MACHINE, kind: "Robot" }, "Retain")).toEqual([]);
  });

  it("tells which operations on which kinds a change concerns", () => {
    const index = new CustomizationIndex();
    const retaining = (kind: string): object => ({ apiVersion: "acme.dev/v1", kind, operations: new Set(["Retain"]) });

    expect(index.set(customization("b", { retention: "x" }))).toEqual([retaining("Machine")]);
    // The same script by another name, an operation that another has already, and no script at all.
    expect(index.set(customization("a", { retention: "x" }))).toEqual([]);
    expect(index.set(customization("c", { retention: "y" }))).toEqual([]);
    expect(index.set(customization("d", {}))).toEqual([]);
    expect(index.set(customization("a", { retention: "x" }, "Robot"))).toEqual([retaining("Robot")]);
    expect(index.delete("b")).toEqual([retaining("Machine")]);
    expect(index.scripts(MACHINE, "Retain").map(({ source }) => source)).toEqual(["y"]);
    expect(index.set(customization("c", { retention: "y", dependencyInterpretation: "z" }))).toEqual([
      { ...retaining("Machine"), operations: new Set(["InterpretDependency"]) },
    ]);
    expect(index.delete("c")).toEqual([
      { ...retaining("Machine"), operations: new Set(["Retain", "InterpretDependency"]) },
    ]);
    expect(index.delete("c")).toEqual([]);
    expect([...index.all()].map(({ customization: name }) => name)).toEqual(["a"]);
  });
});
