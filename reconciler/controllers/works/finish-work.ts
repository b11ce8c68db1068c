// The end of a Work: what it had put into its member goes, or stays there as somebody else's.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import type { Member } from "../../../fleets/member.ts";
import { releaseManifest, removeManifest } from "../../../fleets/release.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { StepResult } from "../../../runtime/work-queue.ts";
import { WORK_FINALIZER } from "../../works/metadata-keys.ts";
import { clusterOf, effectiveTargets } from "../../works/targets.ts";
import type { ControllerContext } from "../context.ts";
import { findBinding } from "../scheduling/binding-key.ts";
import type { DeletionAnswer, DeletionGuard } from "./deletion-guard.ts";
import { bindingKeyOfWork } from "./works.ts";

/** Taken off an object that stays in a member although its Work goes (work-and-naming.md of Karmada, section 6). */
const OUR_LABELS = [
  "resourcebinding.karmada.io/permanent-id",
  "clusterresourcebinding.karmada.io/permanent-id",
  "work.karmada.io/permanent-id",
  "karmada.io/managed",
  "propagationpolicy.karmada.io/permanent-id",
  "clusterpropagationpolicy.karmada.io/permanent-id",
];
const OUR_ANNOTATIONS = [
  "resourcetemplate.karmada.io/managed-annotations",
  "resourcetemplate.karmada.io/managed-labels",
  "resourcebinding.karmada.io/namespace",
  "resourcebinding.karmada.io/name",
  "resourcetemplate.karmada.io/uid",
  "resourcetemplate.karmada.io/generation",
  "work.karmada.io/namespace",
  "work.karmada.io/name",
  "propagationpolicy.karmada.io/namespace",
  "propagationpolicy.karmada.io/name",
  "clusterpropagationpolicy.karmada.io/name",
];

const GO: DeletionAnswer = { kind: "go" };

/** Removes (or releases) what a deleted Work had put into its member, then lets the Work go. */
export async function finishWork(
  context: ControllerContext,
  work: Work,
  cluster: Cluster | undefined,
  member: Member | undefined,
  { guard, signal }: { readonly guard: DeletionGuard | undefined; readonly signal: AbortSignal },
): Promise<StepResult | undefined> {
  if (!(work.metadata.finalizers ?? []).includes(WORK_FINALIZER)) return undefined;
  // A Work holds whole objects; the schema keeps them as they are.
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];
  const leaving = cluster === undefined || cluster.metadata.deletionTimestamp !== undefined;
  if (member === undefined && !leaving) {
    throw new AppError(
      "cluster-not-ready",
      `cluster ${work.metadata.namespace} is not ready: its objects cannot be removed yet`,
      { recovery: "wait", afterMs: 15_000 },
    );
  }
  // A cluster that leaves was told to: that is confirmation enough.
  const answer = leaving || member === undefined ? GO : (guard?.ask(member.name, work) ?? GO);
  if (answer.kind === "later") return { requeueAfterMs: answer.afterMs };
  const isKept = answer.kind === "held" && isWantedAgain(context, work);
  if (answer.kind === "held" && !isKept) return { requeueAfterMs: answer.afterMs };
  if (member !== undefined && !isKept) {
    for (const manifest of manifests) {
      if (work.spec.preserveResourcesOnDeletion === true) {
        await releaseManifest(member, refOf(manifest), { labels: OUR_LABELS, annotations: OUR_ANNOTATIONS }, signal);
      } else {
        await removeManifest(member, refOf(manifest), signal);
      }
    }
    guard?.deleted(member.name, work);
  }
  const finalizers = (work.metadata.finalizers ?? []).filter((finalizer) => finalizer !== WORK_FINALIZER);
  try {
    await context.client.patch(
      refOf(work),
      { metadata: { resourceVersion: work.metadata.resourceVersion, finalizers } },
      "merge",
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return undefined;
}

/**
 * Whether the binding of a Work means its cluster again, so that what caused the deletion was taken back: then the object
 * stays as it is, and the next Work takes it up. Agents see no bindings.
 */
function isWantedAgain(context: ControllerContext, work: Work): boolean {
  const key = context.agentOf === undefined ? bindingKeyOfWork(work) : undefined;
  const binding = key === undefined ? undefined : findBinding(context, key);
  if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return false;
  return effectiveTargets(binding).some((target) => target.name === clusterOf(work));
}
