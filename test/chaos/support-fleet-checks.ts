// What must hold of a fleet when all is well again: asked of the stores, not of our own code.
import type { KubeObject } from "../../kube/object.ts";
import { type App, contentOf, KINDS, lacks, NAMESPACES, pathOf, RESOURCE_OF } from "./support-fleet-apps.ts";
import { conditionOf } from "./support-fleet-witness.ts";
import { type ChaosWorld, contentText } from "./support-fleet-world.ts";

const MANAGED = "karmada.io/managed";
const WORKS = "work.karmada.io/works";

/** What is not as it must be, in words; empty when all is well. */
export function problemsOf(world: ChaosWorld): string[] {
  return [...copyProblems(world), ...leftovers(world), ...foreignProblems(world), ...storeProblems(world)];
}

function copyProblems(world: ChaosWorld): string[] {
  const problems: string[] = [];
  for (const app of world.apps) {
    if (!app.exists) continue;
    let replicas = 0;
    for (const cluster of app.clusters) {
      const copy = world.copyOf(app, cluster);
      if (copy === undefined) {
        if (!app.isDivided) problems.push(`${cluster} has no ${app.kind} ${pathOf(app)}`);
        continue;
      }
      for (const words of lacks(contentOf(app, cluster), copy))
        problems.push(`${app.kind} ${pathOf(app)} in ${cluster}: ${words}`);
      replicas += (copy["spec"] as { replicas?: number } | undefined)?.replicas ?? 0;
    }
    if (app.isDivided && replicas !== app.replicas)
      problems.push(`Deployment ${pathOf(app)} has ${replicas} replicas in all, wanted ${app.replicas}`);
  }
  for (const cluster of world.clusterNames)
    for (const name of NAMESPACES)
      if (world.stored(cluster, "namespaces", name) === undefined) problems.push(`${cluster} has no namespace ${name}`);
  return problems;
}

/** Copies that nobody wants. */
function leftovers(world: ChaosWorld): string[] {
  const problems: string[] = [];
  for (const cluster of world.clusterNames)
    for (const kind of KINDS)
      for (const { object } of world.cluster(cluster).server.state.list(RESOURCE_OF[kind])) {
        if (object.metadata.labels?.[MANAGED] !== "true") continue;
        const { namespace, name = "" } = object.metadata;
        const path = pathOf({ namespace: namespace === "" ? undefined : namespace, name });
        const owner = world.apps.find((app) => app.kind === kind && pathOf(app) === path);
        if (owner?.exists === true && owner.clusters.includes(cluster)) continue;
        problems.push(`${cluster} still has ${kind} ${path}`);
      }
  return problems;
}

/** Whether a Work brings the copy into the cluster. */
export function hasWork(world: ChaosWorld, cluster: string, app: App): boolean {
  return world.plane.store.state
    .list(WORKS, `karmada-es-${cluster}`)
    .some(({ object }) =>
      manifestsOf(object).some((one) => one.kind === app.kind && pathOf(one.metadata) === pathOf(app)),
    );
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
}

/** What a Work brings into its cluster. */
export function manifestsOf(work: KubeObject): readonly Manifest[] {
  const { workload } = work["spec"] as { workload?: { manifests?: Manifest[] } };
  return workload?.manifests ?? [];
}

function foreignProblems(world: ChaosWorld): string[] {
  return world.foreign.flatMap(({ cluster, resource, path, uid, content }) => {
    const object = world.stored(cluster, resource, path);
    if (object?.metadata.uid !== uid) return [`their ${resource} ${path} in ${cluster} is another one, or gone`];
    return contentText(object) === content ? [] : [`their ${resource} ${path} in ${cluster} was changed`];
  });
}

interface BindingContent {
  readonly clusters?: readonly { readonly name: string }[];
  readonly resource: { readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly gracefulEvictionTasks?: readonly unknown[];
}

function storeProblems(world: ChaosWorld): string[] {
  const problems: string[] = [];
  const { state } = world.plane.store;
  const works = state.list(WORKS).map(({ object }) => object);
  const manifests = new Map<string, string>();
  for (const work of works) {
    const { namespace = "", name = "", deletionTimestamp } = work.metadata;
    if (deletionTimestamp !== undefined) problems.push(`Work ${namespace}/${name} is being deleted still`);
    for (const { kind, metadata } of manifestsOf(work)) {
      const key = `${namespace} ${kind} ${pathOf(metadata)}`;
      if (manifests.has(key)) problems.push(`two Works hold ${key}: ${manifests.get(key)} and ${name}`);
      manifests.set(key, name);
    }
    const applied = statusOf(work, "Applied");
    if (applied !== "True") problems.push(`Work ${namespace}/${name} has Applied=${applied}`);
  }
  for (const resource of ["work.karmada.io/resourcebindings", "work.karmada.io/clusterresourcebindings"])
    for (const { object } of state.list(resource)) {
      const spec = object["spec"] as unknown as BindingContent;
      const path = pathOf(spec.resource);
      const app = world.apps.find((each) => each.kind === spec.resource.kind && pathOf(each) === path);
      if (object.metadata.deletionTimestamp !== undefined)
        problems.push(`binding ${object.metadata.name} is being deleted still`);
      if (app !== undefined && !app.exists)
        problems.push(`binding ${object.metadata.name} is left of a deleted template`);
      if (app?.exists !== true) continue;
      for (const { name } of spec.clusters ?? []) {
        if (!app.clusters.includes(name))
          problems.push(`binding ${object.metadata.name} names ${name}, which its policy does not`);
        const key = `karmada-es-${name} ${app.kind} ${path}`;
        if (!manifests.has(key)) problems.push(`binding ${object.metadata.name} has no Work in ${name}`);
      }
      if ((spec.gracefulEvictionTasks ?? []).length > 0)
        problems.push(`binding ${object.metadata.name} is evicting still`);
      const fully = statusOf(object, "FullyApplied");
      if (fully !== "True") problems.push(`binding ${object.metadata.name} has FullyApplied=${fully}`);
    }
  for (const { object } of state.list("cluster.karmada.io/clusters"))
    if (statusOf(object, "Ready") !== "True") problems.push(`Cluster ${object.metadata.name} is not ready`);
  for (const { object } of state.list("gitops.flaghoist.io/syncs"))
    if (statusOf(object, "Ready") !== "True")
      problems.push(`Sync ${object.metadata.name} is not ready: ${conditionOf(object, "Ready")?.message}`);
  return problems;
}

function statusOf(object: KubeObject, type: string): string | undefined {
  return conditionOf(object, type)?.status;
}
