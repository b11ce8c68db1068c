import { describe, expect, it } from "vitest";
import type { JsonSchema, ValidationRule } from "./schema.ts";
import { checkSchema } from "./schema-rules.ts";

const TEXT: JsonSchema = { type: "string" };
const AT = "s.properties[spec].x-kubernetes-validations[0]";

function check(spec: JsonSchema, ...rules: readonly ValidationRule[]): string[] {
  const schema = { type: "object", properties: { spec: { ...spec, "x-kubernetes-validations": rules } } };
  return checkSchema(schema as JsonSchema, "s").map(({ field, message }) => `${field}: ${message}`);
}

function printed(rule: string): string {
  const text = JSON.stringify(rule).replace(">", "\\u003e");
  return `{"Rule":${text},"Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}`;
}

describe("registration of rules", () => {
  it("shows where an expression is wrong", () => {
    expect(check(TEXT, { rule: "self.size() > 'x'" })).toEqual([
      `${AT}.rule: Invalid value: ${printed("self.size() > 'x'")}: compilation failed: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(int, string)'\n | self.size() > 'x'\n | ............^`,
    ]);
  });

  it("wants a boolean, and a text of message expressions", () => {
    expect(check(TEXT, { rule: "self" })[0]).toContain("cel expression must evaluate to a bool");
    expect(check(TEXT, { rule: "true", messageExpression: "1" })[0]).toContain(
      "messageExpression must evaluate to a string",
    );
    expect(check(TEXT, { rule: "true", messageExpression: "x" })[0]).toContain(
      `${AT}.messageExpression: Invalid value: `,
    );
  });

  it("tries conversions of literals", () => {
    expect(check(TEXT, { rule: "int('x') == 1" })[0]).toContain(
      "program instantiation failed: type conversion error from 'string' to 'int'",
    );
  });

  it("wants texts on one line, known reasons and paths to fields", () => {
    const spec = { type: "object", properties: { a: TEXT } };

    expect(check(spec, { rule: " " })).toEqual([`${AT}.rule: Required value: rule is not specified`]);
    expect(check(spec, { rule: "true", message: "a\nb" })[0]).toContain("must not contain line breaks");
    expect(check(spec, { rule: "true ||\ntrue" })[0]).toContain(
      "message must be specified if rule contains line breaks",
    );
    expect(check(spec, { rule: "true", message: " " })[0]).toContain("must be non-empty if specified");
    expect(check(spec, { rule: "true", messageExpression: " " })[0]).toContain("messageExpression must be non-empty");
    expect(check(spec, { rule: "true", reason: "Nope" })[0]).toContain('Unsupported value: "Nope"');
    expect(check(spec, { rule: "true", fieldPath: ".b" })).toEqual([
      `${AT}.fieldPath: Invalid value: ".b": must be a valid path`,
    ]);
    expect(check(spec, { rule: "true", fieldPath: ".a" })).toEqual([]);
  });

  it("allows oldSelf only where old values can be found", () => {
    const items = { ...TEXT, maxLength: 5, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] };
    const list = { type: "array", maxItems: 5, items };

    expect(check(list)).toEqual([
      `s.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[spec]`,
    ]);
    expect(check(TEXT, { rule: "true", optionalOldSelf: true })).toEqual([
      `${AT}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
    ]);
  });

  it("refuses rules that may cost too much, by how much", () => {
    const list = (maxItems: number): JsonSchema => ({ type: "array", maxItems, items: { ...TEXT, maxLength: 10 } });
    const nested = { rule: "self.all(x, self.all(y, self.all(z, x == y || y == z)))" };

    expect(check(list(10), nested)).toEqual([]);
    expect(check(list(200), nested)[0]).toMatch(/Forbidden: estimated rule cost exceeds budget by factor of \d+\.\dx/);
    expect(check(list(2000), nested)).toEqual([
      expect.stringContaining("estimated rule cost exceeds budget by factor of more than 100x"),
      expect.stringContaining("contributed to estimated rule cost total exceeding cost limit"),
      expect.stringContaining("s: Forbidden: x-kubernetes-validations estimated rule cost total"),
    ]);
  });

  it("counts how often a rule is evaluated", () => {
    const inner = { ...TEXT, maxLength: 100, "x-kubernetes-validations": [{ rule: "self.matches('a.*b')" }] };
    const bounded = { type: "array", maxItems: 100, items: inner };

    expect(check(bounded)).toEqual([]);
    expect(check({ type: "array", items: { ...inner, maxLength: 10_000 } })[0]).toContain("exceeds budget");
  });
});
