// Creates, mends and deletes the Pods of a StatefulSet and their claims, and tells of it.

import { ApiStatusError } from "../../../../kube/client/status-error.ts";
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { attempt, type Steps, tell } from "../../kernel/action.ts";
import type { World } from "../../kernel/controller.ts";
import {
  areOwnersRight,
  hasOtherController,
  hasStaleOwner,
  retentionPolicy,
  withRightOwners,
} from "./claim-retention.ts";
import type { Step } from "./stateful-set-plan.ts";
import { claimsFor, isIdentityRight, isStorageRight, ordinalOf, withIdentity } from "./stateful-set-spec.ts";

const CLAIMS = "persistentvolumeclaims";

/** Takes one step; throws when it fails. */
export function* takeStep(set: KubeObject, step: Step, world: World): Steps<void> {
  const { pod } = step;
  switch (step.do) {
    case "delete":
      return yield* deletePod(set, pod);
    case "create":
      return yield* createPod(set, pod, world);
    case "complete-claims":
      yield* createClaims(set, pod, world);
      return yield* mendClaims(set, pod, world);
    case "mend":
      return yield* mendPod(set, pod, world);
    case "mend-claims":
      return yield* mendClaims(set, pod, world);
  }
}

export function* deletePod(set: KubeObject, pod: KubeObject): Steps<void> {
  const outcome = yield* attempt({ do: "delete", object: pod });
  const failure = outcome.ok || outcome.error.status.code === 404 ? undefined : outcome.error;
  yield* tellOf("Delete", set, pod, failure);
  if (failure !== undefined) throw failure;
}

function* createPod(set: KubeObject, pod: KubeObject, world: World): Steps<void> {
  if (hasStaleClaim(set, pod, world)) return;
  try {
    yield* createClaims(set, pod, world);
  } catch (error) {
    yield* tellOf("Create", set, pod, error);
    throw error;
  }
  const outcome = yield* attempt({ do: "create", object: pod });
  if (!outcome.ok && outcome.error.status.reason === "AlreadyExists") throw outcome.error;
  yield* mendClaims(set, pod, world);
  yield* tellOf("Create", set, pod, outcome.ok ? undefined : outcome.error);
  if (!outcome.ok) throw outcome.error;
}

/** Whether a claim will go with a Pod that had this name before. */
function hasStaleClaim(set: KubeObject, pod: KubeObject, { state }: World): boolean {
  if (retentionPolicy(set).whenScaled === "Retain") return false;
  for (const claim of claimsFor(set, ordinalOf(pod)).values()) {
    const present = state.get(CLAIMS, claim.metadata.namespace, claim.metadata.name ?? "");
    if (present !== undefined && hasStaleOwner(present, pod)) return true;
  }
  return false;
}

function* createClaims(set: KubeObject, pod: KubeObject, { state }: World): Steps<void> {
  const problems: string[] = [];
  for (const claim of claimsFor(set, ordinalOf(pod)).values()) {
    const { namespace, name = "" } = claim.metadata;
    const present = state.get(CLAIMS, namespace, name);
    if (present?.metadata.deletionTimestamp !== undefined) problems.push(`pvc ${name} is being deleted`);
    if (present !== undefined) continue;
    const outcome = yield* attempt({ do: "create", object: claim });
    const of = `Claim ${name}`;
    if (outcome.ok) {
      const message = `Create ${of} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} success`;
      yield* tell(set, "Normal", "SuccessfulCreate", message);
      continue;
    }
    const { reason, message: why } = outcome.error.status;
    problems.push(`failed to create PVC ${name}: ${why}`);
    if (reason === "AlreadyExists") continue;
    const message = `Create ${of} for Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} failed error: ${why}`;
    yield* tell(set, "Warning", "FailedCreate", message);
  }
  if (problems.length > 0) throw waitingFor(problems);
}

/** Gives the claims of a Pod the owners that the policy wants. */
function* mendClaims(set: KubeObject, pod: KubeObject, { state }: World): Steps<void> {
  for (const { metadata } of claimsFor(set, ordinalOf(pod)).values()) {
    const claim = state.get(CLAIMS, metadata.namespace, metadata.name ?? "");
    if (claim === undefined) continue;
    if (hasOtherController(claim, set, pod)) {
      const message = `PersistentVolumeClaim ${metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`;
      yield* tell(set, "Warning", "ConflictingController", message);
    }
    if (areOwnersRight(claim, set, pod)) continue;
    const outcome = yield* attempt({ do: "update", object: withRightOwners(claim, set, pod) });
    if (outcome.ok) continue;
    const problem = `could not update claim ${metadata.name} for delete policy ownerRefs: ${outcome.error.status.message}`;
    yield* tellOf("Update", set, pod, waitingFor([problem]));
    throw outcome.error;
  }
}

/** Whether the claims of a Pod that there are have the owners that the policy wants. */
export function areClaimsRight(set: KubeObject, pod: KubeObject, { state }: World): boolean {
  return [...claimsFor(set, ordinalOf(pod)).values()].every(({ metadata }) => {
    const claim = state.get(CLAIMS, metadata.namespace, metadata.name ?? "");
    return claim === undefined || areOwnersRight(claim, set, pod);
  });
}

function* mendPod(set: KubeObject, pod: KubeObject, world: World): Steps<void> {
  const isIdentified = isIdentityRight(set, pod);
  const isStored = isStorageRight(set, pod);
  const isOwned = areClaimsRight(set, pod, world);
  if (isIdentified && isStored && isOwned) return;
  if (!isStored) yield* createClaims(set, pod, world);
  if (!isOwned) yield* mendClaims(set, pod, world);
  const mended = withIdentity(set, pod);
  // As Kubernetes: the Pod is written and the event told even where only a claim was wrong.
  const outcome = yield* attempt({ do: "update", object: isStored ? { ...mended, spec: pod["spec"] } : mended });
  const failure = outcome.ok ? undefined : outcome.error;
  if (failure?.status.code === 409 && !equalJson(pod, mended)) throw failure;
  yield* tellOf("Update", set, pod, failure);
  if (failure !== undefined) throw failure;
}

type Verb = "Create" | "Update" | "Delete";

function* tellOf(verb: Verb, set: KubeObject, pod: KubeObject, failure: unknown): Steps<void> {
  const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  if (failure === undefined) return yield* tell(set, "Normal", `Successful${verb}`, `${what} successful`);
  const why = failure instanceof Error ? failure.message : String(failure);
  yield* tell(set, "Warning", `Failed${verb}`, `${what} failed error: ${why}`);
}

/** Problems as Go joins them; whoever throws them comes back later. */
function waitingFor(problems: readonly string[]): ApiStatusError {
  const distinct = [...new Set(problems)];
  const message = distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
  return new ApiStatusError({ code: 409, reason: "Conflict", message }, "StatefulSet");
}
