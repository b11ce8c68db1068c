import { describe, expect, it } from "vitest";
import { type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import {
  binding,
  claimed,
  cluster,
  clusterPolicy,
  configMap,
  deployment,
  overridePolicy,
  policy,
  weighted,
  world,
} from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { comparePlans, fieldChanges, type Plan } from "./changes.ts";
import { runRiver } from "./river.ts";
import { changeWorld, type World } from "./world.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };
const fleet = [cluster({ name: "a" }), cluster({ name: "b" }), cluster({ name: "c" })];
const owner = policy({
  name: "p",
  placement: { ...weighted({ a: 1, b: 1 }), clusterAffinity: { clusterNames: ["a", "b"] } },
});
const web = claimed(deployment({ replicas: 6 }), owner);
const placed = world({
  clusters: fleet,
  policies: [owner],
  templates: [web],
  bindings: [
    binding({
      template: web,
      policy: owner,
      replicas: 6,
      clusters: [
        { name: "a", replicas: 3 },
        { name: "b", replicas: 3 },
      ],
    }),
  ],
});

function plan(before: World, put: readonly KubeObject[], removed: readonly ObjectRef[] = []): Plan {
  const after = changeWorld(before, put, removed);
  return comparePlans(runRiver(before, options), runRiver(after, options), ["a", "b", "c"]);
}

describe("plan of a change", () => {
  it("is empty when nothing changes", () => {
    expect(plan(placed, [web, owner])).toMatchObject({ changes: [], movedReplicas: 0, problems: [] });
  });

  it("shows a changed field once for each copy", () => {
    const changed = claimed(deployment({ replicas: 6, image: "shop/web:2" }), owner);

    const { changes } = plan(placed, [changed]);

    expect(changes.map(({ cluster: name, change, fields }) => ({ name, change, fields }))).toEqual(
      ["a", "b"].map((name) => ({
        name,
        change: "changed",
        fields: [{ path: "spec.template.spec.containers[web].image", before: "shop/web:1", after: "shop/web:2" }],
      })),
    );
  });

  it("shows how new weights move replicas", () => {
    const shifted = {
      ...owner,
      spec: { ...owner.spec, placement: { ...owner.spec.placement, ...weighted({ a: 2, b: 1 }) } },
    };

    const { clusters, movedReplicas } = plan(placed, [shifted]);

    expect(movedReplicas).toBe(1);
    expect(
      clusters.map(({ cluster: name, replicasBefore, replicasAfter }) => [name, replicasBefore, replicasAfter]),
    ).toEqual([
      ["a", 3, 4],
      ["b", 3, 2],
      ["c", 0, 0],
    ]);
  });

  it("shows copies of a deleted object as deleted", () => {
    const { changes } = plan(placed, [], [refOf(web)]);

    expect(changes.map(({ cluster: name, change }) => [name, change])).toEqual([
      ["a", "deleted"],
      ["b", "deleted"],
    ]);
  });

  it("takes along what is in a deleted namespace", () => {
    const { changes } = plan(placed, [], [{ apiVersion: "v1", kind: "Namespace", name: "shop" }]);

    expect(changes.map(({ change }) => change)).toEqual(["deleted", "deleted"]);
  });

  it("leaves copies alone when their policy is deleted, as the control plane does", () => {
    expect(plan(placed, [], [refOf(owner)]).changes).toEqual([]);
  });

  it("lets an edit rest while the policy that claimed the object no longer selects it", () => {
    const narrow = policy({ name: "p", selects: [{ apiVersion: "apps/v1", kind: "Deployment", name: "other" }] });
    const stuck = { ...placed, policies: [narrow] };
    const edited = claimed(deployment({ replicas: 6, image: "shop/web:2" }), owner);

    const { changes } = plan(stuck, [edited]);

    expect(changes).toEqual([]);
  });

  it("lets a policy that changes take objects it now selects from none", () => {
    const loose = deployment({ name: "api", replicas: 2 });
    const before = world({ clusters: fleet, templates: [loose] });

    const { changes } = plan(before, [
      policy({ name: "new", placement: weighted({ a: 1, b: 1 }), clusters: ["a", "b"] }),
    ]);

    expect(changes.map(({ cluster: name, change, replicasAfter }) => [name, change, replicasAfter])).toEqual([
      ["a", "created", 1],
      ["b", "created", 1],
    ]);
  });

  it("lets a lazy policy change nothing until the object does", () => {
    const lazy = { ...owner, spec: { ...owner.spec, activationPreference: "Lazy" as const } };
    const before = { ...placed, policies: [lazy] };
    const moved = { ...lazy, spec: { ...lazy.spec, placement: { clusterAffinity: { clusterNames: ["c"] } } } };

    expect(plan(before, [moved]).changes).toEqual([]);
    expect(plan(before, [moved, claimed(deployment({ replicas: 7 }), owner)]).changes).not.toEqual([]);
  });

  it("sends dependencies where the objects go that need them", () => {
    const needy = policy({ name: "p", clusters: ["c"], propagateDeps: true });
    const template = deployment({ settings: "settings" });

    const { changes } = plan(world({ clusters: fleet }), [needy, template, configMap("settings")]);

    expect(changes.map(({ object, cluster: name }) => `${object.kind} ${name}`)).toEqual([
      "Deployment c",
      "ConfigMap c",
    ]);
  });

  it("takes dependencies away when nothing needs them any more", () => {
    const needy = policy({ name: "p", clusters: ["c"], propagateDeps: true });
    const template = claimed(deployment({ settings: "settings" }), needy);
    const before = world({ clusters: fleet, policies: [needy], templates: [template, configMap("settings")] });

    const { changes } = plan(before, [claimed(deployment(), needy)]);

    expect(changes.find(({ object }) => object.kind === "ConfigMap")).toMatchObject({
      cluster: "c",
      change: "deleted",
    });
  });

  it("shows a changed override in the clusters it is for", () => {
    const rule = (name: string, value: string) => ({
      targetCluster: { clusterNames: [name] },
      overriders: { imageOverrider: [{ component: "Tag" as const, operator: "replace" as const, value }] },
    });

    const { changes } = plan(placed, [overridePolicy({ name: "o", rules: [rule("b", "9")] })]);

    expect(changes.map(({ cluster: name, fields }) => [name, fields[0]?.after])).toEqual([["b", "shop/web:9"]]);
  });

  it("tells of an object that no cluster takes any more", () => {
    const nowhere = { ...owner, spec: { ...owner.spec, placement: { clusterAffinity: { clusterNames: ["oslo"] } } } };

    const { problems, changes } = plan(placed, [nowhere]);

    expect(problems[0]?.problem).toContain("0/3 clusters are available");
    expect(changes.map(({ change }) => change)).toEqual(["deleted", "deleted"]);
  });

  it("knows that a cluster serves a kind once it gets the definition", () => {
    const definition: KubeObject = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "gadgets.example.io" },
      spec: {
        group: "example.io",
        names: { kind: "Gadget", plural: "gadgets" },
        versions: [{ name: "v1", served: true, storage: true }],
      },
    };
    const gadget: KubeObject = {
      apiVersion: "example.io/v1",
      kind: "Gadget",
      metadata: { name: "g", namespace: "shop" },
    };
    const kinds = ["apiextensions.k8s.io/v1 CustomResourceDefinition"];
    const selects = [definition, gadget].map(({ apiVersion, kind }) => ({ apiVersion, kind }));
    const before = world({ clusters: ["a", "b"].map((name) => cluster({ name, kinds })) });

    const { changes, problems } = plan(before, [
      definition,
      gadget,
      clusterPolicy({ name: "gadgets", selects, clusters: ["a"] }),
    ]);

    expect(problems).toEqual([]);
    expect(changes.map(({ object, cluster: name }) => `${object.kind} ${name}`)).toEqual([
      "CustomResourceDefinition a",
      "Gadget a",
    ]);
  });

  it("shows a new namespace in every cluster", () => {
    const { changes } = plan(world({ clusters: fleet }), [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } },
    ]);

    expect(changes.map(({ cluster: name, change }) => [name, change])).toEqual([
      ["a", "created"],
      ["b", "created"],
      ["c", "created"],
    ]);
  });
});

