import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sync } from "../../api/gitops.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import { MemoryTree, type TreeFiles } from "../../renderers/memory-tree.ts";
import { differingFiles } from "../../sources/differing-files.ts";
import { configMap } from "../../test/builders.ts";
import { openQuietPlane, type QuietPlane } from "../../test/quiet-plane.ts";
import { entriesOf, inventoryEntry } from "../controllers/sync/sync-decisions.ts";
import { presentSync, type RepositoryChange, readRepositoryChange } from "./repository-change.ts";

let plane: QuietPlane;

function syncOf(name: string, path: string, more: Partial<Sync["spec"]> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name, namespace: "shop" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, path, ...more },
  };
}

function mapIn(name: string): string {
  const { uid: _, ...metadata } = configMap(name).metadata;
  return stringifyYaml({ ...configMap(name, { a: "1" }), metadata });
}

const ROOT = syncOf("root", "syncs");
const BASE: TreeFiles = {
  "syncs/web.yaml": stringifyYaml(syncOf("web", "apps/web")),
  "syncs/cart.yaml": stringifyYaml(syncOf("cart", "apps/cart")),
  "apps/web/map.yaml": mapIn("web"),
  "apps/cart/map.yaml": mapIn("cart"),
  "apps/new/map.yaml": mapIn("new"),
};

beforeAll(async () => {
  plane = await openQuietPlane();
  await plane.create([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    ROOT,
    syncOf("web", "apps/web"),
    syncOf("cart", "apps/cart"),
  ]);
}, 60_000);

afterAll(() => plane.close());

type Files = Readonly<Record<string, string | undefined>>;

function changeTo(files: Files, more: readonly Sync[] = []): Promise<RepositoryChange> {
  return changeFrom({}, files, more);
}

