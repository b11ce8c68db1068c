// What a Sync deletes, what it keeps, and what it asks for; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { configMap, gitRepository, namespaceObject, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, conditionOf, eventReasons, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const OPTIONS = "argocd.argoproj.io/sync-options";
const SYNC = "gitops.flaghoist.io/v1alpha1 Sync";

function annotated(namespace: string, name: string, annotations: Record<string, string>): KubeObject {
  const object = configMap(namespace, name);
  return { ...object, metadata: { ...object.metadata, annotations } };
}

describe.runIf(hasGit()).each(engines())("deletion by a Sync, store: %s", (engine) => {
  let plane: Plane;
  const repositories = new Map<string, ServedRepository>();

  beforeAll(async () => {
    plane = await startPlane({ engine, members: {} });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    for (const repository of repositories.values()) await repository.close();
  });

  async function push(namespace: string, objects: readonly KubeObject[]): Promise<string> {
    return (repositories.get(namespace) as ServedRepository).push("change", { "all.yaml": yamlOf(...objects) });
  }

  async function begin(
    namespace: string,
    objects: readonly KubeObject[],
    spec: Record<string, unknown> = {},
  ): Promise<void> {
    const repository = await serveRepository();
    repositories.set(namespace, repository);
    const commit = await push(namespace, objects);
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop", spec),
    );
    await untilApplied(namespace, commit);
  }

  async function message(namespace: string): Promise<string> {
    return String(conditionOf(await readSync(plane, namespace, "shop"), "Ready")?.message);
  }

  async function untilApplied(namespace: string, commit: string): Promise<void> {
    await eventually(async () => expect(await message(namespace)).toBe(`Applied revision: main@sha1:${commit}`));
  }

  /** Names of the ConfigMaps that are there. */
  async function present(namespace: string): Promise<string[]> {
    const { items } = await plane.client.list("v1", "ConfigMap", { namespace });
    return items
      .map(({ metadata }) => metadata.name ?? "")
      .filter((name) => name !== "kube-root-ca.crt")
      .sort();
  }

  async function annotateSync(namespace: string, annotations: Record<string, string>): Promise<void> {
    await plane.client.patch(ref(SYNC, namespace, "shop"), { metadata: { annotations } }, "merge");
  }

  it("keeps what says that it is not to be pruned, in Argo CD's words and in Flux's", async () => {
    const namespace = "kept";
    const keep = [
      annotated(namespace, "argo", { [OPTIONS]: "Prune=false" }),
      annotated(namespace, "flux", { "kustomize.toolkit.fluxcd.io/prune": "disabled" }),
    ];
    const rest = [1, 2, 3, 4].map((i) => configMap(namespace, `rest-${i}`));
    await begin(namespace, [...keep, configMap(namespace, "goes"), ...rest]);

    await untilApplied(namespace, await push(namespace, rest));

    expect(await present(namespace)).toEqual(["argo", "flux", "rest-1", "rest-2", "rest-3", "rest-4"]);
    await eventually(async () =>
      expect(await eventReasons(plane, namespace, "Sync", "shop")).toContain("PruneSkipped"),
    );
    expect(at(await readSync(plane, namespace, "shop"), "status", "inventory", "entries")).toHaveLength(4);
  });

  it("makes anew what it pruned before, when it comes back as it was", async () => {
    const namespace = "back";
    const rest = [1, 2, 3, 4].map((i) => configMap(namespace, `rest-${i}`));
    await begin(namespace, [configMap(namespace, "comes-and-goes"), ...rest]);
    await untilApplied(namespace, await push(namespace, rest));
    expect(await present(namespace)).not.toContain("comes-and-goes");

    await untilApplied(namespace, await push(namespace, [configMap(namespace, "comes-and-goes"), ...rest]));

    expect(await present(namespace)).toContain("comes-and-goes");
  });

  it("asks before it prunes what wants to be asked for, and applies the rest meanwhile", async () => {
    const namespace = "asked";
    const rest = [1, 2, 3, 4].map((i) => configMap(namespace, `rest-${i}`));
    await begin(namespace, [annotated(namespace, "data", { [OPTIONS]: "Prune=confirm" }), ...rest]);

    const commit = await push(namespace, [...rest, configMap(namespace, "new")]);

    await eventually(async () => {
      expect(await message(namespace)).toContain("v1 ConfigMap asked/data, which asks to be confirmed (Prune=confirm)");
      expect(await present(namespace)).toContain("new");
    });
    expect(await present(namespace)).toContain("data");
    await annotateSync(namespace, { "argocd.argoproj.io/deletion-approved": new Date().toISOString() });
    await untilApplied(namespace, commit);
    expect(await present(namespace)).not.toContain("data");
  });

  it("keeps in its inventory what the server refuses to delete, says so, and deletes it once it may", async () => {
    const namespace = "protected";
    const label = "resourcetemplate.karmada.io/deletion-protected";
    const data = configMap(namespace, "data");
    const rest = [1, 2, 3, 4].map((i) => configMap(namespace, `rest-${i}`));
    await begin(namespace, [{ ...data, metadata: { ...data.metadata, labels: { [label]: "Always" } } }, ...rest]);

    const commit = await push(namespace, rest);

    await eventually(async () => expect(await message(namespace)).toContain("; 1 object could not be deleted"));
    expect(JSON.stringify(at(await readSync(plane, namespace, "shop"), "status", "inventory"))).toContain("data");
    await plane.client.patch(
      ref("v1 ConfigMap", namespace, "data"),
      { metadata: { labels: { [label]: null } } },
      "merge",
    );
    await annotateSync(namespace, { "reconcile.fluxcd.io/requestedAt": "now" });
    await untilApplied(namespace, commit);
    expect(await present(namespace)).not.toContain("data");
  });

  it("takes along at its end what does not want to stay, and asks for what wants to be asked for", async () => {
    const namespace = "ended";
    await begin(namespace, [
      annotated(namespace, "stays", { [OPTIONS]: "Delete=false" }),
      annotated(namespace, "data", { [OPTIONS]: "Delete=confirm" }),
      configMap(namespace, "goes"),
    ]);

    await plane.client.delete(ref(SYNC, namespace, "shop"));

    await eventually(async () => expect(await message(namespace)).toContain("(Delete=confirm)"));
    expect(await present(namespace)).toEqual(["data", "goes", "stays"]);
    const confirmation = /confirm-deletions=(\S+)$/.exec(await message(namespace))?.[1] ?? "";
    await annotateSync(namespace, { "gitops.flaghoist.io/confirm-deletions": confirmation });
    await eventually(async () => expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeUndefined());
    expect(await present(namespace)).toEqual(["stays"]);
  });

  it("takes no word from before its end for one on it, though the clocks have jumped back since", async () => {
    const namespace = "jumped";
    const confirm = "gitops.flaghoist.io/confirm-deletions";
    await begin(namespace, [annotated(namespace, "data", { [OPTIONS]: "Delete=confirm" })]);
    await annotateSync(namespace, { [confirm]: new Date(Date.now() + 3_600_000).toISOString() });

    await plane.client.delete(ref(SYNC, namespace, "shop"));

    await eventually(async () => expect(await message(namespace)).toContain("(Delete=confirm)"));
    const word = /confirm-deletions=(\S+)$/.exec(await message(namespace))?.[1] ?? "";
    expect(await present(namespace)).toEqual(["data"]);
    await annotateSync(namespace, { [confirm]: word });
    await eventually(async () => expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeUndefined());
    expect(await present(namespace)).toEqual([]);
  });

  it("leaves everything at its end when its policy says so", async () => {
    const namespace = "orphaned";
    await begin(namespace, [configMap(namespace, "a")], { deletionPolicy: "Orphan" });

    await plane.client.delete(ref(SYNC, namespace, "shop"));

    await eventually(async () => expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeUndefined());
    expect(await present(namespace)).toEqual(["a"]);
  });

  it("keeps a namespace in which somebody else has something, and deletes one that holds only what goes with it", async () => {
    const namespace = "containers";
    const rest = [1, 2, 3, 4, 5, 6, 7].map((i) => configMap(namespace, `rest-${i}`));
    const [full, empty] = ["containers-full", "containers-empty"];
    const own = [full, empty].map((name) => configMap(name, "own"));
    await begin(namespace, [...[full, empty].map((name) => namespaceObject(name)), ...own, ...rest], {
      pruneLimitPercent: 50,
    });
    await applyAll(plane.client, configMap(full, "theirs"));

    await untilApplied(namespace, await push(namespace, rest));

    // A bare kube-apiserver has nobody who ends a namespace that is deleted.
    await eventually(async () => {
      const left = await plane.client.find(ref("v1 Namespace", "", empty));
      expect(left === undefined || left.metadata.deletionTimestamp !== undefined).toBe(true);
    });
    expect(await present(full)).toEqual(["theirs"]);
    expect((await plane.client.get(ref("v1 Namespace", "", full))).metadata.deletionTimestamp).toBeUndefined();
    await eventually(async () =>
      expect(await eventReasons(plane, namespace, "Sync", "shop")).toContain("PruneSkipped"),
    );
  });

  it("leaves everything when it is deleted while it is suspended", async () => {
    const namespace = "suspended";
    await begin(namespace, [configMap(namespace, "a")]);
    await plane.client.patch(ref(SYNC, namespace, "shop"), { spec: { suspend: true } }, "merge");

    await plane.client.delete(ref(SYNC, namespace, "shop"));

    await eventually(async () => expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeUndefined());
    expect(await present(namespace)).toEqual(["a"]);
  });

  it("makes objects anew in another target namespace, and asks before it deletes them in the old one", async () => {
    const namespace = "moving";
    const other = "moving-target";
    await applyAll(plane.client, namespaceObject(other));
    await begin(namespace, [configMap(namespace, "a"), configMap(namespace, "b")]);

    await plane.client.patch(ref(SYNC, namespace, "shop"), { spec: { targetNamespace: other } }, "merge");

    await eventually(async () => expect(await message(namespace)).toContain("would delete 2 of 2 objects"));
    expect(await present(other)).toEqual(["a", "b"]);
    expect(await present(namespace)).toEqual(["a", "b"]);
  });

  it("does not take the confirmation of a revision for one of what another path of it deletes", async () => {
    const namespace = "repathed";
    const repository = await serveRepository();
    repositories.set(namespace, repository);
    const files = (names: readonly string[]) => yamlOf(...names.map((name) => configMap(namespace, name)));
    repository.push("first", { "one/a.yaml": files(["a", "b", "c"]), "two/a.yaml": files(["z"]) });
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop", { path: "one" }),
    );
    await eventually(async () => expect(await present(namespace)).toEqual(["a", "b", "c"]));
    const commit = repository.push("fewer", { "one/a.yaml": files(["a"]), "two/a.yaml": files(["z"]) });
    await eventually(async () => expect(await message(namespace)).toContain("would delete 2 of 3 objects"));
    await annotateSync(namespace, { "gitops.flaghoist.io/confirm-prune": commit });
    await untilApplied(namespace, commit);
    expect(await present(namespace)).toEqual(["a"]);

    await plane.client.patch(ref(SYNC, namespace, "shop"), { spec: { path: "two" } }, "merge");

    await eventually(async () => expect(await message(namespace)).toContain("would delete 1 of 1 objects"));
    expect(await present(namespace)).toEqual(["a", "z"]);
    const confirmation = /confirm-prune=(\S+)$/.exec(await message(namespace))?.[1] ?? "";
    await annotateSync(namespace, { "gitops.flaghoist.io/confirm-prune": confirmation });
    await eventually(async () => expect(await present(namespace)).toEqual(["z"]));
  });

  it("leaves alone what became somebody else's, and what runs when its source goes", async () => {
    const namespace = "others";
    await begin(
      namespace,
      [1, 2, 3, 4, 5].map((i) => configMap(namespace, `c-${i}`)),
    );
    const labels = { "gitops.flaghoist.io/sync-name": null };
    await plane.client.patch(ref("v1 ConfigMap", namespace, "c-1"), { metadata: { labels } }, "merge");

    await untilApplied(
      namespace,
      await push(
        namespace,
        [2, 3, 4, 5].map((i) => configMap(namespace, `c-${i}`)),
      ),
    );
    await plane.client.delete(ref("gitops.flaghoist.io/v1alpha1 GitRepository", namespace, "shop"));
    await annotateSync(namespace, { "reconcile.fluxcd.io/requestedAt": "now" });

    await eventually(async () => expect(await message(namespace)).toContain("has no revision yet"));
    expect(await present(namespace)).toEqual(["c-1", "c-2", "c-3", "c-4", "c-5"]);
  });
});
