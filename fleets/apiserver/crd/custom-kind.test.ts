import { describe, expect, it } from "vitest";
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { type CustomKind, type CustomKindOptions, strategyForCrd } from "./custom-kind.ts";
import type { JsonSchema } from "./schema.ts";

interface VersionChanges {
  readonly subresources?: JsonObject;
  readonly additionalPrinterColumns?: JsonObject[];
  readonly selectableFields?: JsonObject[];
  readonly deprecated?: boolean;
}

/** A kind whose `spec` has the given schema. */
function kindWith(spec: JsonSchema, changes: VersionChanges = {}, options: CustomKindOptions = {}): CustomKind {
  const schema = {
    type: "object",
    properties: { spec, status: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
  };
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...changes };
  const crd: KubeObject = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.io" },
    spec: {
      group: "example.io",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [version, { ...version, name: "v2", storage: false }],
    },
  };
  return strategyForCrd(crd, "v1", options);
}

function body(spec: unknown, more: JsonObject = {}): JsonObject {
  return { apiVersion: "example.io/v1", kind: "Widget", metadata: { name: "w" }, spec: spec as JsonObject, ...more };
}

/** Decoded and defaulted. */
function made(kind: CustomKind, spec: unknown): KubeObject {
  const { object } = kind.decode(body(spec), []);
  kind.applyDefaults(object);
  return object;
}

function lines(kind: CustomKind, spec: unknown): string[] {
  return kind.validateCreate(made(kind, spec)).map(({ field, message }) => `${field}: ${message}`);
}

const STRING: JsonSchema = { type: "string" };

describe("pruning", () => {
  const kind = kindWith({
    type: "object",
    properties: {
      known: STRING,
      list: { type: "array", items: { type: "object", properties: { a: STRING } } },
      free: {
        type: "object",
        "x-kubernetes-preserve-unknown-fields": true,
        properties: { part: { type: "object", properties: { a: STRING } } },
      },
      embedded: {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
      },
    },
  });

  it("drops what the schema does not name, and reports metadata first, then sorted paths", () => {
    const given = body({ zzz: 1, known: "k", list: [{ a: "x", b: 1 }] }, { top: 1, metadata: { name: "w", bogus: 1 } });

    const { object, strictErrors } = kind.decode(given, ['duplicate field "spec"']);

    expect(object["spec"]).toEqual({ known: "k", list: [{ a: "x" }] });
    expect(strictErrors).toEqual([
      'duplicate field "spec"',
      'unknown field "metadata.bogus"',
      'unknown field "spec.list[0].b"',
      'unknown field "spec.zzz"',
      'unknown field "top"',
    ]);
  });

  it("keeps unknown fields where the schema says so, but prunes what it does name", () => {
    const { object } = kind.decode(body({ free: { any: { deep: 1 }, part: { a: "x", b: 1 } } }), []);

    expect(object["spec"]).toEqual({ free: { any: { deep: 1 }, part: { a: "x" } } });
  });

  it("treats metadata of embedded objects as metadata", () => {
    const embedded = { apiVersion: "v1", kind: "X", metadata: { name: "e", bogus: 1 }, data: { a: 1 } };

    const { object, strictErrors } = kind.decode(body({ embedded }), []);

    expect(object["spec"]).toEqual({ embedded: { ...embedded, metadata: { name: "e" } } });
    expect(strictErrors).toEqual(['unknown field "spec.embedded.metadata.bogus"']);
  });

  it("leaves the body that it was given as it is", () => {
    const given = body({ zzz: 1 });
    const before = cloneJson(given);

    kind.decode(given, []);

    expect(given).toEqual(before);
  });
});

