import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../kube/object.ts";
import { strategyForCrd } from "../crd/custom-kind.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { builtinKinds } from "./builtin.ts";
import { openApiV3Document, openApiV3Index } from "./openapi.ts";
import { openApiV2Json, openApiV2Protobuf } from "./openapi-v2.ts";

function widget(description: string): KindStrategy {
  const schema = {
    type: "object",
    description,
    properties: { spec: { type: "object", properties: { size: { type: "integer", nullable: true } } } },
  };
  return strategyForCrd(
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.io" },
      spec: {
        group: "example.io",
        scope: "Namespaced",
        names: { plural: "widgets", kind: "Widget" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    },
    "v1",
  );
}

interface Document {
  readonly paths: Record<string, Record<string, JsonObject>>;
  readonly components: { readonly schemas: Record<string, JsonObject> };
}

function documentOf(path: string, kinds: readonly KindStrategy[]): Document {
  return JSON.parse(openApiV3Document(path, kinds)!.body) as Document;
}

/** Targets of all references in a document. */
function references(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === "$ref" && typeof inner === "string") found.add(inner);
      else references(inner, found);
    }
  }
  return found;
}

describe("the document of a group-version", () => {
  const paths = [
    ...new Set(builtinKinds().map((kind) => (kind.group === "" ? "api/v1" : `apis/${kind.group}/${kind.version}`))),
  ];

  it.each(paths)("%s defines all that it refers to", (path) => {
    const document = documentOf(path, builtinKinds());
    const defined = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`));

    expect([...references(document)].filter((target) => !defined.has(target))).toEqual([]);
  });

  it("tells kubectl which kind a path serves, and that patches are validated and may be dry", () => {
    const { paths } = documentOf("apis/apps/v1", builtinKinds());
    const patch = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!["patch"]!;

    expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "apps", version: "v1", kind: "Deployment" });
    const names = (patch["parameters"] as JsonObject[]).map((parameter) => parameter["name"]);
    expect(names).toEqual(expect.arrayContaining(["dryRun", "fieldManager", "fieldValidation", "force"]));
  });

  it("has the schema of a custom resource with the fields of every object", () => {
    const { components } = documentOf("apis/example.io/v1", [widget("one")]);

    expect(components.schemas["io.example.v1.Widget"]).toMatchObject({
      type: "object",
      description: "one",
      properties: { spec: { properties: { size: { type: "integer", nullable: true } } }, kind: { type: "string" } },
      "x-kubernetes-group-version-kind": [{ group: "example.io", version: "v1", kind: "Widget" }],
    });
  });
});

describe("the index", () => {
  it("changes the hash of the group that changed, and of no other", () => {
    const before = JSON.parse(openApiV3Index([...builtinKinds(), widget("one")])) as { paths: JsonObject };
    const after = JSON.parse(openApiV3Index([...builtinKinds(), widget("two")])) as { paths: JsonObject };

    const changed = Object.keys(after.paths).filter(
      (path) => JSON.stringify(before.paths[path]) !== JSON.stringify(after.paths[path]),
    );
    expect(changed).toEqual(["apis/example.io/v1"]);
  });
});

describe("the v2 document", () => {
  it("appends a message per custom resource to the recorded base", () => {
    const base = openApiV2Protobuf(builtinKinds());
    const extended = openApiV2Protobuf([...builtinKinds(), widget("one")]);

    expect(Buffer.from(extended.subarray(0, base.length)).equals(Buffer.from(base))).toBe(true);
    const added = Buffer.from(extended.subarray(base.length));
    expect(added.includes("io.example.v1.Widget")).toBe(true);
    expect(added.includes("io.example.v1.WidgetList")).toBe(true);
    // Field 9 of the document, length-delimited.
    expect(added[0]).toBe((9 << 3) | 2);
  });

  it("leaves out types of nullable values, which v2 cannot express", () => {
    const document = JSON.parse(openApiV2Json([widget("one")])) as { definitions: Record<string, JsonObject> };
    const definition = document.definitions["io.example.v1.Widget"]!;

    expect(definition["properties"]).toMatchObject({ spec: { type: "object", properties: { size: {} } } });
    expect(JSON.stringify(definition)).not.toContain("nullable");
  });
});
