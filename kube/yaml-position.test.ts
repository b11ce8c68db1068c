import { describe, expect, it } from "vitest";
import { parseYamlNodes } from "./yaml.ts";
import { fieldSteps, positionOfField } from "./yaml-position.ts";

const TEXT = `a: 1
list:
  - name: x
    labels:
      example.org/team: y
  - {name: z}
`;

function place(field: string): string {
  const { line, column } = positionOfField(TEXT, parseYamlNodes(TEXT)[0]!.node, field);
  return `${line}:${column}`;
}

describe("fieldSteps", () => {
  it("keeps keys with dots whole where they stand in brackets", () => {
    expect(fieldSteps("list[0].labels[example.org/team]")).toEqual(["list", "0", "labels", "example.org/team"]);
  });
});

describe("positionOfField", () => {
  it.each([
    ["a", "1:1"],
    ["list[0]", "3:5"],
    ["list[0].labels[example.org/team]", "5:7"],
    ["list[1].name", "6:6"],
  ])("finds %s", (field, position) => {
    expect(place(field)).toBe(position);
  });

  it("answers with what is nearest around a field that is not there", () => {
    expect(place("list[0].count")).toBe("3:5");
    expect(place("other")).toBe("1:1");
  });
});
