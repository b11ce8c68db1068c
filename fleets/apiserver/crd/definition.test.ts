import { describe, expect, it } from "vitest";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { builtinKinds } from "../kinds/builtin.ts";

const definitions = builtinKinds().find(({ kind }) => kind === "CustomResourceDefinition")!;

function definition(spec: JsonObject = {}, schema: JsonObject = { type: "object" }): KubeObject {
  const names = { plural: "widgets", kind: "Widget" };
  const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }];
  const body = { group: "example.io", scope: "Namespaced", names, versions, ...spec };
  const { object } = definitions.decode({ metadata: { name: "widgets.example.io" }, spec: body }, []);
  definitions.applyDefaults(object, undefined);
  definitions.prepareForCreate(object);
  return object;
}

function lines(crd: KubeObject): string[] {
  return definitions.validateCreate(crd).map(({ field, message }) => `${field}: ${message}`);
}

/** Errors of a schema whose property `p` is the one given. */
function schemaLines(property: JsonObject): string[] {
  const prefix = "spec.validation.openAPIV3Schema.properties[p]";
  return lines(definition({}, { type: "object", properties: { p: property } })).map((line) =>
    line.replace(prefix, "p"),
  );
}

describe("a definition", () => {
  it("gets singular and list names from its kind", () => {
    expect(definition()["spec"]).toMatchObject({
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      conversion: { strategy: "None" },
    });
  });

  it("is accepted when it is plain", () => {
    expect(lines(definition())).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    [
      "a group without a dot",
      { group: "flat" },
      'spec.group: Invalid value: "flat": should be a domain with at least one dot',
    ],
    [
      "a protected group",
      { group: "x.k8s.io" },
      "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have",
    ],
    [
      "a wrong scope",
      { scope: "Global" },
      'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
    ],
    [
      "no versions",
      { versions: [] },
      "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
    ],
    [
      "names that do not fit",
      { names: { plural: "others", kind: "Widget" } },
      'metadata.name: Invalid value: "widgets.example.io": must be spec.names.plural+"."+spec.group',
    ],
    [
      "a conversion webhook that cannot be called",
      {
        conversion: {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "http://x" } },
        },
      },
      `spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme`,
    ],
    [
      "a conversion webhook of another time",
      {
        conversion: {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v2"], clientConfig: { url: "https://x" } },
        },
      },
      'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [
      "a webhook without the strategy",
      { conversion: { strategy: "None", webhook: { conversionReviewVersions: ["v1"] } } },
      "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
    ],
  ])("is refused for %s", (_what, spec, expected) => {
    expect(lines(definition(spec))).toContainEqual(expect.stringContaining(expected));
  });

  it("names the version of a schema only when versions differ", () => {
    const version = (name: string, type: string): JsonObject => ({
      name,
      served: true,
      storage: name === "v1",
      schema: { openAPIV3Schema: { type, properties: { p: {} } } },
    });

    expect(lines(definition({ versions: [version("v1", "object"), version("v2", "object")] }))).toEqual([
      expect.stringContaining("spec.validation.openAPIV3Schema.properties[p].type: Required value"),
    ]);
    expect(lines(definition({ versions: [version("v1", "object"), version("v2", "array")] }))[0]).toContain(
      "spec.versions[0].schema.openAPIV3Schema.properties[p].type",
    );
  });

  it("keeps its scope once it is established", () => {
    const old = definition();
    old["status"] = { ...(old["status"] as object), conditions: [{ type: "Established", status: "True" }] };
    const changed = definition({ scope: "Cluster" });
    definitions.prepareForUpdate(changed, old);

    expect(definitions.validateUpdate(changed, old)).toContainEqual({
      reason: "FieldValueInvalid",
      field: "spec.scope",
      message: 'Invalid value: "Cluster": field is immutable',
    });
  });
});

describe("a schema", () => {
  it.each<[string, JsonObject, string]>([
    ["a property without type", {}, "p.type: Required value: must not be empty for specified object fields"],
    [
      "items without type",
      { type: "array", items: {} },
      "p.items.type: Required value: must not be empty for specified array items",
    ],
    [
      "a type inside of an alternative",
      { type: "object", anyOf: [{ type: "object" }] },
      "p.anyOf[0].type: Forbidden: must be empty to be structural",
    ],
    [
      "both kinds of properties",
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
      "p.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
    ],
    ["a reference", { $ref: "#/x" }, "p.$ref: Forbidden: $ref is not supported"],
    [
      "unique items",
      { type: "array", items: { type: "string" }, uniqueItems: true },
      "p.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    ],
    [
      "a list map without keys",
      { type: "array", "x-kubernetes-list-type": "map", items: { type: "object" } },
      "p.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
    ],
    [
      "a set of granular objects",
      { type: "array", "x-kubernetes-list-type": "set", items: { type: "object" } },
      "p.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
    ],
    [
      "a default of another type",
      { type: "integer", default: "x" },
      'p.default: Invalid value: "string":  in body must be of type integer: "string"',
    ],
    [
      "a default with unknown fields",
      { type: "object", properties: { a: { type: "string" } }, default: { z: 1 } },
      'p.default: Invalid value: {"z":1}: must not have unknown fields',
    ],
    [
      "a default that its own rule refuses",
      { type: "integer", default: 5, "x-kubernetes-validations": [{ rule: "self < 3" }] },
      "p.default: Invalid value: 5: failed rule: self < 3",
    ],
    [
      "a default that a rule sees without what other defaults add",
      {
        type: "object",
        properties: { x: { type: "integer", default: 2 } },
        "x-kubernetes-validations": [{ rule: "self.x == 2" }],
        default: {},
      },
      'p.default: Invalid value: "object": no such key: x evaluating rule: self.x == 2',
    ],
    [
      "rules of an alternative",
      { type: "object", anyOf: [{ "x-kubernetes-validations": [{ rule: "true" }] }] },
      "p.anyOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural",
    ],
    [
      "an unbalanced pattern",
      { type: "string", pattern: "(" },
      'p.pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
    ],
    [
      "a pattern that looks ahead",
      { type: "string", pattern: "a(?=b)" },
      'p.pattern: Invalid value: "a(?=b)": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    [
      "an empty rule",
      { type: "object", "x-kubernetes-validations": [{ rule: " " }] },
      "p.x-kubernetes-validations[0].rule: Required value: rule is not specified",
    ],
  ])("is refused for %s", (_what, property, expected) => {
    expect(schemaLines(property)).toContain(expected);
  });

  it.each<[string, JsonObject]>([
    [
      "int-or-string with its two types",
      { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
    ],
    ["a free object", { type: "object", "x-kubernetes-preserve-unknown-fields": true }],
    ["anything", { "x-kubernetes-preserve-unknown-fields": true }],
    [
      "a key with a default",
      {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string", default: "d" } } },
      },
    ],
    ["a pattern with RE2's own spellings", { type: "string", pattern: "(?i)^\\A[[:alpha:]]+(?P<n>x)\\z$" }],
    ["rules, which are evaluated elsewhere", { type: "object", "x-kubernetes-validations": [{ rule: "true" }] }],
  ])("may have %s", (_what, property) => {
    expect(schemaLines(property)).toEqual([]);
  });
});
