import { describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { binding, claimed, cluster, clusterPolicy, deployment, policy, world } from "../../../test/builders.ts";
import { policyLetGo, policyNeverWins, policySelectsNothing } from "./propagation-policy.ts";
import { causedBy } from "./reviewed-change.ts";
import { review } from "./testing/review.ts";

const clusters = [cluster({ name: "a" })];
const owner = policy({ name: "owner", priority: 5, clusters: ["a"] });
const asObject = (given: unknown): KubeObject => given as KubeObject;
const web = deployment();
const given = world({ clusters, policies: [owner], templates: [web] });
const neverWins = causedBy(policyNeverWins);
const selectsNothing = causedBy(policySelectsNothing);

describe("policy-never-wins", () => {
  it("names the policy that has everything, and why", () => {
    const late = policy({ name: "late", priority: 1, clusters: ["a"] });

    expect(neverWins(review({ world: given, put: [asObject(late)] }))).toMatchObject([
      {
        rule: "policy-never-wins",
        severity: "warning",
        object: { name: "late" },
        place: { file: "apps/late.yaml" },
        message: "policy shop/late places nothing: of the 1 object that it selects, shop/owner (priority 1 < 5) has it",
      },
    ]);
  });

  it("knows that policies of a namespace precede those of the cluster", () => {
    const wide = clusterPolicy({ name: "wide", priority: 100, clusters: ["a"] });

    expect(neverWins(review({ world: given, put: [asObject(wide)] }))).toMatchObject([
      { message: expect.stringContaining("policies of a namespace precede those of the cluster") },
    ]);
  });

  it("knows that a policy keeps what it has claimed", () => {
    const had = policy({ name: "had", clusters: ["a"] });
    const better = policy({ name: "better", priority: 9, clusters: ["a"] });
    const before = world({ clusters, policies: [had], templates: [claimed(web, had)] });

    expect(neverWins(review({ world: before, put: [asObject(better)] }))).toMatchObject([
      { message: expect.stringContaining("it had them first"), advice: expect.stringContaining("preemption: Always") },
    ]);
  });

  it("tells of a policy that another one takes everything from", () => {
    const better = policy({ name: "better", priority: 9, clusters: ["a"] });

    expect(neverWins(review({ world: given, put: [asObject(better)] }))).toMatchObject([{ object: { name: "owner" } }]);
  });

  it("says nothing of a policy that had lost before", () => {
    const late = policy({ name: "late", priority: 1, clusters: ["a"] });
    const before = world({ clusters, policies: [owner, late], templates: [web] });

    expect(neverWins(review({ world: before, put: [deployment({ image: "shop/web:2" })] }))).toEqual([]);
    // But when it is touched, it is good to know.
    const touched = policy({ name: "late", priority: 2, clusters: ["a"] });
    expect(neverWins(review({ world: before, put: [asObject(touched)] }))).toMatchObject([{ severity: "notice" }]);
  });

  it("says nothing of policies whose objects are not all known", () => {
    const better = policy({ name: "better", priority: 9, clusters: ["a"] });
    const part = { ...given, partial: true };

    expect(neverWins(review({ world: part, put: [asObject(better)] }))).toEqual([]);
  });
});

describe("policy-selects-nothing", () => {
  it("is said of a policy that comes without objects", () => {
    const vain = policy({ name: "vain", selects: [{ apiVersion: "apps/v1", kind: "Deployment", name: "wbe" }] });

    expect(selectsNothing(review({ world: given, put: [asObject(vain)] }))).toMatchObject([
      { rule: "policy-selects-nothing", object: { name: "vain" }, severity: "warning" },
    ]);
    expect(selectsNothing(review({ world: given, put: [deployment({ name: "wbe" }), asObject(vain)] }))).toEqual([]);
  });
});

describe("policy-lets-go", () => {
  it("says that objects stay when their policy goes", () => {
    const had = claimed(web, owner);
    const before = world({
      clusters,
      policies: [owner],
      templates: [had],
      bindings: [binding({ template: had, policy: owner, replicas: 6, clusters: [{ name: "a", replicas: 6 }] })],
    });

    expect(policyLetGo(review({ world: before, removed: [refOf(asObject(owner))] }))).toMatchObject([
      {
        rule: "policy-lets-go",
        severity: "warning",
        clusters: ["a"],
        message: expect.stringContaining("Deployment shop/web stays in its clusters"),
      },
    ]);
  });
});
