// Deletions of Works that are no loss: those that a person has confirmed elsewhere, and those of copies that moved away.
import type { Work } from "../../../api/work.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { type ObjectRef, refOf } from "../../../kube/object.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { executionNamespace, workName } from "../../works/naming.ts";
import { clusterOf } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { CLUSTER_API } from "../clusters/cluster-object.ts";
import type { ControllerContext } from "../context.ts";
import { bindingKey } from "../scheduling/binding-key.ts";
import { DELETION_CONFIRMED_ANNOTATION } from "./deletion-guard.ts";

/** Marks a Work, before it is deleted, so that its deletion is not held. Nothing where nobody holds any. */
export async function confirmWorkDeletion(context: ControllerContext, work: Work, why: string): Promise<void> {
  if (context.profile.deletionLimits === undefined) return;
  if (work.metadata.annotations?.[DELETION_CONFIRMED_ANNOTATION] !== undefined) return;
  const patch = { metadata: { uid: work.metadata.uid, annotations: { [DELETION_CONFIRMED_ANNOTATION]: why } } };
  try {
    const written = await context.client.patch<Work>(refOf(work), patch, "merge", { fieldManager: "flaghoist" });
    context.informers.of<Work>(WORK_API_VERSION, "Work").adopt(written);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Marks all Works of templates that are about to be deleted. */
export async function confirmTemplateDeletions(
  context: ControllerContext,
  refs: readonly ObjectRef[],
  why: string,
): Promise<void> {
  if (context.profile.deletionLimits === undefined) return;
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const clusters = [...context.informers.of(CLUSTER_API, "Cluster").all()].map(({ metadata }) => metadata.name ?? "");
  const found = refs.flatMap((ref) => {
    const name = workName(ref.kind, ref.name, ref.namespace ?? "");
    return clusters.map((cluster) => works.get(executionNamespace(cluster), name)).filter((work) => work !== undefined);
  });
  await mapLimit(found, 16, (work) => confirmWorkDeletion(context, work, why));
}

/**
 * Knows which clusters bindings have left because they moved. A binding says so only as long as it moves: what is left of
 * its copies is deleted when it does not say so any more.
 */
export class MovedBindings {
  readonly #left = new Map<string, Set<string>>();

  constructor(context: ControllerContext) {
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
      context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
        const key = bindingKey(change.object);
        if (change.type === "deleted") this.#left.delete(key);
        if (change.type !== "updated") return;
        const now = new Set(leavingClusters(change.object));
        const ended = leavingClusters(change.previous).filter((cluster) => !now.has(cluster));
        if (ended.length === 0) return;
        const left = this.#left.get(key) ?? new Set<string>();
        for (const cluster of ended) left.add(cluster);
        this.#left.set(key, left);
      });
    }
  }

  /** Whether a Work that its binding no longer means is one of a copy that moved. Asked once: what it knew is forgotten. */
  hasMoved(binding: AnyBinding, work: Work): boolean {
    const cluster = clusterOf(work) ?? "";
    if (leavingClusters(binding).includes(cluster)) return true;
    const key = bindingKey(binding);
    const left = this.#left.get(key);
    const hasLeft = left?.delete(cluster) === true;
    if (left?.size === 0) this.#left.delete(key);
    return hasLeft;
  }
}

function leavingClusters(binding: AnyBinding): string[] {
  return (binding.spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster);
}
