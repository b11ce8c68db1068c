import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { settleControllers, startTestServer } from "../test-server.ts";
import { ruleCompiler } from "./rule-evaluation.ts";
import type { JsonSchema, ValidationRule } from "./schema.ts";

const TEXT: JsonSchema = { type: "string" };
const INT: JsonSchema = { type: "integer" };

function withRules(schema: JsonSchema, ...rules: readonly ValidationRule[]): JsonSchema {
  return { ...schema, "x-kubernetes-validations": rules };
}

function schemaOf(spec: JsonSchema): JsonSchema {
  return { type: "object", properties: { spec } };
}

function made(spec: unknown, name = "one"): KubeObject {
  return { apiVersion: "example.io/v1", kind: "Widget", metadata: { name }, spec };
}

/** Errors and warnings as lines. */
function check(schema: JsonSchema, spec: unknown, old?: unknown, now: () => number = () => 0) {
  const checker = ruleCompiler(now)(schema);
  const outcome = checker(made(spec), old === undefined ? undefined : made(old));
  return {
    errors: outcome.errors.map(({ field, message }) => `${field}: ${message}`),
    warnings: outcome.warnings,
  };
}

describe("rules", () => {
  it("are evaluated for the value where they stand, with the values of scalars in the error", () => {
    const spec = { type: "object", properties: { n: withRules(INT, { rule: "self > 3", message: " too small " }) } };

    expect(check(schemaOf(spec), { n: 2 }).errors).toEqual(["spec.n: Invalid value: 2: too small"]);
    expect(check(schemaOf(spec), { n: 4 }).errors).toEqual([]);
    expect(check(schemaOf(spec), {}).errors).toEqual([]);
  });

  it("see names of fields that are no identifiers, and none that the schema leaves open", () => {
    const spec = withRules(
      {
        type: "object",
        properties: { "a-b": TEXT, namespace: TEXT },
        "x-kubernetes-preserve-unknown-fields": true,
      } as JsonSchema,
      { rule: "self.a__dash__b == self.__namespace__" },
      { rule: "self.namespace == 'x'" },
    );

    expect(check(schemaOf(spec), { "a-b": "x", namespace: "x", other: 1 }).errors).toEqual([]);
  });

  it("see the name of the object at the root", () => {
    const schema = withRules(schemaOf(TEXT), { rule: "self.metadata.name.startsWith('o')" });

    expect(check(schema, "x").errors).toEqual([]);
  });

  it("run for every item and every value of a map", () => {
    const spec: JsonSchema = {
      type: "object",
      properties: {
        list: { type: "array", items: withRules(TEXT, { rule: "self != 'x'" }) },
        map: { type: "object", additionalProperties: withRules(TEXT, { rule: "self != 'x'" }) },
      },
    };

    expect(check(schemaOf(spec), { list: ["a", "x"], map: { k: "x" } }).errors).toEqual([
      `spec.list[1]: Invalid value: "x": failed rule: self != 'x'`,
      `spec.map[k]: Invalid value: "x": failed rule: self != 'x'`,
    ]);
  });

  it("within allOf are rules of the same value", () => {
    const spec: JsonSchema = {
      ...INT,
      allOf: [withRules({}, { rule: "self != 1" })],
      "x-kubernetes-validations": [{ rule: "self < 9" }],
    };

    expect(check(schemaOf(spec), 1).errors).toEqual(["spec: Invalid value: 1: failed rule: self != 1"]);
  });

  it("that fail to evaluate say why, and what they are", () => {
    const spec = withRules({ type: "object", additionalProperties: TEXT }, { rule: "self.a == 'x'" });
    const either = withRules({ "x-kubernetes-int-or-string": true }, { rule: "self > 1" });

    expect(check(schemaOf(spec), {}).errors).toEqual([
      `spec: Invalid value: "object": no such key: a evaluating rule: self.a == 'x'`,
    ]);
    expect(check(schemaOf(either), "x").errors).toEqual([
      `spec: Invalid value: "": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self > 1`,
    ]);
  });
});

describe("messages", () => {
  it("are made by an expression, else written, else the rule", () => {
    const rule = { rule: "self < 3", message: "small", messageExpression: "'not ' + string(self)" };

    expect(check(schemaOf(withRules(INT, rule)), 3).errors).toEqual(["spec: Invalid value: 3: not 3"]);
    for (const messageExpression of ["''", "'a\\nb'", "[''][1]", "' '"]) {
      const broken = withRules(INT, { ...rule, messageExpression });
      expect(check(schemaOf(broken), 3).errors).toEqual(["spec: Invalid value: 3: small"]);
    }
  });

  it("come with the reason and the field that the rule names", () => {
    const spec: JsonSchema = {
      type: "object",
      properties: { a: TEXT, m: { type: "object", additionalProperties: TEXT } },
    };
    const rule = (reason: string, fieldPath: string) =>
      check(schemaOf(withRules(spec, { rule: "false", message: "m", reason, fieldPath })), {}).errors;

    expect(rule("FieldValueRequired", ".a")).toEqual(["spec.a: Required value: m"]);
    expect(rule("FieldValueForbidden", ".m['k.x']")).toEqual(["spec.m[k.x]: Forbidden: m"]);
    expect(rule("FieldValueDuplicate", ".a")).toEqual(["spec.a: Duplicate value"]);
  });
});

