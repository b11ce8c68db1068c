// Who controls an object: adopting what nobody controls, and letting go what is no longer selected.
import { equalJson, type KubeObject, type OwnerReference } from "../../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../kube/selectors.ts";
import { AppError } from "../../../runtime/errors.ts";
import { attempt, type Steps } from "../kernel/action.ts";
import type { Resource } from "../kernel/cluster-state.ts";
import { controllerOf, objectKey, type Watch, type World } from "../kernel/controller.ts";

/** The reference by which `owner` controls an object. */
export function controllerRef(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? "",
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** `spec.selector` of a workload. That of a ReplicationController is a map of labels. */
export function selectorOf(workload: KubeObject): LabelSelector | undefined {
  const { selector } = (workload["spec"] ?? {}) as { readonly selector?: LabelSelector | Record<string, string> };
  if (selector === undefined || workload.kind !== "ReplicationController") return selector;
  return { matchLabels: selector as Record<string, string> };
}

/** Whether a workload's selector is about an object with these labels; one that makes no sense is about none. */
export function isSelectedBy(workload: KubeObject, object: KubeObject): boolean {
  const selector = selectorOf(workload);
  if (selector === undefined) return false;
  try {
    return matchesLabelSelector(selector, object.metadata.labels);
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

type Claim = "keep" | "adopt" | "release" | "ignore";

/** What an owner does about an object that it controls, or that nobody does. As Kubernetes: one on its way out does nothing. */
function claimOf(owner: KubeObject, object: KubeObject, isWanted: boolean): Claim {
  const controller = controllerOf(object);
  const isLeaving = owner.metadata.deletionTimestamp !== undefined;
  if (controller !== undefined) {
    if (controller.uid !== owner.metadata.uid) return "ignore";
    if (isWanted) return "keep";
    return isLeaving ? "ignore" : "release";
  }
  if (isLeaving || !isWanted || object.metadata.deletionTimestamp !== undefined) return "ignore";
  return "adopt";
}

/**
 * The objects of a resource that `owner` controls, after adopting and releasing: those that its selector is about and that
 * `accepts` takes. What could not be adopted or released fails the run once all others have been tried.
 */
export function* claimObjects(
  owner: KubeObject,
  resource: Resource,
  world: World,
  accepts: (object: KubeObject) => boolean = () => true,
): Steps<KubeObject[]> {
  return yield* claimAmong(owner, candidatesOf(owner, resource, world), accepts);
}

/** What an owner may claim: what it controls, and what nobody controls in its namespace. */
export function candidatesOf(owner: KubeObject, resource: Resource, { state }: World): KubeObject[] {
  return [...state.ownedBy(owner, resource), ...state.orphans(resource, owner.metadata.namespace ?? "")];
}

/** As `claimObjects`, among some of the candidates: what is not among them is left as it is. */
export function* claimAmong(
  owner: KubeObject,
  candidates: readonly KubeObject[],
  accepts: (object: KubeObject) => boolean = () => true,
): Steps<KubeObject[]> {
  const claimed: KubeObject[] = [];
  let failure: unknown;
  for (const object of candidates) {
    const claim = claimOf(owner, object, isSelectedBy(owner, object) && accepts(object));
    if (claim === "keep") claimed.push(object);
    if (claim !== "adopt" && claim !== "release") continue;
    const others = (object.metadata.ownerReferences ?? []).filter((each) => each.uid !== owner.metadata.uid);
    const ownerReferences = claim === "adopt" ? [...others, controllerRef(owner)] : others;
    const patch = { metadata: { uid: object.metadata.uid, ownerReferences } };
    const outcome = yield* attempt({ do: "patch", object, patch });
    if (outcome.ok) {
      if (claim === "adopt") claimed.push(outcome.object ?? object);
    } else if (outcome.error.status.code !== 404 && !(claim === "release" && outcome.error.status.code === 422)) {
      failure ??= outcome.error;
    }
  }
  if (failure !== undefined) throw failure;
  return claimed;
}

/** Follows objects that nobody controls: the keys are those of the owners in their namespace that would adopt them. */
export function watchOrphans(resource: Resource, ownerResource: Resource): Watch {
  return {
    resource,
    keys: ({ type, object, previous }, { state }) => {
      if (type === "deleted" || controllerOf(object) !== undefined) return [];
      const before = type === "updated" ? previous() : undefined;
      if (
        before !== undefined &&
        controllerOf(before) === undefined &&
        equalJson(before.metadata.labels, object.metadata.labels)
      )
        return [];
      const owners = state.list(ownerResource, object.metadata.namespace ?? "");
      return owners.filter((owner) => isSelectedBy(owner, object)).map(objectKey);
    },
  };
}