describe("nulls and defaults", () => {
  const kind = kindWith({
    type: "object",
    properties: {
      plain: STRING,
      nullable: { type: "string", nullable: true },
      withDefault: { type: "string", default: "d" },
      nullableDefault: { type: "string", nullable: true, default: "d" },
      parent: { type: "object", default: {}, properties: { child: { type: "integer", default: 7 } } },
      absent: { type: "object", properties: { child: { type: "integer", default: 7 } } },
      list: { type: "array", items: { type: "object", properties: { k: { type: "string", default: "kk" } } } },
    },
  });

  it("drops nulls of fields that are not nullable, and lets defaults take their place", () => {
    expect(made(kind, { plain: null, nullable: null, withDefault: null, nullableDefault: null })["spec"]).toEqual({
      nullable: null,
      withDefault: "d",
      nullableDefault: null,
      parent: { child: 7 },
    });
  });

  it("fills in items of lists, and no parents that are absent", () => {
    expect(made(kind, { list: [{}, { k: "x" }, { k: null }] })["spec"]).toMatchObject({
      list: [{ k: "kk" }, { k: "x" }, { k: "kk" }],
    });
    expect(made(kind, {})["spec"]).not.toHaveProperty("absent");
  });

  it("never shares a default between objects", () => {
    const first = made(kind, {});
    (first["spec"] as { parent: JsonObject }).parent["child"] = 99;

    expect(made(kind, {})["spec"]).toMatchObject({ parent: { child: 7 } });
  });
});

