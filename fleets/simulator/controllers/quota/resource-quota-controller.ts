// Counts what is used of ResourceQuotas.
import type { KubeObject } from "../../../../kube/object.ts";
import { type Reconcile, writeStatus } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type Watch, type World, watchSelf } from "../../kernel/controller.ts";
import { podOf } from "../pod-object.ts";
import { pickAmounts, readAmounts, writeAmounts } from "./amounts.ts";
import { usedOf } from "./quota-ledger.ts";
import type { ResourceQuota } from "./quota-scopes.ts";
import { concerns, isCharged } from "./quota-usage.ts";

/** As Kubernetes: everything is counted anew every five minutes. */
const RECOUNT_MS = 300_000;

/** What is counted at once when it comes or goes; the rest waits for the next recount. */
const FOLLOWED = [
  "pods",
  "services",
  "persistentvolumeclaims",
  "configmaps",
  "secrets",
  "replicationcontrollers",
  "serviceaccounts",
  "endpoints",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
  "networking.k8s.io/ingresses",
  "networking.k8s.io/networkpolicies",
  "autoscaling/horizontalpodautoscalers",
  "policy/poddisruptionbudgets",
  "discovery.k8s.io/endpointslices",
];

/** Counts what each ResourceQuota's namespace uses. */
export function resourceQuotaController(): Controller {
  return {
    name: "resourcequota-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("resourcequotas"), ...["resourcequotas", ...FOLLOWED].map(watchCounted)],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const object = world.state.get("resourcequotas", namespace, name);
      if (object === undefined) return undefined;
      yield* writeStatus(object, statusOf(object, world));
      return { afterMs: RECOUNT_MS };
    },
  };
}

/** Follows objects of a resource: the keys are the quotas of their namespace that count them. */
function watchCounted(resource: string): Watch {
  return {
    resource,
    keys: ({ type, object, previous }, world) => {
      const quotas = world.state.list("resourcequotas", object.metadata.namespace ?? "");
      if (quotas.length === 0) return [];
      if (type === "updated" && !mayMatter(resource, previous(), object, world.now())) return [];
      return quotas.filter((quota) => namesOf(quota).some((name) => concerns(name, resource))).map(objectKey);
    },
  };
}

function namesOf(object: KubeObject): string[] {
  const { spec = {} }: ResourceQuota = object;
  return Object.keys(spec.hard ?? {});
}

/** Whether an update may have changed what an object is charged for. */
function mayMatter(resource: string, before: KubeObject | undefined, after: KubeObject, nowMs: number): boolean {
  if (before === undefined) return true;
  if (resource === "services" || resource === "persistentvolumeclaims") return true;
  if (resource !== "pods") return false;
  const [old, now] = [podOf(before), podOf(after)];
  return (
    isCharged(old, nowMs) !== isCharged(now, nowMs) ||
    old.spec.activeDeadlineSeconds !== now.spec.activeDeadlineSeconds ||
    before.metadata.generation !== after.metadata.generation
  );
}

function statusOf(object: KubeObject, { state, now }: World): Record<string, unknown> {
  const quota: ResourceQuota = object;
  const hard = readAmounts(quota.spec?.hard);
  const names = [...hard.keys()];
  // What nobody can count keeps the use that somebody else wrote.
  const known = pickAmounts(readAmounts(quota.status?.used), names);
  const used = new Map([...known, ...usedOf(quota, names, state, now())]);
  return { hard: writeAmounts(hard), used: writeAmounts(used) };
}
