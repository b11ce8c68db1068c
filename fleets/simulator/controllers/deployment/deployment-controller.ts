// Rolls the ReplicaSets of a Deployment over.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, writeStatus } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchOwned, watchSelf } from "../../kernel/controller.ts";
import { templateHash } from "../../template-hash.ts";
import { replicaSetFor, templateOf } from "../../workload-objects.ts";
import { deploymentStatus, type PodCounts, wantedReplicas } from "../../workload-status.ts";

export function deploymentController(): Controller {
  return {
    name: "deployment-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("apps/deployments"), watchOwned("apps/replicasets", "Deployment")],
    reconcile,
  };
}

function* reconcile(key: string, world: World): Reconcile {
  const { state } = world;
  const { namespace, name } = splitKey(key);
  const deployment = state.get("apps/deployments", namespace, name);
  if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return undefined;
  const wanted = wantedReplicas(deployment);
  const template = templateOf(deployment);
  const hash = templateHash(template);
  const setName = `${name}-${hash}`;
  const sets = state
    .ownedBy(deployment, "apps/replicasets")
    .filter((set) => set.metadata.deletionTimestamp === undefined);
  const current = sets.find((set) => set.metadata.name === setName);
  const older = sets.filter((set) => set.metadata.name !== setName);
  const { surge, unavailable } = rollingLimits(deployment, wanted);
  if (current === undefined) {
    const start = older.length === 0 ? wanted : Math.min(wanted, Math.max(0, wanted + surge - sumReplicas(older)));
    yield* perform({ do: "create", object: replicaSetFor(deployment, setName, hash, template, start) });
    return undefined;
  }
  const total = sumReplicas(sets);
  const now = wantedReplicas(current);
  const grow = older.every((set) => wantedReplicas(set) === 0)
    ? wanted
    : Math.min(wanted, now + Math.max(0, wanted + surge - total));
  if (grow !== now) yield* perform({ do: "patch", object: current, patch: { spec: { replicas: grow } } });
  let spare = sets.reduce((sum, set) => sum + lastingPods(set), 0) - (wanted - unavailable);
  for (const set of older) {
    const size = wantedReplicas(set);
    // Pods that are not available serve nobody: they go first.
    const idle = size - lastingPods(set);
    const cut = Math.min(size, idle + Math.max(0, spare));
    spare -= Math.max(0, cut - idle);
    if (cut > 0) yield* perform({ do: "patch", object: set, patch: { spec: { replicas: size - cut } } });
  }
  const counts: PodCounts = {
    total: sum(sets, "replicas"),
    updated: statusNumber(current, "replicas") ?? 0,
    ready: sum(sets, "readyReplicas"),
  };
  const present = state.get("apps/deployments", namespace, name);
  if (present !== undefined) yield* writeStatus(present, deploymentStatus(present, counts, world.now()));
  return undefined;
}

function statusNumber(object: KubeObject, field: string): number | undefined {
  const status = isObject(object["status"]) ? object["status"] : {};
  const value = status[field];
  return typeof value === "number" ? value : undefined;
}

function sum(objects: readonly KubeObject[], field: string): number {
  return objects.reduce((total, object) => total + (statusNumber(object, field) ?? 0), 0);
}

/** Available pods that will stay: a set's status still counts those that it was just told to remove. */
function lastingPods(set: KubeObject): number {
  return Math.min(statusNumber(set, "availableReplicas") ?? 0, wantedReplicas(set));
}

function sumReplicas(sets: readonly KubeObject[]): number {
  return sets.reduce((total, set) => total + wantedReplicas(set), 0);
}

/** maxSurge and maxUnavailable as numbers: shares of the wanted replicas are rounded up and down, as the real one does. */
function rollingLimits(deployment: KubeObject, wanted: number): { surge: number; unavailable: number } {
  const spec = isObject(deployment["spec"]) ? deployment["spec"] : {};
  const strategy = isObject(spec["strategy"]) ? spec["strategy"] : {};
  if (strategy["type"] === "Recreate") return { surge: 0, unavailable: wanted };
  const rolling = isObject(strategy["rollingUpdate"]) ? strategy["rollingUpdate"] : {};
  const surge = share(rolling["maxSurge"] ?? "25%", wanted, Math.ceil);
  const unavailable = share(rolling["maxUnavailable"] ?? "25%", wanted, Math.floor);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

function share(value: unknown, wanted: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? 0 : round((Number(percent) * wanted) / 100);
}
