// Takes an object of ours out of a member, or lets go of it there.
import { isConflict, isNotFound } from "../kube/client/status-error.ts";
import type { KubeObject, ObjectRef } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";
import { typeNameOf } from "./apiserver/kinds/tables.ts";
import { FIELD_MANAGER, MANAGED_LABEL, type Member } from "./member.ts";

/**
 * Deletes our object in a member. Objects that are not ours stay: what was seen of one must be its present state, for others
 * may have made it theirs without a new uid. Answers whether one was deleted.
 */
export async function removeManifest(member: Member, ref: ObjectRef, signal?: AbortSignal): Promise<boolean> {
  member.forgetApplied(ref);
  let live = await findLive(ref, () => member.live(ref, signal));
  for (let attempt = 0; ; attempt++) {
    if (live === undefined || live.metadata.labels?.[MANAGED_LABEL] !== "true") return false;
    const { uid, resourceVersion } = live.metadata;
    try {
      return await member.client.delete(ref, { uid, resourceVersion, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      if (!isConflict(error) || attempt >= 5) throw error;
      live = await findLive(ref, () => member.client.find(ref, signal));
    }
  }
}

/** Groups of Kubernetes itself that no cluster is without: one that does not tell of them has a fault. */
const ALWAYS_SERVED: ReadonlySet<string> = new Set(["v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1"]);

/** Objects of a kind that the member no longer serves went with it, unless it must be serving it. */
async function findLive(ref: ObjectRef, find: () => Promise<KubeObject | undefined>): Promise<KubeObject | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AppError && error.code === "api-kind-unknown" && !isAlwaysServed(ref)) return undefined;
    throw error;
  }
}

function isAlwaysServed({ apiVersion, kind }: ObjectRef): boolean {
  return ALWAYS_SERVED.has(apiVersion) && typeNameOf(apiVersion, kind) !== undefined;
}

/**
 * Lets go of an object in a member without deleting it: removes what marks it as ours and our claim on its fields.
 * `strip` names the labels and annotations to take away. An object that is gone is not an error.
 */
export async function releaseManifest(
  member: Member,
  ref: ObjectRef,
  strip: { readonly labels: readonly string[]; readonly annotations: readonly string[] },
  signal?: AbortSignal,
): Promise<void> {
  member.forgetApplied(ref);
  for (let attempt = 0; ; attempt++) {
    const live = await findLive(ref, () => member.client.find(ref, signal));
    if (live === undefined || live.metadata.labels?.[MANAGED_LABEL] !== "true") return;
    const others = live.metadata.managedFields?.filter((entry) => entry.manager !== FIELD_MANAGER) ?? [];
    const patch = {
      metadata: {
        uid: live.metadata.uid,
        resourceVersion: live.metadata.resourceVersion,
        labels: Object.fromEntries(strip.labels.map((key) => [key, null])),
        annotations: Object.fromEntries(strip.annotations.map((key) => [key, null])),
        // The server takes an empty list for "as before"; one empty entry clears it.
        managedFields: others.length > 0 ? others : [{}],
      },
    };
    try {
      await member.client.patch(ref, patch, "merge", {
        fieldManager: `${FIELD_MANAGER}-release`,
        ...(signal === undefined ? {} : { signal }),
      });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt >= 5) throw error;
    }
  }
}
