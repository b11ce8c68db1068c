// Brings the static assignments of FederatedResourceQuotas to the clusters, as ResourceQuotas.
import type { Cluster } from "../../../api/cluster.ts";
import type { FederatedResourceQuota } from "../../../api/quota.ts";
import type { Work } from "../../../api/work.ts";
import { isAlreadyExists, isConflict } from "../../../kube/client/status-error.ts";
import { equalJson, refOf } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { WORK_ID_LABEL } from "../../works/metadata-keys.ts";
import { executionNamespace, isReservedNamespace, workName } from "../../works/naming.ts";
import { standaloneWork } from "../../works/standalone-work.ts";
import { mergeWork, WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { QUOTA_NAME_LABEL, QUOTA_NAMESPACE_LABEL, type QuotaWorks } from "./quota-works.ts";

export const QUOTA_KIND = ["policy.karmada.io/v1alpha1", "FederatedResourceQuota"] as const;

export function startQuotaWorkController(context: ControllerContext, quotaWorks: QuotaWorks): Controller {
  const { client, clock, logger } = context;
  const quotas = context.informers.of<FederatedResourceQuota>(...QUOTA_KIND);
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const namespaces = context.informers.of("v1", "Namespace");
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const queue = new WorkQueue(
    { name: "quota-works", clock, logger, workers: 2, minBackoffMs: 100, maxBackoffMs: 30_000 },
    step,
  );

  quotas.subscribe((change) => {
    const { namespace = "", name = "" } = change.object.metadata;
    if (
      change.type === "updated" &&
      equalJson(change.previous.spec.staticAssignments, change.object.spec.staticAssignments)
    )
      return;
    queue.add(`${namespace}/${name}`);
  });
  clusters.subscribe((change) => {
    if (change.type === "added") addAssigned(change.object.metadata.name ?? "");
  });
  // The execution namespace of a new cluster: now its Works have a place.
  namespaces.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    if (change.type !== "added" || !isReservedNamespace(name)) return;
    for (const quota of quotas.all()) {
      const isFor = quota.spec.staticAssignments?.some(({ clusterName }) => executionNamespace(clusterName) === name);
      if (isFor === true) queue.add(keyOf(quota));
    }
  });
  // A Work that somebody deletes comes back.
  quotaWorks.subscribe((key) => queue.add(key));

  function addAssigned(cluster: string): void {
    for (const quota of quotas.all()) {
      if (quota.spec.staticAssignments?.some(({ clusterName }) => clusterName === cluster)) queue.add(keyOf(quota));
    }
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const [namespace = "", name = ""] = key.split("/");
    const quota = quotas.get(namespace, name);
    const assignments = quota?.spec.staticAssignments ?? [];
    const places = new Set(assignments.map(({ clusterName }) => executionNamespace(clusterName)));
    for (const work of quotaWorks.of(key)) {
      const isOrphan = quota === undefined || !places.has(work.metadata.namespace ?? "");
      if (isOrphan && work.metadata.deletionTimestamp === undefined) await client.delete(refOf(work));
    }
    if (quota === undefined) return undefined;
    let changed = 0;
    try {
      // As Karmada: of two assignments for one cluster the first counts.
      const done = new Set<string>();
      for (const { clusterName, hard } of assignments) {
        if (done.has(clusterName)) continue;
        done.add(clusterName);
        if (await writeWork(quota, clusterName, hard)) changed++;
      }
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 50 };
      context.events.record(subjectOf(quota), "Warning", "SyncWorkFailed", messageOf(error));
      throw error;
    }
    if (changed > 0) {
      const message = `Sync works for FederatedResourceQuota(${key}) succeed.`;
      context.events.record(subjectOf(quota), "Normal", "SyncWorkSucceed", message);
    }
    return undefined;
  }

  /** Whether something was written. */
  async function writeWork(
    quota: FederatedResourceQuota,
    clusterName: string,
    hard: Readonly<Record<string, string | number>>,
  ): Promise<boolean> {
    const cluster = clusters.get(undefined, clusterName);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return false;
    const place = executionNamespace(clusterName);
    if (namespaces.get(undefined, place) === undefined) return false;
    const { namespace = "", name = "" } = quota.metadata;
    const existing = works.get(place, workName("ResourceQuota", name, namespace));
    // Its end brings us back.
    if (existing?.metadata.deletionTimestamp !== undefined) return false;
    const resourceQuota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { namespace, name }, spec: { hard } };
    const desired = standaloneWork(resourceQuota, {
      clusterName,
      name: workName("ResourceQuota", name, namespace),
      id: existing?.metadata.labels?.[WORK_ID_LABEL] ?? context.newUuid(),
      labels: { [QUOTA_NAMESPACE_LABEL]: namespace, [QUOTA_NAME_LABEL]: name },
    });
    if (existing === undefined) {
      works.adopt(await client.create(desired, { fieldManager: "flaghoist" }));
      return true;
    }
    const merged = mergeWork(existing, desired);
    if (equalJson(merged.spec, existing.spec) && equalJson(merged.metadata.labels, existing.metadata.labels))
      return false;
    works.adopt(await client.update(merged, { fieldManager: "flaghoist" }));
    return true;
  }

  return { stop: () => queue.stop() };
}

function keyOf({ metadata }: FederatedResourceQuota): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
