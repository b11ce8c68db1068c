import { describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { world } from "../../../test/builders.ts";
import { definitionRemoved, definitionVersionRemoved } from "./definition-lost.ts";
import { review } from "./testing/review.ts";

function definition(versions: readonly { name: string; served: boolean }[], stored?: readonly string[]): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "databases.example.io", uid: "d" },
    spec: { group: "example.io", names: { kind: "Database" }, versions: [...versions] },
    ...(stored === undefined ? {} : { status: { storedVersions: [...stored] } }),
  };
}
function database(name: string, version = "v1"): KubeObject {
  return { apiVersion: `example.io/${version}`, kind: "Database", metadata: { name, namespace: "shop", uid: name } };
}
const both = definition([
  { name: "v1", served: true },
  { name: "v2", served: true },
]);
const onlyNew = definition([{ name: "v2", served: true }]);

describe("crd-removed", () => {
  it("counts the objects that go with it", () => {
    const templates = [both, ...["a", "b", "c", "d"].map((name) => database(name))];

    expect(definitionRemoved(review({ world: world({ templates }), removed: [refOf(both)] }))).toMatchObject([
      {
        rule: "crd-removed",
        severity: "error",
        object: { kind: "CustomResourceDefinition", name: "databases.example.io" },
        message: expect.stringContaining("4 Database objects of the control plane (shop/a, shop/b, shop/c and 1 more)"),
      },
    ]);
  });

  it("warns of one without objects in the control plane", () => {
    const change = review({ world: world({ templates: [both] }), removed: [refOf(both)] });

    expect(definitionRemoved(change)).toMatchObject([{ rule: "crd-removed", severity: "warning" }]);
  });
});

describe("crd-version-removed", () => {
  it("names what is still written in the version", () => {
    const change = review({ world: world({ templates: [both, database("a"), database("b", "v2")] }), put: [onlyNew] });

    expect(definitionVersionRemoved(change)).toMatchObject([
      {
        rule: "crd-version-removed",
        severity: "error",
        field: "spec.versions",
        message: expect.stringContaining(
          "1 Database object can no longer be applied (shop/a): it is written in version v1",
        ),
        advice: "serve v1 until they are written in version v2",
      },
    ]);
  });

  it("says that servers refuse to drop what is stored", () => {
    const stored = definition([{ name: "v1", served: true }], ["v1"]);

    expect(definitionVersionRemoved(review({ world: world({ templates: [stored] }), put: [onlyNew] }))).toMatchObject([
      { message: expect.stringContaining("objects may still be stored in version v1") },
    ]);
  });

  it("says nothing of a version that nobody uses", () => {
    const change = review({ world: world({ templates: [both, database("b", "v2")] }), put: [onlyNew] });

    expect(definitionVersionRemoved(change)).toEqual([]);
  });
});