describe("transition rules", () => {
  const grow = withRules(INT, { rule: "self >= oldSelf", message: "shrinks" });

  it("compare with the old value, and are silent without one", () => {
    const spec: JsonSchema = { type: "object", properties: { n: grow } };

    expect(check(schemaOf(spec), { n: 1 }).errors).toEqual([]);
    expect(check(schemaOf(spec), { n: 1 }, {}).errors).toEqual([]);
    expect(check(schemaOf(spec), { n: 1 }, { n: 2 }).errors).toEqual(["spec.n: Invalid value: 1: shrinks"]);
  });

  it("take the old value as optional when they say so", () => {
    const rule = { rule: "!oldSelf.hasValue() || oldSelf.value() == self", optionalOldSelf: true };
    const spec = { type: "object", properties: { a: withRules(TEXT, rule) } };

    expect(check(schemaOf(spec), { a: "x" }, {}).errors).toEqual([]);
    expect(check(schemaOf(spec), { a: "x" }, { a: "y" }).errors).toHaveLength(1);
  });

  it("find the old item of a keyed list by its keys, wherever it was", () => {
    const item: JsonSchema = { type: "object", required: ["k"], properties: { k: TEXT, n: grow } };
    const spec: JsonSchema = {
      type: "array",
      items: item,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
    };
    const old = [
      { k: "a", n: 1 },
      { k: "b", n: 5 },
    ];

    const updated = [
      { k: "b", n: 4 },
      { k: "a", n: 2 },
      { k: "new", n: 0 },
    ];

    expect(check(schemaOf(spec), updated, old).errors).toEqual(["spec[0].n: Invalid value: 4: shrinks"]);
  });
});

describe("unchanged values", () => {
  const bad = withRules(TEXT, { rule: "self != 'bad'" });
  const spec: JsonSchema = { type: "object", properties: { a: bad, b: TEXT, l: { type: "array", items: bad } } };

  it("are warned of, so that the rest of an object can be mended", () => {
    expect(check(schemaOf(spec), { a: "bad", b: "new" }, { a: "bad", b: "old" })).toEqual({
      errors: [],
      warnings: [`spec.a: Invalid value: "bad": failed rule: self != 'bad'`],
    });
  });

  it("are refused once they change, and with lists whose items cannot be told apart", () => {
    expect(check(schemaOf(spec), { a: "bad" }, { a: "good" }).errors).toHaveLength(1);
    expect(check(schemaOf(spec), { l: ["bad", "x"] }, { l: ["bad"] }).errors).toHaveLength(1);
    expect(check(schemaOf(spec), { l: ["bad"], b: "x" }, { l: ["bad"] }).errors).toEqual([]);
  });
});

describe("limits of one object", () => {
  const list: JsonSchema = { type: "array", items: INT };
  const numbers = Array.from({ length: 2000 }, (_, index) => index);

  it("end the rules at the cost of one, and of all", () => {
    const bomb = withRules(list, { rule: "self.all(x, self.all(y, x + y >= 0))" }, { rule: "false" });

    expect(check(schemaOf(bomb), numbers).errors).toEqual([
      `spec: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.all(x, self.all(y, x + y >= 0))`,
    ]);
    const costly = { rule: "self.all(x, self.filter(y, y < x).size() >= 0) || true" };
    const many = withRules(list, ...Array.from({ length: 60 }, () => costly));
    const errors = check(schemaOf(many), numbers.slice(0, 250)).errors;
    expect(errors.at(-1)).toBe(
      `spec: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run`,
    );
  });

  it("end the rules when their time is over", () => {
    let time = 0;
    const now = () => (time += 60);
    const slow = withRules(list, { rule: "self.all(x, x >= 0)" }, { rule: "false" });

    expect(check(schemaOf(slow), numbers, undefined, now).errors).toEqual([
      `spec: Invalid value: "array": 'operation interrupted': no further validation rules will be run due to call cost exceeds limit for rule: self.all(x, x >= 0)`,
    ]);
  });
});

describe("a refused update", () => {
  it("warns of unchanged values, too", async () => {
    const test = await startTestServer();
    const path = "/apis/example.com/v1/widgets";
    const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const text = (rule: string) => ({ type: "string", "x-kubernetes-validations": [{ rule }] });
    const definition = (rule: string) => ({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Cluster",
        names: { kind: "Widget", plural: "widgets" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", properties: { a: text(rule), b: text(rule) } } },
          },
        ],
      },
    });
    await test.call("POST", DEFINITIONS, definition("true"));
    await settleControllers();
    const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, a: "x", b: "x" };
    await test.call("POST", path, widget);
    const merge = { "content-type": "application/merge-patch+json" };
    const { spec } = definition("self == 'y'");
    await test.call("PATCH", `${DEFINITIONS}/widgets.example.com`, { spec }, merge);
    await settleControllers();
    const answer = await test.call("PATCH", `${path}/w`, { b: "z" }, merge);
    await test.server.close();

    expect(answer).toMatchObject({
      status: 422,
      headers: { warning: [`299 - "a: Invalid value: \\"x\\": failed rule: self == 'y'"`] },
      body: { message: `Widget.example.com "w" is invalid: b: Invalid value: "z": failed rule: self == 'y'` },
    });
  });
});
