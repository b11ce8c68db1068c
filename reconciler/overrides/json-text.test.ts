import { describe, expect, it } from "vitest";
import { applyJsonPatch, type JsonPatchOperation } from "../../kube/json-patch.ts";
import { randomJsonText } from "../../test/random/documents.ts";
import { randomDocumentPatch } from "../../test/random/overrides.ts";
import { testSeed } from "../../test/seed.ts";
import { Dice } from "../scheduler/testing/random-cases.ts";
import { patchJsonText } from "./json-text.ts";

const PRETTY = `{
    "z": 1.0,
    "id": 9007199254740993,
    "nested": {"a": "<b>", "list": [ 1, 2 ]},
    "empty": {}
}
`;

function kept(text: string, ...operations: JsonPatchOperation[]): string {
  return patchJsonText(text, operations, "/data/a", { keepLayout: true });
}

function asKarmada(text: string, ...operations: JsonPatchOperation[]): string {
  return patchJsonText(text, operations, "/data/a", { keepLayout: false });
}

describe("patchJsonText", () => {
  it("spells numbers, texts and repeated keys as they were, and leaves white space out", () => {
    const text = '{ "a": 1.50, "b": {"x": 1, "x": 2}, "c": "\\u0041<" }';

    expect(asKarmada(text, { op: "add", path: "/d", value: [1, "&"] })).toBe(
      '{"a":1.50,"b":{"x":1,"x":2},"c":"\\u0041\\u003c","d":[1,"\\u0026"]}',
    );
  });

  it.each<[string, JsonPatchOperation, string, string]>([
    ["a value", { op: "replace", path: "/nested/a", value: "c" }, '"<b>"', '"c"'],
    [
      "a new key",
      { op: "add", path: "/new", value: { x: [1] } },
      '"empty": {}',
      '"empty": {},\n    "new": {\n        "x": [\n            1\n        ]\n    }',
    ],
    ["a key that goes", { op: "remove", path: "/nested" }, '    "nested": {"a": "<b>", "list": [ 1, 2 ]},\n', ""],
    ["an item", { op: "add", path: "/nested/list/-", value: 3 }, "[ 1, 2 ]", "[ 1, 2, 3 ]"],
    [
      "a member of an empty object",
      { op: "add", path: "/empty/a", value: 1 },
      '"empty": {}',
      '"empty": {\n        "a": 1\n    }',
    ],
  ])("keeps the layout around %s", (_, operation, before, after) => {
    expect(kept(PRETTY, operation)).toBe(PRETTY.replace(before, after));
  });

  it("keeps texts in one line in one line", () => {
    expect(kept('{"a": 1, "b": [1, 2]}\n', { op: "add", path: "/c", value: { x: [1, 2], y: "a, b" } })).toBe(
      '{"a": 1, "b": [1, 2], "c": {"x": [1, 2], "y": "a, b"}}\n',
    );
    expect(kept('{"a":1}', { op: "add", path: "/c", value: { x: 1 } })).toBe('{"a":1,"c":{"x":1}}');
  });

  it("reads as the patch of what the text read, in both forms, whatever the text", () => {
    const seed = testSeed();
    const dice = new Dice(seed);
    for (let round = 0; round < Number(process.env["TEST_CASES"] ?? 400); round++) {
      const text = randomJsonText(dice);
      const operations = randomDocumentPatch(dice);
      let result: string;
      try {
        result = asKarmada(text, ...operations);
      } catch {
        expect(() => kept(text, ...operations)).toThrow();
        continue;
      }
      if (text === "" || operations.some(({ path }) => path.startsWith("//"))) continue;
      const wanted = applyJsonPatch(JSON.parse(text), operations);
      // Karmada leaves null in the place of the first of two keys that it removes.
      if (!/"n".*"n"/s.test(text)) expect(JSON.parse(result), `seed ${seed}, round ${round}: ${text}`).toEqual(wanted);
      expect(JSON.parse(kept(text, ...operations)), `seed ${seed}, round ${round}: ${text}`).toEqual(wanted);
    }
  });

  it("says where a text is no JSON without quoting it", () => {
    expect(() => kept("secret")).toThrow("the text at fieldPath is not one document of JSON");
  });
});
