import { describe, expect, it } from "vitest";
import { DELETION_PROTECTED_LABEL } from "../../api/admission/deletion.ts";
import type { Sync } from "../../api/gitops.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { configMap, deployment, outcome } from "../../test/builders.ts";
import { entriesOf } from "../controllers/sync/sync-decisions.ts";
import { ownObject } from "../controllers/sync/sync-removals.ts";
import { DEFAULT_DELETION_LIMITS } from "../works/mass-deletion.ts";
import type { ObjectChange } from "./changes.ts";
import { heldClusters, plannedEnd, plannedPrunes, presentCopies } from "./prunes.ts";

const named = (name: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject => {
  const object = configMap(name);
  return { ...object, metadata: { ...object.metadata, ...metadata } };
};

describe("plannedPrunes", () => {
  it("tells apart what goes, what stays and why, and what waits for a person", () => {
    const objects = [
      named("goes"),
      named("flux", { annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } }),
      named("protected", { labels: { [DELETION_PROTECTED_LABEL]: "Always" } }),
    ];
    const rest = ["a", "b", "c", "d", "e"].map((name) => named(name));
    const sync: Sync = {
      apiVersion: "gitops.flaghoist.io/v1alpha1",
      kind: "Sync",
      metadata: { name: "apps", namespace: "gitops" },
      spec: { sourceRef: { kind: "GitRepository", name: "shop" }, pruneLimitPercent: 10 },
      status: { inventory: { entries: entriesOf([...objects, ...rest]) } },
    };

    const planned = plannedPrunes({ sync, wanted: entriesOf(rest), own: objects.map(ownObject), revision: "sha1:abc" });

    expect(planned.removed.map(({ name }) => name)).toEqual(["goes"]);
    expect(planned.kept.map(({ ref, why }) => `${ref.name}: ${why}`)).toEqual([
      "flux: kustomize.toolkit.fluxcd.io/prune: disabled",
      expect.stringContaining("protected: the object is protected"),
    ]);
    expect(planned.held).toContain("would delete 2 of 8 objects");
  });
});

describe("plannedEnd", () => {
  const sync: Sync = {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "gitops" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" } },
  };
  const wishing = (name: string, wish: string): KubeObject =>
    named(name, { annotations: { "argocd.argoproj.io/sync-options": wish } });

  it("goes by what objects say of the deletion of their Sync, not of being pruned", () => {
    const objects = [
      named("goes"),
      wishing("pruned-not", "Prune=false"),
      wishing("stays", "Delete=false"),
      named("protected", { labels: { [DELETION_PROTECTED_LABEL]: "Always" } }),
    ];

    const { removed, kept, held } = plannedEnd(sync, objects.map(ownObject));

    expect(removed.map(({ name }) => name)).toEqual(["goes", "pruned-not"]);
    expect(kept.map(({ ref, why }) => `${ref.name}: ${why}`)).toEqual([
      "stays: argocd.argoproj.io/sync-options: Delete=false",
      expect.stringContaining("protected: the object is protected"),
    ]);
    expect(held).toBeUndefined();
  });

  it("is held where objects ask for a word", () => {
    const objects = ["a", "b", "c", "d"].map((name) => ownObject(wishing(name, "Delete=confirm")));

    expect(plannedEnd(sync, objects).held).toBe(
      "once Sync gitops/apps is deleted: its deletion waits for a person, as v1 ConfigMap shop/a, v1 ConfigMap shop/b, " +
        "v1 ConfigMap shop/c and 1 more ask to be confirmed (Delete=confirm); its status says how",
    );
  });
});

describe("heldClusters", () => {
  const ref = refOf(deployment());
  const copiesIn = (count: number): ReadonlyMap<string, number> =>
    presentCopies(new Map(Array.from({ length: count }, (_, i) => [String(i), outcome(deployment(), ["a"])])));
  const deletions = (count: number): ObjectChange[] =>
    Array.from({ length: count }, () => ({
      cluster: "a",
      object: ref,
      change: "deleted",
      replicasBefore: 1,
      replicasAfter: undefined,
      fields: [],
      overrides: [],
    }));

  it("names clusters that would lose more than the control plane lets go unasked", () => {
    expect(heldClusters(deletions(21), copiesIn(60), DEFAULT_DELETION_LIMITS)).toEqual([
      { cluster: "a", deleted: 21, present: 60 },
    ]);
    expect(heldClusters(deletions(20), copiesIn(60), DEFAULT_DELETION_LIMITS)).toEqual([]);
    expect(heldClusters(deletions(21), copiesIn(100), DEFAULT_DELETION_LIMITS)).toEqual([]);
    expect(heldClusters(deletions(21), copiesIn(60), undefined)).toEqual([]);
  });
});
