// Expected texts are those of kube-apiserver 1.36.
import { describe, expect, it } from "vitest";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import {
  validateMutatingBinding,
  validateMutatingPolicy,
  validateValidatingBinding,
  validateValidatingPolicy,
} from "./validate-admission-policies.ts";

const RULE = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], scope: "*" };
const HEAD = { failurePolicy: "Fail", matchConstraints: { matchPolicy: "Equivalent", resourceRules: [RULE] } };
const PARAM_KIND = { apiVersion: "v1", kind: "ConfigMap" };

function object(spec: object): KubeObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "X",
    metadata: { name: "p" },
    spec: spec as JsonObject,
  };
}

type Validate = (object: KubeObject, old: KubeObject | undefined) => readonly { field: string; message: string }[];

function errorsOf(validate: Validate, spec: object, old?: object): string[] {
  const before = old === undefined ? undefined : object(old);
  return validate(object(spec), before).map(({ field, message }) => `${field}: ${message}`);
}

function ofPolicy(spec: object, old?: object): string[] {
  const whole = (parts: object) => ({ ...HEAD, validations: [{ expression: "true" }], ...parts });
  return errorsOf(validateValidatingPolicy, whole(spec), old === undefined ? undefined : whole(old));
}

function ofExpression(expression: string, more: object = {}): string[] {
  return ofPolicy({ validations: [{ expression }], ...more });
}

function ofMutation(mutation: object, more: object = {}): string[] {
  const spec = { ...HEAD, reinvocationPolicy: "Never", mutations: [mutation], ...more };
  return errorsOf(validateMutatingPolicy, spec);
}

describe("validateValidatingPolicy", () => {
  it.each([
    ["object.x == 1 && request.userInfo.username != ''", {}],
    ["authorizer.group('').resource('pods').namespace('x').check('get').allowed()", {}],
    ["namespaceObject.metadata.labels.size() == 0 && request.options.x == 1", {}],
    ["params.x == 1", { paramKind: PARAM_KIND }],
    ["variables.x == 1", { variables: [{ name: "x", expression: "1" }] }],
    ["variables.x == 1", { variables: [{ name: "x", expression: "object.?foo" }] }],
  ])("takes %s", (expression, more) => {
    expect(ofExpression(expression, more)).toEqual([]);
  });

  it.each([
    ["1", "must evaluate to bool but got int", {}],
    ["duration('1s')", "must evaluate to bool but got google.protobuf.Duration", {}],
    ["params.x", "undeclared reference to 'params' (in container '')", {}],
    ["variables.x", "undeclared reference to 'variables' (in container '')", {}],
    ["variables.y", "undefined field 'y'", { variables: [{ name: "x", expression: "1" }] }],
    [
      "variables.x == 'a'",
      "found no matching overload for '_==_' applied to '(int, string)'",
      { variables: [{ name: "x", expression: "1" }] },
    ],
    ["request.foo == 1", "undefined field 'foo'", {}],
    ["namespaceObject.metadata.managedFields == 1", "undefined field 'managedFields'", {}],
    ["Object{} == 1", "undeclared reference to 'Object' (in container '')", {}],
  ])("refuses %s", (expression, why, more) => {
    const [error, ...others] = ofExpression(expression, more);
    expect(error).toContain(`spec.validations[0].expression: Invalid value: ${JSON.stringify(expression)}: `);
    expect(error).toContain(why);
    expect(others).toEqual([]);
  });

  it.each<[object, string[]]>([
    [
      { failurePolicy: "Maybe" },
      ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"'],
    ],
    [{ matchConstraints: undefined }, ["spec.matchConstraints: Required value"]],
    [{ matchConstraints: {} }, ["spec.matchConstraints.resourceRules: Required value"]],
    [
      { paramKind: { apiVersion: "a/b/c", kind: "" } },
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        "spec.paramKind.kind: Required value",
      ],
    ],
    [
      { validations: [{ expression: " ", message: "a\nb", messageExpression: "1", reason: "Unauthorized" }] },
      [
        "spec.validations[0].expression: Required value: expression is not specified",
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
        'spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks',
        'spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      {
        variables: [
          { name: "for", expression: "1" },
          { name: "", expression: " " },
        ],
      },
      [
        'spec.variables[0].name: Invalid value: "for": must be a valid CEL identifier',
        "spec.variables[1].name: Required value: name is not specified",
        "spec.variables[1].expression: Required value: expression is not specified",
      ],
    ],
    [
      { validations: [] },
      [
        "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
        "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
      ],
    ],
    [
      {
        auditAnnotations: [
          { key: "a", valueExpression: "1" },
          { key: "a", valueExpression: "" },
        ],
      },
      [
        'spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type] but got int',
        "spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified",
        'spec.auditAnnotations[1].key: Duplicate value: "a"',
      ],
    ],
  ])("refuses %j", (spec, expected) => {
    expect(ofPolicy(spec)).toEqual(expected);
  });

  it("compiles match conditions, but not again when they did not change", () => {
    const broken = { matchConditions: [{ name: "a", expression: "1" }] };
    const error = 'spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int';
    expect(ofPolicy(broken)).toEqual([error]);
    expect(ofPolicy(broken, {})).toEqual([error]);
    expect(ofPolicy(broken, broken)).toEqual([]);
    expect(ofPolicy({ ...broken, paramKind: PARAM_KIND }, broken)).toEqual([error]);
  });
});

