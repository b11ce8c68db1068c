import { describe, expect, it } from "vitest";
import type { Sync } from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { entriesOf } from "./sync-decisions.ts";
import {
  decidePruning,
  type OwnObject,
  orderDeletions,
  ownObject,
  planInventory,
  sortByWishes,
  unwantedEntries,
} from "./sync-removals.ts";
import { planSteps } from "./sync-steps.ts";

const OPTIONS = "argocd.argoproj.io/sync-options";

function config(name: string, annotations: Record<string, string> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "shop", annotations } };
}

function sync(objects: readonly KubeObject[], spec: Partial<Sync["spec"]> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "gitops" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, ...spec },
    status: { inventory: { entries: entriesOf(objects) } },
  };
}

describe("sortByWishes", () => {
  it.each([
    [{ [OPTIONS]: "Prune=false" }, "prune", `${OPTIONS}: Prune=false`],
    [{ [OPTIONS]: "ServerSideApply=true, Prune=false" }, "prune", `${OPTIONS}: Prune=false`],
    [{ [OPTIONS]: "Delete=false" }, "deletion", `${OPTIONS}: Delete=false`],
    [{ "kustomize.toolkit.fluxcd.io/prune": "disabled" }, "deletion", "kustomize.toolkit.fluxcd.io/prune: disabled"],
    [{ "helm.sh/resource-policy": "keep" }, "prune", "helm.sh/resource-policy: keep"],
    [
      { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" },
      "prune",
      "kustomize.toolkit.fluxcd.io/reconcile: disabled",
    ],
  ] as const)("keeps what says %j, and says why", (annotations, occasion, why) => {
    const { deletable, kept } = sortByWishes(
      [ownObject(config("it", annotations)), ownObject(config("other"))],
      occasion,
    );

    expect(kept.map((each) => each.why)).toEqual([why]);
    expect(deletable.map(({ ref }) => ref.name)).toEqual(["other"]);
  });

  it("goes by our own word before Flux's", () => {
    const annotations = { "kustomize.toolkit.fluxcd.io/prune": "disabled", [OPTIONS]: "Prune=true" };

    expect(sortByWishes([ownObject(config("it", annotations))], "prune").kept).toEqual([]);
  });

  it("minds the word about the other occasion not at all", () => {
    expect(sortByWishes([ownObject(config("it", { [OPTIONS]: "Delete=false" }))], "prune").kept).toEqual([]);
  });
});

describe("planInventory", () => {
  it("keeps what is left alone and drops what became a hook, without deleting it", () => {
    const before = entriesOf([config("a"), config("skipped"), config("hook"), config("gone")]);
    const plan = planSteps([
      config("a"),
      config("skipped", { "argocd.argoproj.io/hook": "Skip" }),
      config("hook", { "argocd.argoproj.io/hook": "PreSync" }),
    ]);
    const names = (entries: readonly { id: string }[]): string[] => entries.map(({ id }) => id.split("_")[1] ?? "");

    expect(names(planInventory(plan, before).wanted)).toEqual(["a", "skipped"]);
    expect(names(unwantedEntries(plan, before))).toEqual(["gone"]);
  });
});

describe("decidePruning", () => {
  const objects = ["a", "b", "c", "d"].map((name) => config(name));
  const [a, ...rest] = objects as [KubeObject, ...KubeObject[]];

  it("deletes what is no longer wanted, keeps what says so and leaves to another Sync what that waits for", () => {
    const keeper = config("keeper", { [OPTIONS]: "Prune=false" });
    const decision = decidePruning({
      sync: sync([...objects, keeper]),
      wanted: entriesOf(rest.slice(1)),
      own: [ownObject(a), ownObject(keeper), ownObject(rest[0] ?? a)],
      revision: "main@sha1:abc",
      heirOf: ({ id }) => (id.includes("_b_") ? "gitops/other" : undefined),
    });

    expect(decision.deletable.map(({ ref }) => ref.name)).toEqual(["a"]);
    expect(decision.kept.map(({ ref }) => ref.name)).toEqual(["keeper"]);
    expect(decision.handedOver.map(({ object, heir }) => [object.ref.name, heir])).toEqual([["b", "gitops/other"]]);
    expect(decision.held).toBeUndefined();
  });

  it("counts only what would really go against the limits", () => {
    const keepers = objects.map((object) => config(object.metadata.name ?? "", { [OPTIONS]: "Prune=false" }));
    const given = { sync: sync(objects), wanted: entriesOf([config("new")]), revision: "main@sha1:abc" };

    expect(decidePruning({ ...given, own: keepers.map(ownObject) }).held).toBeUndefined();
    expect(decidePruning({ ...given, own: objects.map(ownObject) }).held).toContain("would delete 4 of 4 objects");
  });

  it("deletes nothing of a Sync that does not prune", () => {
    const decision = decidePruning({
      sync: sync(objects, { prune: false }),
      wanted: [],
      own: objects.map(ownObject),
      revision: "main@sha1:abc",
    });

    expect(decision.deletable).toEqual([]);
    expect(decision.kept).toHaveLength(4);
  });
});

describe("orderDeletions", () => {
  it("takes waves in reverse, what is pruned last after all, and in a wave what others need after them", () => {
    const wave = (name: string, number: string): OwnObject =>
      ownObject(config(name, { "argocd.argoproj.io/sync-wave": number }));
    const namespace = ownObject({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    const last = ownObject(config("last", { [OPTIONS]: "PruneLast=true", "argocd.argoproj.io/sync-wave": "9" }));

    const batches = orderDeletions([namespace, wave("one", "1"), last, wave("zero", "0"), wave("two", "2")]);

    expect(batches.map((batch) => batch.map(({ ref }) => ref.name))).toEqual([
      ["two"],
      ["one"],
      ["zero", "shop"],
      ["last"],
    ]);
  });
});
