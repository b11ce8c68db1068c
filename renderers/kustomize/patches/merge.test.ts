import { describe, expect, it } from "vitest";
import { emitYaml } from "../resources/emit.ts";
import { toValue } from "../resources/node.ts";
import { parseResources } from "../resources/parse.ts";
import { mergeObject } from "./merge.ts";
import { builtInSchemas } from "./merge-schema.ts";

/** The spec that a Pod (or another kind) has after the patch, as flow YAML on both sides; every answer is the real tool's. */
function merged(target: string, patch: string, head = "apiVersion: v1\nkind: Pod"): unknown {
  const [object] = parseResources(`${head}\nmetadata: {name: a}\nspec: ${target}\n`, "resource.yaml");
  const [change] = parseResources(`${head}\nmetadata: {name: a}\nspec: ${patch}\n`, "patch.yaml");
  mergeObject(object!.node, change!.node, builtInSchemas);
  return toValue(object!.node.get("spec")!);
}

const CUSTOM = "apiVersion: example.com/v1\nkind: Widget";
const SERVICE = "apiVersion: v1\nkind: Service";

describe("mergeObject", () => {
  it.each([
    ["merges maps and replaces scalars", "{a: {x: 1, y: 2}, b: c}", "{a: {y: 3}}", { a: { x: 1, y: 3 }, b: "c" }],
    ["deletes what the patch sets to null", "{a: {x: 1}, b: 2}", "{a: {x: null}}", { a: {}, b: 2 }],
    [
      "keeps a written null of the object, not an empty one",
      "{a: null, b: ~, c: }",
      "{d: 1}",
      { a: null, b: null, d: 1 },
    ],
    ["replaces lists of unknown kinds", "{l: [1, 2]}", "{l: [3]}", { l: [3] }],
    ["replaces a map on request", "{a: {x: 1}}", "{a: {$patch: replace, y: 2, n: null}}", { a: { y: 2 } }],
    [
      "takes the first of a key that the patch has twice",
      "{a: 1, b: {x: 0}}",
      "{a: 2, a: 3, b: {x: 4, x: 5}}",
      { a: 2, b: { x: 4 } },
    ],
    ["deletes a map on request", "{a: {x: 1}, b: 2}", "{a: {$patch: delete}}", { b: 2 }],
    [
      "leaves an unknown directive in a new map",
      "{b: 2}",
      "{a: {$patch: odd, c: 1}}",
      { a: { $patch: "odd", c: 1 }, b: 2 },
    ],
    ["writes text where text stood in quotes", "{a: 'x', b: y1}", "{a: 5, b: 6}", { a: "5", b: 6 }],
    ["leaves other directives as they are", "{a: 1}", "{$retainKeys: [a]}", { a: 1, $retainKeys: ["a"] }],
  ])("%s", (_, target, patch, expected) => {
    expect(merged(target, patch, CUSTOM)).toEqual(expected);
  });

  it("merges an object inside by its own kind", () => {
    const inner = "apiVersion: v1, kind: Pod, spec";
    const result = merged(
      `{t: {${inner}: {containers: [{name: a}, {name: b}]}}}`,
      "{t: {spec: {containers: [{name: b, image: c}]}}}",
      CUSTOM,
    );

    expect(result).toMatchObject({ t: { spec: { containers: [{ name: "b", image: "c" }, { name: "a" }] } } });
  });

  it("only checks a patch that would replace the whole object", () => {
    const [object] = parseResources(`${CUSTOM}\nmetadata: {name: a}\nspec: {a: 1}\n`, "resource.yaml");
    const [patch] = parseResources(`$patch: replace\n${CUSTOM}\nmetadata: {name: a}\nspec: {b: 1}\n`, "patch.yaml");

    expect(mergeObject(object!.node, patch!.node, builtInSchemas)).toBe("merged");
    expect(emitYaml([toValue(object!.node)])).toContain("a: 1\n");
  });

  it("names the place of an unknown directive and of a list where a map is", () => {
    expect(() => merged("{a: {b: 1}}", "{a: {$patch: odd}}")).toThrow(
      "$patch must be delete, replace or merge, not odd",
    );
    expect(() => merged("{a: {b: 1}}", "{a: [1]}")).toThrow(
      "the patch has a list at spec.a, where the object has a map",
    );
  });
});