describe("fieldChanges", () => {
  it("compares list items with a name by name, others by place", () => {
    const before = {
      ...configMap("x"),
      list: [
        { name: "one", v: 1 },
        { name: "two", v: 2 },
      ],
      plain: [1, 2],
    };
    const after = {
      ...configMap("x"),
      list: [
        { name: "two", v: 3 },
        { name: "one", v: 1 },
      ],
      plain: [1, 3],
    };

    expect(fieldChanges(before, after)).toEqual([
      { path: "list[two].v", before: 2, after: 3 },
      { path: "plain[1]", before: 2, after: 3 },
    ]);
  });

  it("quotes keys with dots and leaves our own marks out", () => {
    const before = configMap("x", { "app.conf": "a" });
    const after = { ...configMap("x", { "app.conf": "b" }) };
    after.metadata = { ...after.metadata, labels: { "karmada.io/managed": "true" } };

    expect(fieldChanges(before, after).map(({ path }) => path)).toContain('data["app.conf"]');
    expect(fieldChanges(before, after)).toHaveLength(2);
  });

  it("says that a Secret changed, and not how", () => {
    const secret = (token: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { token },
    });

    expect(JSON.stringify(fieldChanges(secret("b2xk"), secret("bmV3")))).not.toMatch(/b2xk|bmV3/);
  });
});
