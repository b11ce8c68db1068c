// Namespaces go to every cluster by themselves, so that what lands in them finds them (policy-matching.md, section 9).
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy } from "../../api/policy.ts";
import type { Work } from "../../api/work.ts";
import { isAlreadyExists, isConflict } from "../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../kube/object.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import { applyOverrides } from "../overrides/apply-overrides.ts";
import { WORK_ID_LABEL } from "../works/metadata-keys.ts";
import { executionNamespace, isReservedNamespace, workName } from "../works/naming.ts";
import { pruneObject } from "../works/prune.ts";
import { standaloneWork } from "../works/standalone-work.ts";
import { mergeWork, WORK_API_VERSION } from "../works/work.ts";
import type { Controller, ControllerContext } from "./context.ts";
import type { TemplateWatch } from "./template-watch.ts";

const SKIP_LABEL = "namespace.karmada.io/skip-auto-propagation";
const POLICY_API = "policy.karmada.io/v1alpha1";

export function startNamespaceController(context: ControllerContext, templates: TemplateWatch): Controller {
  const namespaces = context.informers.of("v1", "Namespace");
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const queue = new WorkQueue(
    {
      name: "namespaces",
      clock: context.clock,
      logger: context.logger,
      workers: 4,
      minBackoffMs: 100,
      maxBackoffMs: 10_000,
    },
    step,
  );

  namespaces.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    queue.add(name);
    // The execution namespace of a new cluster: now all namespaces can go there.
    if (change.type === "added" && isReservedNamespace(name)) addAll();
  });
  clusters.subscribe((change) => {
    if (change.type === "added") addAll();
  });
  context.informers.of<ClusterOverridePolicy>(POLICY_API, "ClusterOverridePolicy").subscribe((change) => {
    if (change.type !== "updated" || change.previous.metadata.generation !== change.object.metadata.generation)
      addAll();
  });

  function addAll(): void {
    for (const namespace of namespaces.all()) queue.add(namespace.metadata.name ?? "");
  }

  function isPropagated(namespace: KubeObject): boolean {
    const name = namespace.metadata.name ?? "";
    if (name === "default" || isReservedNamespace(name)) return false;
    if (templates.skipped.skipsNamespace(name)) return false;
    return namespace.metadata.labels?.[SKIP_LABEL]?.toLowerCase() !== "true";
  }

  async function step(name: string): Promise<StepResult | undefined> {
    const namespace = namespaces.get(undefined, name);
    const wanted =
      namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && isPropagated(namespace);
    for (const cluster of clusters.all()) {
      const clusterName = cluster.metadata.name ?? "";
      const existing = works.get(executionNamespace(clusterName), workName("Namespace", name, ""));
      if (!wanted) {
        if (existing !== undefined && existing.metadata.deletionTimestamp === undefined)
          await context.client.delete(refOf(existing));
        continue;
      }
      if (cluster.metadata.deletionTimestamp !== undefined) continue;
      // Without the execution namespace nothing can be written yet; its arrival brings us back.
      if (namespaces.get(undefined, executionNamespace(clusterName)) === undefined) continue;
      try {
        await writeWork(namespace, cluster, existing);
      } catch (error) {
        if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 50 };
        throw error;
      }
    }
    return undefined;
  }

  async function writeWork(namespace: KubeObject, cluster: Cluster, existing: Work | undefined): Promise<void> {
    if (existing?.metadata.deletionTimestamp !== undefined) return;
    const policies = [...context.informers.of<ClusterOverridePolicy>(POLICY_API, "ClusterOverridePolicy").all()];
    const id = existing?.metadata.labels?.[WORK_ID_LABEL] ?? context.newUuid();
    const desired = namespaceWork(namespace, cluster, policies, id);
    if (existing === undefined) {
      works.adopt(await context.client.create(desired, { fieldManager: "flaghoist" }));
      return;
    }
    const merged = mergeWork(existing, desired);
    if (equalJson(merged.spec, existing.spec)) return;
    works.adopt(await context.client.update(merged, { fieldManager: "flaghoist" }));
  }

  return { stop: () => queue.stop() };
}

function namespaceWork(
  namespace: KubeObject,
  cluster: Cluster,
  policies: readonly ClusterOverridePolicy[],
  id: string,
): Work {
  const { name = "", uid = "" } = namespace.metadata;
  const { spec: _spec, ...bare } = pruneObject(namespace);
  const { object, appliedAnnotations } = applyOverrides({
    object: { ...bare, apiVersion: "v1", kind: "Namespace", metadata: bare.metadata as KubeObject["metadata"] },
    cluster,
    clusterOverridePolicies: policies,
    overridePolicies: [],
  });
  return standaloneWork(object, {
    clusterName: cluster.metadata.name ?? "",
    name: workName("Namespace", name, ""),
    id,
    annotations: appliedAnnotations,
    ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name, uid, controller: true, blockOwnerDeletion: true }],
  });
}
