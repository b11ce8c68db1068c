import { describe, expect, it } from "vitest";
import { Dice } from "../reconciler/scheduler/testing/random-cases.ts";
import { randomYamlText } from "../test/random/documents.ts";
import { randomDocumentPatch } from "../test/random/overrides.ts";
import { testSeed } from "../test/seed.ts";
import { applyJsonPatch, type JsonPatchOperation } from "./json-patch.ts";
import { parseYaml, type YamlOptions } from "./yaml.ts";
import { editYaml } from "./yaml-edit.ts";

const OPTIONS: YamlOptions = { duplicateKeys: "last-wins" };

const TEXT = `# how the shop runs

log:            # the logs
    level:   "info"   # why
    sinks: [stdout, 'file']
feature: yes
sizes:
- 1.50
- name: b
  note: |
    two
    lines
last: {a: 1, b: {c: y}}
# the end
`;

function edited(...operations: JsonPatchOperation[]): string {
  return editYaml(TEXT, operations, OPTIONS) ?? "given up";
}

describe("editYaml", () => {
  it.each<[string, JsonPatchOperation, string, string]>([
    ["a value in its line", { op: "replace", path: "/log/level", value: "debug" }, `"info"`, "debug"],
    ["a value between brackets", { op: "replace", path: "/last/b/c", value: "no" }, "{c: y}", '{c: "no"}'],
    ["an item between brackets", { op: "add", path: "/log/sinks/-", value: "syslog" }, "'file']", "'file', syslog]"],
    ["the first item between brackets", { op: "remove", path: "/log/sinks/0" }, "[stdout, 'file']", "['file']"],
    ["a key of a map", { op: "add", path: "/log/format", value: "json" }, "'file']\n", "'file']\n    format: json\n"],
    [
      "a map in a map",
      { op: "add", path: "/log/more", value: { a: [1] } },
      "'file']\n",
      "'file']\n    more:\n      a:\n      - 1\n",
    ],
    ["a key between braces", { op: "add", path: "/last/d", value: [1] }, "{c: y}}", "{c: y}, d: [1]}"],
    ["a key that goes", { op: "remove", path: "/feature" }, "feature: yes\n", ""],
    ["a key beside a dash that goes", { op: "remove", path: "/sizes/1/name" }, "- name: b\n  note", "- note"],
    ["an item in front", { op: "add", path: "/sizes/0", value: 1 }, "- 1.50", "- 1\n- 1.50"],
    [
      "an item behind",
      { op: "add", path: "/sizes/-", value: { x: 1, y: 2 } },
      "    lines\n",
      '    lines\n- x: 1\n  "y": 2\n',
    ],
    ["an item that goes", { op: "remove", path: "/sizes/-2" }, "- 1.50\n", ""],
    ["a text of several lines", { op: "replace", path: "/sizes/1/note", value: "one" }, "|\n    two\n    lines", "one"],
    ["lines for one", { op: "replace", path: "/feature", value: "a\nb\n" }, "feature: yes", "feature: |\n  a\n  b"],
    ["the last item", { op: "remove", path: "/last/b/c" }, "{c: y}", "{}"],
  ])("changes %s and nothing else", (_, operation, before, after) => {
    expect(edited(operation)).toBe(TEXT.replace(before, after));
  });

  it("changes one thing after the other", () => {
    const operations: JsonPatchOperation[] = [
      { op: "add", path: "/new", value: {} },
      { op: "add", path: "/new/a", value: 1 },
      { op: "remove", path: "/last" },
    ];

    expect(edited(...operations)).toBe(TEXT.replace("last: {a: 1, b: {c: y}}\n", "new: {a: 1}\n"));
  });

  it("keeps the ends of lines as they are", () => {
    const text = "a: 1\r\nb: 2\r\n";

    expect(editYaml(text, [{ op: "add", path: "/c", value: { d: 1 } }], OPTIONS)).toBe(
      "a: 1\r\nb: 2\r\nc:\r\n  d: 1\r\n",
    );
  });

  it("gives up what stands at several places", () => {
    const text = "a: &x {c: 1}\nb: *x\n";

    expect(editYaml(text, [{ op: "replace", path: "/a/c", value: 2 }], OPTIONS)).toBeUndefined();
  });

  it("reads afterwards as the patch of what it read before, whatever the text", () => {
    const seed = testSeed();
    const dice = new Dice(seed);
    let kept = 0;
    let tried = 0;
    for (let round = 0; round < Number(process.env["TEST_CASES"] ?? 400); round++) {
      const text = randomYamlText(dice);
      const operations = randomDocumentPatch(dice);
      let wanted: unknown;
      try {
        wanted = applyJsonPatch(parseYaml(text, OPTIONS), operations);
      } catch {
        continue;
      }
      tried++;
      const result = editYaml(text, operations, OPTIONS);
      if (result === undefined) continue;
      kept++;
      expect(parseYaml(result, OPTIONS), `seed ${seed}, round ${round}: ${text}`).toEqual(wanted);
    }

    expect(kept).toBeGreaterThan(tried * 0.8);
  });
});
