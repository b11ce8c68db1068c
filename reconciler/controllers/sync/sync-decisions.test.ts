import { describe, expect, it } from "vitest";
import { CONFIRM_PRUNE_ANNOTATION, type InventoryEntry, type Sync } from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { belongsTo, entriesOf, inventoryEntry, planPrune, prepareObject, refOfEntry } from "./sync-decisions.ts";

const REVISION = "main@sha1:0123456789abcdef0123456789abcdef01234567";

function entries(count: number, prefix = "old"): InventoryEntry[] {
  return Array.from({ length: count }, (_, i) => ({ id: `shop_${prefix}-${i}_apps_Deployment`, v: "v1" }));
}

interface SyncWords {
  readonly inventory?: readonly InventoryEntry[];
  readonly spec?: Partial<Sync["spec"]>;
  readonly confirm?: string;
  readonly lastAppliedObjects?: number;
}

function sync({ inventory = [], spec = {}, confirm, lastAppliedObjects }: SyncWords = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: {
      name: "apps",
      namespace: "gitops",
      ...(confirm === undefined ? {} : { annotations: { [CONFIRM_PRUNE_ANNOTATION]: confirm } }),
    },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, ...spec },
    status: {
      inventory: { entries: [...inventory] },
      ...(lastAppliedObjects === undefined ? {} : { lastAppliedObjects }),
    },
  };
}

function object(apiVersion: string, kind: string, metadata: KubeObject["metadata"] = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "it", ...metadata } };
}

describe("inventoryEntry", () => {
  it.each([
    ["a namespaced object", "apps/v1", "Deployment", "shop", "web", "shop_web_apps_Deployment"],
    ["an object of the core group", "v1", "ConfigMap", "shop", "settings", "shop_settings__ConfigMap"],
    ["a cluster-wide object", "v1", "Namespace", undefined, "shop", "_shop__Namespace"],
    [
      "a name with colons",
      "rbac.authorization.k8s.io/v1",
      "ClusterRole",
      undefined,
      "system:node:reader",
      "_system__node__reader_rbac.authorization.k8s.io_ClusterRole",
    ],
    [
      "a name with an underscore",
      "rbac.authorization.k8s.io/v1",
      "Role",
      "shop",
      "read_only",
      "shop_read_only_rbac.authorization.k8s.io_Role",
    ],
    [
      "a name that ends in an underscore",
      "rbac.authorization.k8s.io/v1",
      "Role",
      "shop",
      "odd_",
      "shop_odd__rbac.authorization.k8s.io_Role",
    ],
  ])("writes %s as Flux does, and reads it back", (_what, apiVersion, kind, namespace, name, id) => {
    const ref = { apiVersion, kind, namespace, name };
    const entry = inventoryEntry(ref);

    expect(entry).toEqual({ id, v: "v1" });
    expect(refOfEntry(entry)).toEqual(ref);
  });

  it.each(["", "web", "shop_web", "shop_web_Deployment"])("does not read %j", (id) => {
    expect(refOfEntry({ id, v: "v1" })).toBeUndefined();
  });
});