describe("validation", () => {
  it.each<[string, JsonSchema, unknown, string]>([
    [
      "a wrong type",
      { type: "string" },
      5,
      'spec.v: Invalid value: "integer": spec.v in body must be of type string: "integer"',
    ],
    [
      "a fraction for an integer",
      { type: "integer" },
      1.5,
      'spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"',
    ],
    [
      "an integer beyond 64 bits",
      { type: "integer" },
      9_223_372_036_854_775_808n,
      'spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"',
    ],
    [
      "a float too large to be exact",
      { type: "integer" },
      1e300,
      'spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"',
    ],
    [
      "neither integer nor text",
      { "x-kubernetes-int-or-string": true },
      true,
      'spec.v: Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"',
    ],
    [
      "a number above the maximum",
      { type: "integer", maximum: 9 },
      10,
      "spec.v: Invalid value: 10: spec.v in body should be less than or equal to 9",
    ],
    [
      "a number at an exclusive minimum",
      { type: "number", minimum: 1, exclusiveMinimum: true },
      1,
      "spec.v: Invalid value: 1: spec.v in body should be greater than 1",
    ],
    [
      "no multiple",
      { type: "number", multipleOf: 0.1 },
      0.25,
      "spec.v: Invalid value: 0.25: spec.v in body should be a multiple of 0.1",
    ],
    [
      "a long text, by code points",
      { type: "string", maxLength: 2 },
      "a😀b",
      "spec.v: Too long: may not be more than 2 bytes",
    ],
    [
      "a text off the pattern",
      { type: "string", pattern: "^a+$" },
      "b",
      "spec.v: Invalid value: \"b\": spec.v in body should match '^a+$'",
    ],
    [
      "a value off the enum",
      { type: "string", enum: ["x", "y"] },
      "z",
      'spec.v: Unsupported value: "z": supported values: "x", "y"',
    ],
    [
      "too many items",
      { type: "array", maxItems: 1, items: { type: "string" } },
      ["a", "b"],
      "spec.v: Too many: 2: must have at most 1 items",
    ],
    [
      "a missing property",
      { type: "object", required: ["r"], properties: { r: STRING } },
      {},
      "spec.v.r: Required value",
    ],
    [
      "a wrong item",
      { type: "array", items: STRING },
      ["a", 1],
      'spec.v[1]: Invalid value: "integer": spec.v[1] in body must be of type string: "integer"',
    ],
    [
      "a wrong map value",
      { type: "object", additionalProperties: STRING },
      { k: 1 },
      'spec.v.k: Invalid value: "integer": spec.v.k in body must be of type string: "integer"',
    ],
    [
      "a duplicate in a set",
      { type: "array", "x-kubernetes-list-type": "set", items: STRING },
      ["a", "a"],
      'spec.v[1]: Duplicate value: "a"',
    ],
    [
      "a duplicate key",
      {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", required: ["k"], properties: { k: STRING } },
      },
      [{ k: "a" }, { k: "a" }],
      'spec.v[1]: Duplicate value: {"k":"a"}',
    ],
    [
      "two alternatives of one",
      { type: "object", properties: { a: STRING, b: STRING }, oneOf: [{ required: ["a"] }, { required: ["b"] }] },
      { a: "1", b: "2" },
      '<nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
    [
      "what must not be",
      { type: "object", properties: { a: STRING }, not: { required: ["a"] } },
      { a: "1" },
      '<nil>: Invalid value: "": "spec.v" must not validate the schema (not)',
    ],
    [
      "32-bit overflow",
      { type: "integer", format: "int32" },
      3e9,
      '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.v',
    ],
  ])("refuses %s", (_what, schema, value, expected) => {
    expect(lines(kindWith({ type: "object", properties: { v: schema } }), { v: value })).toContain(expected);
  });

  it("says of failing alternatives what the closest one lacks", () => {
    const kind = kindWith({ type: "object", properties: { a: STRING }, anyOf: [{ required: ["a"] }] });

    expect(lines(kind, {})).toEqual([
      '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
      "spec.a: Required value",
    ]);
  });

  it("ignores formats that it does not know", () => {
    expect(
      lines(kindWith({ type: "object", properties: { v: { type: "string", format: "fancy" } } }), { v: "?" }),
    ).toEqual([]);
  });
});

describe("a change of an object that a stricter schema would refuse", () => {
  const kind = kindWith({
    type: "object",
    properties: {
      short: { type: "string", minLength: 10 },
      other: STRING,
      list: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", required: ["k"], properties: { k: STRING, v: { type: "string", minLength: 10 } } },
      },
    },
  });

  function changed(before: JsonObject, after: JsonObject): string[] {
    return kind.validateUpdate(made(kind, after), made(kind, before)).map(({ field }) => field);
  }

  it("passes where the refused part stays as it was", () => {
    expect(changed({ short: "s", other: "1" }, { short: "s", other: "2" })).toEqual([]);
  });

  it("fails where the part changes and is still refused", () => {
    expect(changed({ short: "s" }, { short: "t" })).toEqual(["spec.short"]);
  });

  it("finds items by their keys, wherever they stand", () => {
    expect(changed({ list: [{ k: "a", v: "s" }] }, { list: [{ k: "b" }, { k: "a", v: "s" }] })).toEqual([]);
    expect(changed({ list: [{ k: "a", v: "s" }] }, { list: [{ k: "b", v: "s" }] })).toEqual(["spec.list[0].v"]);
  });
});

describe("rules", () => {
  const ruled: JsonSchema = {
    type: "object",
    properties: { a: STRING },
    "x-kubernetes-validations": [{ rule: "self.a != 'x'", message: "not x" }],
  };

  it("are evaluated by the checker that is given, with the old object", () => {
    const seen: unknown[] = [];
    const compileRules = () => (object: KubeObject, old: KubeObject | undefined) => {
      seen.push([object["spec"], old?.["spec"]]);
      const error = { reason: "FieldValueInvalid", field: "spec", message: "Invalid value: not x" } as const;
      return { errors: [error], warnings: ["spec: old news"] };
    };
    const kind = kindWith(ruled, {}, { compileRules });

    const updated = made(kind, { a: "x" });
    const errors = kind.validateUpdate(updated, made(kind, { a: "y" }));

    expect(errors).toHaveLength(1);
    expect(kind.toleratedProblems(updated)).toEqual(["spec: old news"]);
    expect(seen).toEqual([[{ a: "x" }, { a: "y" }]]);
  });

  it.each([
    ["a type", ruled, { a: 1 }],
    ["a value that the schema lists", { ...ruled, properties: { a: { type: "string", enum: ["y"] } } }, { a: "z" }],
  ] as [string, JsonSchema, JsonObject][])(
    "are not evaluated without %s, and the answer says so",
    (_what, schema, spec) => {
      expect(lines(kindWith(schema), spec)).toContainEqual(
        expect.stringContaining("<nil>: Invalid value: null: some validation rules were not checked"),
      );
    },
  );
});

