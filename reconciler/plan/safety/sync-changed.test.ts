import { describe, expect, it } from "vitest";
import type { Sync } from "../../../api/gitops.ts";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { configMap, world } from "../../../test/builders.ts";
import { syncChanged } from "./sync-changed.ts";
import { review } from "./testing/review.ts";

function sync(spec: Partial<Sync["spec"]> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "shop" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, interval: "1m", path: "./apps", ...spec },
  } as Sync;
}
// Syncs are objects.
const asObject = (given: Sync): KubeObject => given as unknown as KubeObject;
const ref = refOf(asObject(sync()));
const child = refOf(configMap("child"));

function removing(spec: Partial<Sync["spec"]>) {
  const prunes = [{ sync: sync(spec), total: 1, wanted: 0, removed: [child] }];
  return syncChanged(review({ world: world({}), removed: [ref, child], rest: { prunes } }));
}

describe("sync-removed", () => {
  it("says how much goes with it", () => {
    expect(removing({})).toMatchObject([
      {
        rule: "sync-removed",
        severity: "error",
        message: "1 object is deleted: Sync shop/apps goes, and its objects go with it",
      },
    ]);
  });

  it("says that objects stay where the Sync says so", () => {
    expect(removing({ deletionPolicy: "Orphan" })).toMatchObject([
      { severity: "warning", message: expect.stringContaining("stays and is looked after no longer") },
    ]);
  });

  it("does not count what it does not know", () => {
    expect(syncChanged(review({ world: world({}), removed: [ref] }))).toMatchObject([
      { severity: "error", message: expect.stringContaining("everything that Sync shop/apps applied is deleted") },
    ]);
  });
});

describe("sync-moved", () => {
  function moving(after: Partial<Sync["spec"]>, removed: readonly (typeof child)[]) {
    const prunes = [{ sync: sync(after), total: 3, wanted: 2, removed }];
    const put = [asObject(sync(after))];
    const desired = [{ object: asObject(sync(after)), before: asObject(sync()), origin: "syncs/apps.yaml:1" }];
    return syncChanged(review({ world: world({}), put, removed, rest: { prunes, desired } }));
  }

  it("says what the other folder does not have", () => {
    expect(moving({ path: "other" }, [child])).toMatchObject([
      {
        rule: "sync-moved",
        severity: "warning",
        field: "spec.path",
        message: "Sync shop/apps applies folder other instead of folder apps: 1 object is deleted that is only there",
      },
    ]);
  });

  it("says nothing when only the writing of the path changes", () => {
    expect(moving({ path: "apps/" }, [])).toEqual([]);
  });
});