describe("planPrune", () => {
  it.each([
    { before: 10, removed: 3, limit: undefined, held: false, why: "exactly the usual 30 %" },
    { before: 10, removed: 4, limit: undefined, held: true, why: "more than that" },
    { before: 3, removed: 1, limit: undefined, held: true, why: "a third" },
    { before: 10, removed: 5, limit: 50, held: false, why: "exactly its own limit" },
    { before: 100, removed: 1, limit: 0, held: true, why: "a single object when nothing may go" },
    { before: 10, removed: 9, limit: 100, held: false, why: "anything when there is no limit" },
    { before: 10, removed: 0, limit: 0, held: false, why: "nothing" },
  ])("of $before objects deleting $removed ($why): held $held", ({ before, removed, limit, held }) => {
    const inventory = entries(before);
    const plan = planPrune(
      sync({ inventory, spec: limit === undefined ? {} : { pruneLimitPercent: limit } }),
      inventory.slice(removed),
      REVISION,
    );

    expect(plan.prune).toEqual(inventory.slice(0, removed));
    expect(plan.held !== undefined).toBe(held);
  });

  it("holds a revision without any object, whatever the limit below 100", () => {
    const inventory = entries(1);

    expect(planPrune(sync({ inventory, spec: { pruneLimitPercent: 99 } }), [], REVISION).held).toBeDefined();
    expect(planPrune(sync({ inventory, spec: { pruneLimitPercent: 100 } }), [], REVISION).held).toBeUndefined();
  });

  it.each([
    { before: 1_000, removed: 100, count: undefined, share: undefined, held: false, why: "exactly the usual count" },
    { before: 1_000, removed: 101, count: undefined, share: undefined, held: true, why: "more than that" },
    { before: 1_000, removed: 200, count: 500, share: undefined, held: false, why: "less than its own count" },
    { before: 1_000, removed: 200, count: 0, share: undefined, held: false, why: "no limit of the count" },
    { before: 1_000, removed: 900, count: undefined, share: 100, held: false, why: "no limit at all" },
    { before: 1_000, removed: 11, count: 10, share: 100, held: true, why: "a limit of the count alone" },
  ])("of $before objects deleting $removed ($why): held $held", ({ before, removed, count, share, held }) => {
    const inventory = entries(before);
    const spec = {
      ...(count === undefined ? {} : { pruneLimitCount: count }),
      ...(share === undefined ? {} : { pruneLimitPercent: share }),
    };

    expect(planPrune(sync({ inventory, spec }), inventory.slice(removed), REVISION).held !== undefined).toBe(held);
  });

  it("is held by a single object that asks to be confirmed, and names it", () => {
    const inventory = entries(10);
    const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "shop", name: "data" };

    const plan = planPrune(sync({ inventory }), inventory.slice(1), REVISION, { toConfirm: [ref] });

    expect(plan.held).toContain("v1 PersistentVolumeClaim shop/data");
    expect(
      planPrune(sync({ inventory, confirm: "0123456" }), inventory.slice(1), REVISION, { toConfirm: [ref] }),
    ).toMatchObject({ held: undefined, isConfirmed: true });
  });

  it("takes Argo CD's approval when it is younger than the attempt", () => {
    const inventory = entries(10);
    const approved = (at: string): boolean => {
      const one = sync({ inventory });
      const annotations = { "argocd.argoproj.io/deletion-approved": at };
      const plan = planPrune({ ...one, metadata: { ...one.metadata, annotations } }, [], REVISION, {
        askedAtMs: Date.UTC(2026, 0, 2),
      });
      return plan.held === undefined;
    };

    expect(approved("2026-01-02T00:00:00Z")).toBe(true);
    expect(approved("2026-01-01T23:59:59Z")).toBe(false);
    expect(approved("true")).toBe(false);
  });

  it("does not count what may not be deleted anyway", () => {
    const inventory = entries(10);

    const plan = planPrune(sync({ inventory }), inventory.slice(5), REVISION, {
      isDeletable: ({ id }) =>
        id !== inventory[0]?.id && id.endsWith("Deployment") && Number(/-(\d)_/.exec(id)?.[1]) < 3,
    });

    expect(plan.prune).toHaveLength(2);
    expect(plan.held).toBeUndefined();
  });

  it("deletes nothing when the Sync does not prune", () => {
    expect(planPrune(sync({ inventory: entries(5), spec: { prune: false } }), [], REVISION)).toEqual({
      prune: [],
      held: undefined,
      isConfirmed: false,
    });
  });

  it("takes an object at another version for the same object", () => {
    const inventory = [{ id: "shop_web_apps_Deployment", v: "v1beta1" }];

    expect(planPrune(sync({ inventory }), [{ id: "shop_web_apps_Deployment", v: "v1" }], REVISION).prune).toEqual([]);
  });

  it("does not let the objects of the revision itself hide how much it deletes", () => {
    // The first attempt has recorded what it was about to create.
    const wanted = entries(40, "new");
    const second = sync({ inventory: [...wanted, ...entries(10)], lastAppliedObjects: 10 });

    const plan = planPrune(second, wanted, REVISION);

    expect(plan.prune).toHaveLength(10);
    expect(plan.held).toContain("would delete 10 of 10 objects");
  });

  it.each([
    ["the commit", "0123456789abcdef0123456789abcdef01234567", true],
    ["twelve characters of it", "0123456789ab", true],
    ["seven characters of it", "0123456", true],
    ["the whole revision", REVISION, true],
    ["too few characters", "012345", false],
    ["another commit", "fedcba9876543210", false],
    ["nothing", "", false],
    ["the branch", "main", false],
  ])("goes on when confirmed by %s: %s is %s", (_what, confirm, allowed) => {
    const plan = planPrune(sync({ inventory: entries(10), confirm }), entries(2), REVISION);

    expect(plan.prune).toHaveLength(8);
    expect(plan.held === undefined).toBe(allowed);
  });

  it("says how to go on, in a command that works", () => {
    const { held } = planPrune(sync({ inventory: entries(10) }), entries(2), REVISION);

    expect(held).toBe(
      `held: revision ${REVISION} would delete 8 of 10 objects of Sync gitops/apps (limit 30 %). To go on: ` +
        `kubectl annotate sync apps -n gitops --overwrite ${CONFIRM_PRUNE_ANNOTATION}=0123456789ab`,
    );
    expect(planPrune(sync({ inventory: entries(10), confirm: "0123456789ab" }), entries(2), REVISION).held).toBe(
      undefined,
    );
  });

  it("takes a confirmation of a revision for what was rendered of it then, and of that alone", () => {
    const status = { lastAppliedRevision: REVISION, lastAppliedDigest: "d1" };
    const given = (confirm: string): Sync => {
      const base = sync({ inventory: entries(10), confirm });
      return { ...base, metadata: { ...base.metadata, generation: 3 }, status: { ...base.status, ...status } };
    };
    const heldFor = (confirm: string, digest: string): string | undefined =>
      planPrune(given(confirm), entries(1), REVISION, { digest }).held;

    expect(heldFor("0123456", "d1")).toBeUndefined();
    expect(heldFor("0123456", "d2")).toContain(`${CONFIRM_PRUNE_ANNOTATION}=0123456789ab/3`);
    expect(heldFor("0123456789ab/3", "d2")).toBeUndefined();
    expect(heldFor("0123456789ab/2", "d2")).toContain("held");
    // What the first attempt left is deleted by the same word.
    expect(heldFor("0123456789ab/3", "d1")).toBeUndefined();
  });
});