describe("what the definition declares", () => {
  it("prints columns: name first, text as text, wrong types and missing values as nothing, dates as ages", () => {
    const column = (name: string, type: string, jsonPath: string): JsonObject => ({ name, type, jsonPath });
    const kind = kindWith(
      { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      {
        additionalPrinterColumns: [
          column("Text", "string", ".spec.number"),
          column("Object", "string", ".spec.object"),
          column("Wrong", "integer", ".spec.text"),
          column("Missing", "string", ".spec.none"),
          column("Ready", "string", '.spec.conditions[?(@.type=="Ready")].status'),
          column("Age", "date", ".metadata.creationTimestamp"),
          column("Bad", "date", ".spec.text"),
        ],
      },
    );
    const conditions = [
      { type: "Other", status: "1" },
      { type: "Ready", status: "True" },
    ];
    const object = made(kind, { number: 4, object: { a: 1 }, text: "t", conditions });
    object.metadata.creationTimestamp = "2024-05-01T00:00:00Z";

    expect(kind.columns.map(({ name }) => name)).toEqual([
      "Name",
      "Text",
      "Object",
      "Wrong",
      "Missing",
      "Ready",
      "Age",
      "Bad",
    ]);
    expect(kind.cells(object, Date.parse("2024-05-01T03:00:00Z"))).toEqual([
      "w",
      "4",
      '{"a":1}',
      null,
      null,
      "True",
      "3h",
      "<invalid>",
    ]);
  });

  it("has name and age when there are no columns", () => {
    expect(kindWith({ type: "object" }).columns.map(({ name }) => name)).toEqual(["Name", "Age"]);
  });

  it("separates status and scale", () => {
    const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
    const kind = kindWith({ type: "object" }, { subresources: { status: {}, scale } });
    const old = made(kind, {});
    old["status"] = { phase: "old" };
    const object = made(kind, {});
    object["status"] = { phase: "new" };

    kind.prepareForUpdate(object, old);

    expect(object["status"]).toEqual({ phase: "old" });
    expect(kind.subresources.map(({ name }) => name)).toEqual(["status", "scale"]);
    expect(kind.scale).toEqual({ specReplicas: "spec.replicas", statusReplicas: "status.replicas" });
  });

  it("selects by declared fields", () => {
    const kind = kindWith(
      { type: "object", properties: { color: STRING } },
      { selectableFields: [{ jsonPath: ".spec.color" }] },
    );

    expect(kind.selectableFields).toEqual(["spec.color"]);
    expect(kind.fieldValue(made(kind, { color: "red" }), "spec.color")).toBe("red");
    expect(kind.fieldValue(made(kind, {}), "spec.color")).toBe("");
  });

  it("warns of a deprecated version", () => {
    const deprecated = kindWith({ type: "object" }, { deprecated: true });
    const present = kindWith({ type: "object" });

    expect(deprecated.warnings()).toEqual(["example.io/v1 Widget is deprecated"]);
    expect(present.warnings()).toEqual([]);
  });

  it("shows objects of another version as its own, without changing them", () => {
    const kind = kindWith({ type: "object", properties: { d: { type: "string", default: "x" } } });
    const other: KubeObject = { apiVersion: "example.io/v2", kind: "Widget", metadata: { name: "w" }, spec: {} };

    expect(kind.convert(other)).toEqual({ ...other, apiVersion: "example.io/v1", spec: { d: "x" } });
    expect(other["spec"]).toEqual({});
  });
});
