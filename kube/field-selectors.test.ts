import { describe, expect, it } from "vitest";
import { matchesFields, parseFieldSelector, requiredFieldValue } from "./field-selectors.ts";

describe("parseFieldSelector", () => {
  const fields: Record<string, string> = { "metadata.name": "a", "status.phase": "Running" };
  const matches = (text: string): boolean => matchesFields(parseFieldSelector(text), (field) => fields[field] ?? "");

  it.each([
    ["", true],
    ["metadata.name=a", true],
    ["metadata.name==a", true],
    ["metadata.name!=a", false],
    ["metadata.name=a,status.phase!=Failed", true],
    ["spec.nodeName=", true],
    ["metadata.name=a\\,b", false],
  ])("%s gives %s", (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  it.each([
    ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
    ["a=b\\c", "invalid field selector: invalid escape sequence: \\c"],
  ])("refuses %s", (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message);
  });

  it("tells which value a field is pinned to", () => {
    const requirements = parseFieldSelector("metadata.name=a\\=b,status.phase!=x");

    expect(requiredFieldValue(requirements, "metadata.name")).toBe("a=b");
    expect(requiredFieldValue(requirements, "status.phase")).toBeUndefined();
  });
});