describe("prepareObject", () => {
  it("marks the object as the Sync's and keeps its own labels", () => {
    const ready = prepareObject(object("v1", "ConfigMap", { namespace: "shop", labels: { app: "web" } }), sync(), true);

    expect(ready.metadata).toEqual({
      name: "it",
      namespace: "shop",
      labels: {
        app: "web",
        "gitops.flaghoist.io/sync-name": "apps",
        "gitops.flaghoist.io/sync-namespace": "gitops",
      },
    });
    expect(belongsTo(ready, sync())).toBe(true);
    expect(belongsTo(object("v1", "ConfigMap"), sync())).toBe(false);
  });

  it.each([
    ["its own namespace", { namespace: "shop" }, undefined, true, "shop"],
    ["the default one", {}, undefined, true, "default"],
    ["the Sync's target, whatever it says", { namespace: "shop" }, "other", true, "other"],
    ["none, for a kind that has none", { namespace: "shop" }, "other", false, undefined],
  ])("puts it into %s", (_what, metadata, targetNamespace, namespaced, expected) => {
    const owner = sync({ spec: targetNamespace === undefined ? {} : { targetNamespace } });

    expect(prepareObject(object("v1", "Thing", metadata), owner, namespaced).metadata.namespace).toBe(expected);
  });

  it("says on the object how drift is treated, unless in the usual way", () => {
    const annotations = (drift: "correct" | "report") =>
      prepareObject(object("v1", "ConfigMap"), sync({ spec: { drift } }), true).metadata.annotations;

    expect(annotations("report")).toEqual({ "gitops.flaghoist.io/drift": "report" });
    expect(annotations("correct")).toBeUndefined();
  });
});

describe("entriesOf", () => {
  it("names every object", () => {
    expect(entriesOf([object("v1", "Secret", { namespace: "shop" })])).toEqual([{ id: "shop_it__Secret", v: "v1" }]);
  });
});
