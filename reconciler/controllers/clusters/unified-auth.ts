// Unified authorization of clusters that Karmada's tools joined: who may go through `clusters/proxy` here may be acted for
// there. What our own join makes needs no such upkeep.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { IMPERSONATOR, MEMBER_RIGHTS_ANNOTATION } from "../../../fleets/member-account-names.ts";
import { isAlreadyExists, isConflict } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { impersonationRules } from "../../works/impersonation-rules.ts";
import { WORK_ID_LABEL } from "../../works/metadata-keys.ts";
import { executionNamespace, workName } from "../../works/naming.ts";
import { standaloneWork } from "../../works/standalone-work.ts";
import { mergeWork, WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";
const RBAC = `${RBAC_GROUP}/v1`;
const RETRY_MS = 500;

export function startUnifiedAuthController(context: ControllerContext): Controller {
  const { client, clock, logger, informers } = context;
  const clusters = informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const works = informers.of<Work>(WORK_API_VERSION, "Work");
  const namespaces = informers.of("v1", "Namespace");
  const roles = informers.of(RBAC, "ClusterRole");
  const bindings = informers.of(RBAC, "ClusterRoleBinding");
  const queue = new WorkQueue({ name: "unified-auth", clock, logger, workers: 4, maxBackoffMs: 30_000 }, step);

  clusters.subscribe((change) => {
    const isNews =
      change.type === "added" ||
      (change.type === "updated" && change.object.metadata.generation !== change.previous.metadata.generation);
    if (isNews && isKept(change.object)) queue.add(change.object.metadata.name ?? "");
  });
  // Both change rarely, and what a role opens may be any cluster.
  for (const informer of [roles, bindings])
    informer.subscribe(() => {
      for (const cluster of clusters.all()) if (isKept(cluster)) queue.add(cluster.metadata.name ?? "");
    });

  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined || !isKept(cluster)) return undefined;
    const isReady = roles.hasSynced && bindings.hasSynced && namespaces.get(undefined, executionNamespace(name));
    if (!isReady) return { requeueAfterMs: RETRY_MS };
    try {
      let changed = false;
      for (const object of accountObjects(cluster)) changed = (await write(cluster, object)) || changed;
      if (changed)
        context.events.record(
          subjectOf(cluster),
          "Normal",
          "SyncImpersonationConfigSucceed",
          "Sync impersonation config succeed.",
        );
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: RETRY_MS };
      context.events.record(subjectOf(cluster), "Warning", "SyncImpersonationConfigFailed", messageOf(error));
      throw error;
    }
    return undefined;
  }

  function accountObjects(cluster: Cluster): KubeObject[] {
    const metadata = { name: IMPERSONATOR, labels: { "karmada.io/system": "true" } };
    const rules = impersonationRules(cluster.metadata.name ?? "", roles.all(), bindings.all());
    const namespace = cluster.spec.impersonatorSecretRef?.namespace;
    return [
      { apiVersion: RBAC, kind: "ClusterRole", metadata, rules },
      {
        apiVersion: RBAC,
        kind: "ClusterRoleBinding",
        metadata,
        subjects: [{ kind: "ServiceAccount", namespace, name: IMPERSONATOR }],
        roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: IMPERSONATOR },
      },
    ];
  }

  /** Whether something was written. */
  async function write(cluster: Cluster, object: KubeObject): Promise<boolean> {
    const { name: clusterName = "", uid = "" } = cluster.metadata;
    const name = workName(object.kind, IMPERSONATOR, "");
    const existing = works.get(executionNamespace(clusterName), name);
    if (existing?.metadata.deletionTimestamp !== undefined) return false;
    const { apiVersion, kind } = cluster;
    const desired = standaloneWork(object, {
      clusterName,
      name,
      id: existing?.metadata.labels?.[WORK_ID_LABEL] ?? context.newUuid(),
      ownerReferences: [{ apiVersion, kind, name: clusterName, uid, controller: true, blockOwnerDeletion: true }],
    });
    if (existing === undefined) {
      works.adopt(await client.create(desired, { fieldManager: "flaghoist" }));
      return true;
    }
    const merged = mergeWork(existing, desired);
    if (equalJson(merged.spec, existing.spec)) return false;
    works.adopt(await client.update(merged, { fieldManager: "flaghoist" }));
    return true;
  }

  return { stop: () => queue.stop() };
}

/** As Karmada: without an account that acts for others there is nothing to keep; nor where it is the only account. */
function isKept({ metadata, spec }: Cluster): boolean {
  const { impersonatorSecretRef: impersonator, secretRef } = spec;
  if (impersonator === undefined || equalJson(impersonator, secretRef)) return false;
  return metadata.annotations?.[MEMBER_RIGHTS_ANNOTATION] === undefined;
}