describe("lists that merge", () => {
  const two = "{containers: [{name: a, image: x}, {name: b}]}";

  it.each([
    ["what the patch names comes first", two, "{containers: [{name: c}, {name: b, image: z}]}", "c b:z a:x"],
    ["an element can be deleted", two, "{containers: [{name: a, $patch: delete}]}", "b"],
    ["a replaced element keeps its content", two, "{containers: [{name: b, image: z, $patch: replace}]}", "b a:x"],
    ["the list can be replaced", two, "{containers: [{$patch: replace}, {name: b, image: z}]}", "b:z"],
    ["the list can be deleted", two, "{containers: [{$patch: delete}, {name: b}]}", undefined],
    [
      "a directive in a new list stands for an element",
      "{}",
      "{containers: [{$patch: replace}, {name: b}]}",
      "undefined",
    ],
    ["the last of equal elements counts", "{containers: [{name: a, image: x}, {name: a, image: y1}]}", "{}", "a:y1"],
    ["the first of equal elements of the patch counts", two, "{containers: [{name: a, image: z}, {name: a}]}", "a:z b"],
    [
      "an element without key drives out those before it",
      "{containers: [{name: a}, {image: x}, {name: b}]}",
      "{}",
      "undefined:x",
    ],
    ["a patch without key empties the list", two, "{containers: [{image: z}]}", ""],
    ["empty elements go", "{containers: [{name: a}, {}, {name: b}]}", "{containers: [{name: b}]}", "b a"],
  ])("%s", (_, target, patch, expected) => {
    const { containers } = merged(target, patch) as { containers?: { name?: string; image?: string }[] };

    const shown = containers
      ?.map(({ name, image }) => (image === undefined ? `${name}` : `${name}:${image}`))
      .join(" ");
    expect(shown).toBe(expected);
  });

  it("uses only those of several keys that have a value, and then keeps the order", () => {
    const ports = "{ports: [{port: 80, name: x}, {port: 81}]}";

    expect(merged(ports, "{ports: [{port: 81, name: z}]}", SERVICE)).toEqual({
      ports: [
        { port: 81, name: "z" },
        { port: 80, name: "x" },
      ],
    });
    expect(
      merged(
        "{ports: [{port: 80, protocol: TCP}, {port: 81, protocol: UDP}]}",
        "{ports: [{port: 81, protocol: UDP, name: z}]}",
        SERVICE,
      ),
    ).toEqual({
      ports: [
        { port: 80, protocol: "TCP" },
        { port: 81, protocol: "UDP", name: "z" },
      ],
    });
  });

  it("joins elements without keys with all that they do not contradict, the last one in the end", () => {
    const patch = "{ports: [{name: x}, {name: y, port: 80}, {name: z, protocol: b}]}";

    expect(merged("{ports: []}", patch, SERVICE)).toEqual({
      ports: [
        { name: "z", protocol: "b" },
        { name: "y", port: 80 },
        { name: "z", protocol: "b" },
      ],
    });
  });

  it("drops an element of the patch that lacks a key which its counterpart has", () => {
    const result = merged("{ports: [{port: 80, protocol: TCP}]}", "{ports: [{port: 80, name: z}]}", SERVICE);

    expect(result).toEqual({ ports: [{ port: 80, protocol: "TCP" }] });
  });

  it("joins lists of words", () => {
    const [object] = parseResources("kind: Pod\napiVersion: v1\nmetadata: {name: a, finalizers: [a, b, a, c]}\n", "r");
    const [patch] = parseResources("kind: Pod\napiVersion: v1\nmetadata: {name: a, finalizers: [d, b, d]}\n", "p");
    mergeObject(object!.node, patch!.node, builtInSchemas);

    expect(toValue(object!.node)).toMatchObject({ metadata: { finalizers: ["d", "b", "a", "c"] } });
  });

  it("merges long lists in linear time, and refuses long ones without unique keys", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `{name: c${index}}`).join(", ");
    const nameless = Array.from({ length: 20_000 }, () => "{image: x}").join(", ");

    expect(merged(`{containers: [${names}]}`, `{containers: [${names}]}`)).toMatchObject({
      containers: { length: 20_000 },
    });
    expect(() => merged(`{containers: [${nameless}]}`, "{}")).toThrow("without unique keys");
  });
});