/** `more`: Syncs that the control plane has beside its own. */
async function changeFrom(before: TreeFiles, files: Files, more: readonly Sync[] = []): Promise<RepositoryChange> {
  const kept = Object.entries({ ...BASE, ...files }).filter(([, text]) => text !== undefined);
  const base = new MemoryTree({ ...BASE, ...before });
  const head = new MemoryTree(Object.fromEntries(kept) as TreeFiles);
  const syncs = (await plane.client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
  return readRepositoryChange(plane.client, syncs.map(presentSync), {
    trees: { head, base, commit: undefined },
    changedPaths: differingFiles(base, head),
    isOurs: ({ name }) => name === "shop",
    rendering: { remotes: undefined, signal: new AbortController().signal },
    ...(more.length === 0 ? {} : { syncs: [...syncs, ...more] }),
  });
}

function outcome({ change, syncs }: RepositoryChange): Record<string, unknown> {
  return {
    syncs,
    desired: change.desired.map(({ object }) => `${object.kind} ${object.metadata.name}`).sort(),
    removed: change.removed.map(({ object }) => `${object.kind} ${object.name}`).sort(),
    errors: change.problems.filter(({ severity }) => severity === "error").map(({ message }) => message),
  };
}

const NOTHING = { syncs: [], desired: [], removed: [], errors: [] };

describe("readRepositoryChange", () => {
  it("plans the Syncs whose folders change, and no others", async () => {
    expect(outcome(await changeTo({ "readme.md": "x" }))).toEqual(NOTHING);
    expect(outcome(await changeTo({ "apps/web/map.yaml": mapIn("web").replace('"1"', '"2"') }))).toEqual({
      ...NOTHING,
      syncs: ["shop/web"],
      desired: ["ConfigMap web"],
    });
  });

  it("plans a Sync that the change brings", async () => {
    const fresh = stringifyYaml(syncOf("new", "apps/new"));

    expect(outcome(await changeTo({ "syncs/new.yaml": fresh }))).toEqual({
      ...NOTHING,
      syncs: ["shop/new", "shop/root"],
      desired: ["ConfigMap new", "Sync new"],
    });
  });

  it("removes what a Sync had when the change takes it away", async () => {
    expect(outcome(await changeTo({ "syncs/web.yaml": undefined }))).toEqual({
      ...NOTHING,
      syncs: ["shop/root", "shop/web"],
      removed: ["ConfigMap web", "Sync web"],
    });
  });

  it("keeps what says so when its Sync goes", async () => {
    const kept = mapIn("kept").replace(
      "metadata:\n",
      "metadata:\n  annotations: {argocd.argoproj.io/sync-options: Delete=false}\n",
    );
    const before = { "apps/web/kept.yaml": kept };

    const change = await changeFrom(before, { ...before, "syncs/web.yaml": undefined });

    expect(outcome(change)).toMatchObject({ removed: ["ConfigMap web", "Sync web"] });
    expect(change.change.kept).toMatchObject([
      { ref: { name: "kept" }, why: "argocd.argoproj.io/sync-options: Delete=false" },
    ]);
  });

  it("takes along what the control plane has of a Sync that goes", async () => {
    const labelled = (object: KubeObject, owner: string, annotations = {}): KubeObject => ({
      ...object,
      metadata: {
        ...object.metadata,
        labels: { "gitops.flaghoist.io/sync-name": owner, "gitops.flaghoist.io/sync-namespace": "shop" },
        annotations,
      },
    });
    const maps = [
      labelled(configMap("leaf-a"), "leaf"),
      labelled(configMap("leaf-b"), "leaf", { "argocd.argoproj.io/sync-options": "Delete=false" }),
    ];
    const leaf = labelled(syncOf("leaf", "apps/leaf") as unknown as KubeObject, "trunk");
    const having = (objects: readonly KubeObject[]) => ({ inventory: { entries: entriesOf(objects) } });
    await plane.create([...maps, { ...leaf, status: having(maps) }]);
    const trunk = { ...syncOf("trunk", "trunk"), status: having([leaf]) } as Sync;

    const { change } = await readRepositoryChange(plane.client, [presentSync(trunk)], {
      trees: { head: new MemoryTree({ "trunk/map.yaml": mapIn("own") }), base: undefined, commit: undefined },
      changedPaths: undefined,
      isOurs: () => true,
      rendering: { remotes: undefined, signal: new AbortController().signal },
    });

    expect(change.removed.map(({ object }) => object.name)).toEqual(["leaf", "leaf-a"]);
    expect(change.kept.map(({ ref }) => ref.name)).toEqual(["leaf-b"]);
    expect(change.deletionsUnknown).toBeUndefined();
  });

  it("plans what a Sync does that is pointed at another folder", async () => {
    expect(outcome(await changeTo({ "syncs/web.yaml": stringifyYaml(syncOf("web", "apps/new")) }))).toEqual({
      ...NOTHING,
      syncs: ["shop/root", "shop/web"],
      desired: ["ConfigMap new", "Sync web"],
      removed: ["ConfigMap web"],
    });
  });

  it("does not remove what moves to another Sync", async () => {
    const moved = {
      "apps/web/map.yaml": undefined,
      "apps/web/other.yaml": mapIn("other"),
      "apps/cart/web.yaml": mapIn("web"),
    };

    expect(outcome(await changeTo(moved))).toMatchObject({
      syncs: ["shop/cart", "shop/web"],
      desired: ["ConfigMap other", "ConfigMap web"],
      removed: [],
    });
  });

  it("refuses what two Syncs want", async () => {
    expect(
      outcome(await changeTo({ "apps/web/cart.yaml": mapIn("cart"), "apps/cart/more.yaml": mapIn("more") })),
    ).toMatchObject({
      errors: ["ConfigMap cart is also in apps/cart/map.yaml:1, of another Sync"],
    });
  });

  describe("objects of a Sync that the change does not concern", () => {
    const owner = (): Sync => ({
      ...syncOf("elsewhere", "x", { sourceRef: { kind: "GitRepository", name: "other" } }),
      status: { inventory: { entries: [inventoryEntry(refOf(configMap("theirs")))] } },
    });
    const taken = async (files: Readonly<Record<string, string | undefined>>) =>
      (await changeTo(files, [owner()])).change.taken?.map(({ object, ...rest }) => ({ ...rest, name: object.name }));
    const theirs = { "apps/web/map.yaml": `${mapIn("web")}---\n${mapIn("theirs")}` };

    it("are told with the place where they are written", async () => {
      expect(await taken(theirs)).toEqual([
        { name: "theirs", origin: "apps/web/map.yaml:9", sync: "shop/web", owner: "shop/elsewhere" },
      ]);
    });

    it("are none as long as no Sync of the change has them", async () => {
      expect(await taken({ "apps/web/map.yaml": mapIn("mine") })).toEqual([]);
    });

    it("are taken over when the change takes the other Sync away", async () => {
      const files = { "syncs/elsewhere.yaml": stringifyYaml(owner()) };

      expect(await changeFrom(files, theirs, [owner()])).toMatchObject({ change: { taken: [] } });
    });

    it("are no matter where only a hook has the name", async () => {
      const hook = mapIn("theirs").replace(
        "metadata:\n",
        "metadata:\n  annotations: {argocd.argoproj.io/hook: PreSync}\n",
      );

      expect(await taken({ "apps/web/map.yaml": hook })).toEqual([]);
    });
  });
});
