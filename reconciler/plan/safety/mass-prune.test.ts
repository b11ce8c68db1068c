import { describe, expect, it } from "vitest";
import type { Sync } from "../../../api/gitops.ts";
import { refOf } from "../../../kube/object.ts";
import { configMap, world } from "../../../test/builders.ts";
import type { SyncPrune } from "../prunes.ts";
import { massPrune } from "./mass-prune.ts";
import type { ReviewedChange } from "./reviewed-change.ts";
import { review } from "./testing/review.ts";

function sync(spec: Partial<Sync["spec"]> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "shop" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, interval: "1m", ...spec },
  } as Sync;
}

/** A Sync with so many objects loses so many. */
function losing(removed: number, total: number, words: Partial<SyncPrune> & { spec?: Partial<Sync["spec"]> } = {}) {
  const refs = Array.from({ length: removed }, (_, i) => refOf(configMap(`c${i}`)));
  const prune = { sync: sync(words.spec), total, wanted: total - removed, removed: refs, ...words };
  const gone = refs.map((object) => ({ object, origin: undefined }));
  return massPrune(review({ world: world({}), rest: { prunes: [prune], removed: gone } }));
}

describe("mass-prune of a Sync", () => {
  it("is an error beyond the limit, with the figures", () => {
    expect(losing(8, 10)).toEqual([
      expect.objectContaining({
        rule: "mass-prune",
        severity: "error",
        object: expect.objectContaining({ kind: "Sync", namespace: "shop", name: "apps" }),
        message: "8 of 10 objects of Sync shop/apps are deleted, once a person confirms it: the limit is 30 %",
      }),
    ]);
  });

  it("is an error when nothing is left, however little there was", () => {
    expect(losing(1, 1)).toMatchObject([{ severity: "error" }]);
  });

  it("warns from half of the limit on", () => {
    expect(losing(3, 10)).toMatchObject([
      { severity: "warning", message: "3 of 10 objects of Sync shop/apps are deleted: this is near the limit of 30 %" },
    ]);
    expect(losing(2, 10)).toEqual([]);
  });

  it("keeps to what the Sync says", () => {
    expect(losing(3, 100, { spec: { pruneLimitCount: 2 } })).toMatchObject([
      { severity: "error", message: expect.stringContaining("the limit is 2 objects") },
    ]);
    expect(losing(8, 10, { spec: { prune: false } })).toEqual([]);
    expect(losing(8, 10, { spec: { pruneLimitPercent: 100 } })).toEqual([]);
  });

  it("leaves out what another Sync takes over", () => {
    const refs = [refOf(configMap("moved"))];
    const prunes = [{ sync: sync(), total: 1, wanted: 0, removed: refs }];

    expect(massPrune(review({ world: world({}), rest: { prunes } }))).toEqual([]);
  });
});

describe("mass-prune of a cluster", () => {
  it("tells what is held from what comes near to it", () => {
    const losses: ReviewedChange["losses"] = {
      held: [{ cluster: "a", deleted: 30, present: 60 }],
      near: [{ cluster: "b", deleted: 15, present: 60 }],
    };

    expect(massPrune(review({ world: world({}), rest: { losses } }))).toMatchObject([
      { severity: "error", clusters: ["a"], message: expect.stringContaining("cluster a loses 30 of 60 objects") },
      { severity: "warning", clusters: ["b"], message: expect.stringContaining("near the limit") },
    ]);
  });
});
