import { describe, expect, it } from "vitest";
import { parseOperations } from "./json-patch.ts";

const operation = (path: string): string => `- {op: remove, path: ${path}}\n`;

describe("parseOperations", () => {
  it.each([
    ["another list", `---\n${operation("/b")}`],
    ["what is no YAML", "--- [\n"],
    ["text after an end", "...\n["],
  ])("reads the first document alone, before %s", (_, rest) => {
    const operations = parseOperations(`${operation("/a")}${rest}`, "patch.yaml");

    expect(operations?.map(({ path }) => path)).toEqual(["/a"]);
  });

  it("takes an empty first document for no operations", () => {
    expect(parseOperations(`---\n---\n${operation("/a")}`, "patch.yaml")).toEqual([]);
  });
});