describe("validateValidatingBinding", () => {
  it("takes parameters by name or by labels", () => {
    const spec = { policyName: "p", validationActions: ["Deny", "Audit"] };
    const parameterNotFoundAction = "Deny";
    for (const found of [{ name: "x" }, { selector: {} }]) {
      expect(errorsOf(validateValidatingBinding, { ...spec, paramRef: { ...found, parameterNotFoundAction } })).toEqual(
        [],
      );
    }
  });

  it("tells all that is wrong", () => {
    const spec = { policyName: "A_b", validationActions: ["X", "Deny", "Deny", "Warn"], paramRef: {} };
    expect(errorsOf(validateValidatingBinding, spec)).toEqual([
      expect.stringContaining('spec.policyName: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of'),
      "spec.paramRef: Required value: one of name or selector must be specified",
      "spec.paramRef.parameterNotFoundAction: Required value",
      'spec.validationActions[0]: Unsupported value: "X": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions[2]: Duplicate value: "Deny"',
      expect.stringContaining("must not contain both Deny and Warn"),
    ]);
  });
});

describe("validateMutatingPolicy", () => {
  it.each([
    "[JSONPatch{op: 'add', path: '/x/' + jsonpatch.escapeKey('a/b'), value: Object.spec{a: 1}}]",
    "object.x == 1 ? [JSONPatch{op: 'add'}] : []",
  ])("takes patches: %s", (expression) => {
    expect(ofMutation({ patchType: "JSONPatch", jsonPatch: { expression } })).toEqual([]);
  });

  it.each([
    ["JSONPatch", "[]", "must evaluate to list(JSONPatch) but got list(dyn)"],
    ["JSONPatch", "[JSONPatch{op: 1}]", "expected type of field 'op' is 'string' but provided type is 'int'"],
    ["JSONPatch", "[JSONPatch{foo: 1}]", "expected type of field 'foo' is '' but provided type is 'int'"],
    ["ApplyConfiguration", "object", "must evaluate to Object but got dyn"],
    ["ApplyConfiguration", "Object.spec{a: 1}", "must evaluate to Object but got Object.spec"],
  ])("refuses a %s of %s", (patchType, expression, why) => {
    const field = patchType === "JSONPatch" ? "jsonPatch" : "applyConfiguration";
    const [error, ...others] = ofMutation({ patchType, [field]: { expression } });
    expect(error).toContain(`spec.mutations[0].${field}.expression: Invalid value: ${JSON.stringify(expression)}: `);
    expect(error).toContain(why);
    expect(others).toEqual([]);
  });

  it("wants what the type of the patch says, and operations that have something to change", () => {
    const other = { patchType: "JSONPatch", applyConfiguration: { expression: "Object{}" } };
    const rules = { resourceRules: [{ ...RULE, operations: ["DELETE"] }] };
    expect(ofMutation(other, { matchConstraints: rules, reinvocationPolicy: "" })).toEqual([
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
      'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      "spec.reinvocationPolicy: Required value",
    ]);
    expect(errorsOf(validateMutatingBinding, { policyName: "p", matchResources: rules })).toHaveLength(1);
  });
});
