// Namespaces go to every cluster by themselves, so that what lands in them finds them (policy-matching.md, section 9).
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { ObjectOverrides } from "../../overrides/apply-overrides.ts";
import { readFailedOverride } from "../../overrides/errors.ts";
import { isRelevantUpdate } from "../../policies/lazy.ts";
import { WORK_ID_LABEL } from "../../works/metadata-keys.ts";
import {
  clusterOfExecutionNamespace,
  EXECUTION_NAMESPACE_PREFIX,
  executionNamespace,
  isReservedNamespace,
  workName,
} from "../../works/naming.ts";
import { pruneObject } from "../../works/prune.ts";
import { standaloneWork } from "../../works/standalone-work.ts";
import {
  type MetadataStripping,
  metadataStrippingOf,
  trackingKeys,
  withoutTrackingKeys,
} from "../../works/tracking-metadata.ts";
import { mergeWork, WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { recordFailedOverrides } from "../works/override-events.ts";
import { selectsTemplate, watchOverridePolicies } from "../works/override-watch.ts";
import type { TemplateWatch } from "./template-watch.ts";

const SKIP_LABEL = "namespace.karmada.io/skip-auto-propagation";
/** Stands in a queue's key for all namespaces, or all clusters. */
const EVERY = "*";
const PARALLEL_WRITES = 8;

export function startNamespaceController(context: ControllerContext, templates: TemplateWatch): Controller {
  const namespaces = context.informers.of("v1", "Namespace");
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const stripping = metadataStrippingOf(context.profile);
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

  /** What is there from the start is looked at once, by namespace. */
  let isStarting = true;
  namespaces.subscribe((change) => {
    const name = change.object.metadata.name ?? "";
    if (change.type !== "updated" || isRelevantUpdate(change.previous, change.object)) queue.add(keyOf(name, EVERY));
    // The execution namespace of a new cluster: now all namespaces can go there.
    if (!isStarting && change.type === "added" && name.startsWith(EXECUTION_NAMESPACE_PREFIX))
      queue.add(keyOf(EVERY, clusterOfExecutionNamespace(name)));
  });
  clusters.subscribe((change) => {
    if (!isStarting && change.type === "added") queue.add(keyOf(EVERY, change.object.metadata.name ?? ""));
  });
  const overridePolicies = watchOverridePolicies(context, (versions) => {
    for (const namespace of namespaces.all()) {
      if (versions.some((policy) => selectsTemplate(policy, namespace)))
        queue.add(keyOf(namespace.metadata.name ?? "", EVERY));
    }
  });
  works.subscribe((change) => {
    const name = namespaceOf(change.object);
    if (name === undefined || change.type === "updated") return;
    // Whoever deleted it, its namespace still wants it; and one whose namespace went while nobody watched has no use.
    if (change.type === "deleted" || namespaces.get(undefined, name) === undefined)
      queue.add(keyOf(name, clusterOfExecutionNamespace(change.object.metadata.namespace ?? "")));
  });
  isStarting = false;

  function isPropagated(namespace: KubeObject): boolean {
    const name = namespace.metadata.name ?? "";
    if (name === "default" || isReservedNamespace(name)) return false;
    if (templates.skipped.skipsNamespace(name)) return false;
    return namespace.metadata.labels?.[SKIP_LABEL]?.toLowerCase() !== "true";
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const [name = "", clusterName = ""] = key.split("/");
    const names = name === EVERY ? [...namespaces.all()].map(({ metadata }) => metadata.name ?? "") : [name];
    const targets =
      clusterName === EVERY ? [...clusters.all()].map(({ metadata }) => metadata.name ?? "") : [clusterName];
    const pairs = names.flatMap((namespace) => targets.map((cluster) => ({ namespace, cluster })));
    const turn = new Turn();
    const problems: string[] = [];
    await mapLimit(pairs, PARALLEL_WRITES, async ({ namespace, cluster }) => {
      try {
        await send(namespace, cluster);
      } catch (error) {
        if (isConflict(error) || isAlreadyExists(error)) queue.addAfter(keyOf(namespace, cluster), 50);
        // An override that fails concerns this copy alone.
        else if (error instanceof AppError && readFailedOverride(error) !== undefined) {
          reportFailedOverride(namespace, error);
          problems.push(error.message);
        } else throw error;
      }
      if (turn.isOver) await turn.next();
    });
    if (problems.length > 0) throw new AppError("sync-work-failed", problems.join("; "), { recovery: "retry" });
    return undefined;
  }

  function reportFailedOverride(name: string, error: AppError): void {
    const namespace = namespaces.get(undefined, name);
    if (namespace !== undefined) recordFailedOverrides(context, subjectOf(namespace), [{ error }]);
  }

  async function send(name: string, clusterName: string): Promise<void> {
    const namespace = namespaces.get(undefined, name);
    const existing = works.get(executionNamespace(clusterName), workName("Namespace", name, ""));
    if (namespace === undefined) {
      await removeWork(name, existing);
      return;
    }
    // As Karmada: what was sent before a namespace opted out, or began to go, stays until it is gone. With a namespace goes
    // all that is in it.
    if (namespace.metadata.deletionTimestamp !== undefined || !isPropagated(namespace)) return;
    const cluster = clusters.get(undefined, clusterName);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    // Without the execution namespace nothing can be written yet; its arrival brings us back.
    if (namespaces.get(undefined, executionNamespace(clusterName)) === undefined) return;
    await writeWork(namespace, cluster, existing);
  }

  /** A garbage collector would do it; a store without one has only us. The cache's word is not enough for so much. */
  async function removeWork(name: string, existing: Work | undefined): Promise<void> {
    if (existing === undefined || existing.metadata.deletionTimestamp !== undefined) return;
    if (namespaceOf(existing) !== name) return;
    if ((await context.client.find({ apiVersion: "v1", kind: "Namespace", name })) !== undefined) return;
    try {
      await context.client.delete(refOf(existing), { uid: existing.metadata.uid });
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }

  async function writeWork(namespace: KubeObject, cluster: Cluster, existing: Work | undefined): Promise<void> {
    if (existing?.metadata.deletionTimestamp !== undefined) return;
    const id = existing?.metadata.labels?.[WORK_ID_LABEL] ?? context.newUuid();
    const overrides = new ObjectOverrides(overridePolicies, context.profile);
    const desired = namespaceWork(namespace, cluster, overrides, { id, stripping });
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

function keyOf(namespace: string, cluster: string): string {
  return `${namespace}/${cluster}`;
}

/** The namespace that a Work was made for; undefined for Works of other objects. */
function namespaceOf(work: Work): string | undefined {
  const owner = work.metadata.ownerReferences?.find((reference) => reference.controller === true);
  return owner?.kind === "Namespace" && owner.apiVersion === "v1" ? owner.name : undefined;
}

function namespaceWork(
  namespace: KubeObject,
  cluster: Cluster,
  overrides: ObjectOverrides,
  { id, stripping }: { readonly id: string; readonly stripping: MetadataStripping },
): Work {
  const { name = "", uid = "" } = namespace.metadata;
  const { spec: _spec, ...bare } = pruneObject(namespace);
  const clean = { ...bare, apiVersion: "v1", kind: "Namespace", metadata: bare.metadata as KubeObject["metadata"] };
  const { object, appliedAnnotations } = overrides.apply(clean, cluster);
  return standaloneWork(withoutTrackingKeys(object, namespace, trackingKeys(namespace, stripping)), {
    clusterName: cluster.metadata.name ?? "",
    name: workName("Namespace", name, ""),
    id,
    annotations: appliedAnnotations,
    ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name, uid, controller: true, blockOwnerDeletion: true }],
  });
}
