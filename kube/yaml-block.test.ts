import { describe, expect, it } from "vitest";
import { parseYamlNodes } from "./yaml.ts";
import { readSimpleYaml } from "./yaml-block.ts";
import type { YamlNode } from "./yaml-node.ts";

type Shape =
  | readonly [string, boolean]
  | { readonly map: readonly (readonly [Shape, Shape])[] }
  | { readonly list: readonly Shape[] };

function shapeOf(node: YamlNode): Shape {
  if (node.kind === "scalar") return [node.text, node.plain];
  if (node.kind === "sequence") return { list: node.items.map(shapeOf) };
  return { map: node.entries.map(({ key, value }) => [shapeOf(key), shapeOf(value)] as const) };
}

/** What the full parser reads: the tab in the comment keeps the simple reader out. */
function byParser(text: string): readonly Shape[] {
  return parseYamlNodes(`#\t\n${text}`).map(({ node }) => shapeOf(node));
}

const MANIFEST = `# a workload
apiVersion: apps/v1   # with a comment
kind: Deployment
metadata:
  name: web
  labels: {app: web, "tier": 'front end', on: "yes"}
  annotations:
    a.b/c: "tab\\there"
    'quoted key': it's
    empty:
    url: http://example.org:80/x#y

spec:
  replicas: 3
  args: [--level=debug, "-x", 1, [a, {b: c}], []]
  containers:
  - name: main

    # in between
    image: example/web:1.0
    env:
      - name: A
        value: "1"
      -
        name: B
      - {name: C, value: ""}
    - - nested
      - list
  script: |
    #!/bin/sh

      indented
    echo "done"
  strip: |-
    x
  keep: |+
    y

  last: ~
---
# nothing here
---
kind: List
items:
- a
-
- |
  text
`;

describe("readSimpleYaml", () => {
  it.each([
    MANIFEST.replace("    - - nested\n      - list\n", ""),
    "a: 1",
    "a:\n- 1\n- b: 2\n  c:\n  - d\n",
    "- - - 1\n  - 2\n- x: y\n",
    '{"a": 1, "b": {"c": [true, null]}}\n',
    '{"a":1}\n',
    "a: 'it''s'\n",
    'a: "\\"q\\" \\\\ \\/"\n',
    "a: |\n\n  x\n\n\n  y\n\n\nb: 1\n",
    "a: |\n    deep\n   \n    more\nb: 1\n",
    "a: -x\nb: :y\nc: ?z\nd: a#b\ne: a:b\n",
    "--- # comment\na: 1\n---\nb: 2\n",
    "a:   # nothing\nb: x\n",
    "",
  ])("reads %j as the parser does", (text) => {
    const nodes = readSimpleYaml(text, 100, true);

    expect(nodes?.map(shapeOf)).toEqual(byParser(text));
  });

  it.each([
    "a: &x 1\n",
    "a: *x\n",
    "a: !!str 1\n",
    "<<: {a: 1}\n",
    "a: >\n  folded\n",
    "a: |2\n    x\n",
    "a: two\n  lines\n",
    'a: "two\n  lines"\n',
    "a: [1,\n  2]\n",
    "? a\n: b\n",
    "a:\tb\n",
    "a: b: c\n",
    "a: 1\n  b: 2\n",
    "- a\nb: 1\n",
    "a: 1\n- b\n",
    "  a: 1\nb: 2\n",
    "a: [1, ]\n",
    "a: {b}\n",
    "a: 'open\n",
    'a: "\\x41"\n',
    "--- a\n",
    "%YAML 1.1\n---\na: 1\n",
    "a: 1\n...\nb: 2\n",
    "a: |\n  no final line feed",
    MANIFEST,
  ])("gives up on %j", (text) => {
    expect(readSimpleYaml(text, 100, true)).toBeUndefined();
  });

  it("gives up beyond the depth that is allowed", () => {
    expect(readSimpleYaml("[".repeat(101) + "]".repeat(101), 100, true)).toBeUndefined();
  });

  it("reads whatever it accepts of spoilt manifests as the parser does", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = randomFrom(seed);
    const bits = [
      "null",
      "[]",
      "{}",
      "'",
      '"',
      ":",
      "- ",
      "\n",
      "  ",
      "#",
      " #",
      "[a, b]",
      "{a: b}",
      "|\n",
      "? ",
      "---\n",
      ": ",
    ];
    let accepted = 0;

    for (let round = 0; round < 2000; round++) {
      const at = random(MANIFEST.length);
      const from = MANIFEST.lastIndexOf("\n", at) + 1;
      const window = MANIFEST.slice(from, from + 120);
      const cut = random(window.length);
      const text = `${window.slice(0, cut)}${bits[random(bits.length)]}${window.slice(cut + random(3))}`;
      const nodes = readSimpleYaml(text, 100, true);
      if (nodes === undefined || hasRepeatedKeys(nodes)) continue;
      accepted += 1;
      expect(nodes.map(shapeOf), `seed ${seed}: ${JSON.stringify(text)}`).toEqual(byParser(text));
    }

    expect(accepted).toBeGreaterThan(50);
  });
});

function hasRepeatedKeys(nodes: readonly YamlNode[]): boolean {
  return nodes.some((node) => {
    if (node.kind === "scalar") return false;
    if (node.kind === "sequence") return hasRepeatedKeys(node.items);
    const keys = node.entries.map(({ key }) => key.text);
    return new Set(keys).size < keys.length || hasRepeatedKeys(node.entries.map(({ value }) => value));
  });
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}
