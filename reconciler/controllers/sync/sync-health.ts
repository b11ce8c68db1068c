// When what a Sync applied is up in every cluster it was placed in: between waves, for hooks, and for Syncs that ask for
// it by `wait`.
import type { Cluster } from "../../../api/cluster.ts";
import type { TargetCluster, Work } from "../../../api/work.ts";
import { findCondition } from "../../../kube/conditions.ts";
import { describeRef, isObject, type KubeObject, type ObjectRef, parseApiVersion } from "../../../kube/object.ts";
import { outcomeOfJob } from "../../interpreter/job-conditions.ts";
import { matchPolicy } from "../../policies/match.ts";
import type { PolicyIndex } from "../../policies/policy-index.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName, executionNamespace, workName } from "../../works/naming.ts";
import { effectiveTargets } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { findReady } from "../clusters/clusters.ts";
import type { ControllerContext } from "../context.ts";

/** Names at most this many objects in a message. */
const NAMED = 5;

/** The template's generation, on every copy. */
const GENERATION_ANNOTATION = "resourcetemplate.karmada.io/generation";

/** How an object fares. `unreachable`: only clusters that do not answer keep it from being up. */
export type ObjectState =
  | { readonly state: "up" }
  /** No policy places it: it is in the control plane and nowhere else. */
  | { readonly state: "unplaced" }
  | { readonly state: "pending" | "unreachable" | "failed"; readonly why: string };

/** What of an applied object tells its copies from those of an earlier version. */
export interface AppliedVersion {
  readonly ref: ObjectRef;
  readonly uid: string | undefined;
  /** Undefined for kinds that count none, and when only the present copies matter. */
  readonly generation: number | undefined;
}

/** Asks the caches how objects fare. */
export class SyncHealth {
  readonly #context: ControllerContext;
  readonly #policies: PolicyIndex;

  constructor(context: ControllerContext, policies: PolicyIndex) {
    this.#context = context;
    this.#policies = policies;
  }

  /** Whether a policy that is there now selects the object and places it by itself. */
  isSelected(object: KubeObject): boolean {
    const { policy } = matchPolicy(object, this.#policies);
    return policy !== undefined && policy.spec.activationPreference !== "Lazy";
  }

  stateOf({ ref, uid, generation }: AppliedVersion): ObjectState {
    const { informers } = this.#context;
    const kind = ref.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
    const binding = informers
      .of<AnyBinding>(BINDING_API_VERSION, kind)
      .get(ref.namespace, bindingName(ref.kind, ref.name));
    const { resource } = binding?.spec ?? {};
    if (
      binding === undefined ||
      resource?.kind !== ref.kind ||
      groupOf(resource.apiVersion) !== groupOf(ref.apiVersion)
    )
      return { state: "unplaced" };
    if (uid !== undefined && resource.uid !== undefined && resource.uid !== uid)
      return { state: "pending", why: "is being placed" };
    if (binding.status?.schedulerObservedGeneration !== binding.metadata.generation)
      return { state: "pending", why: "is being scheduled" };
    const targets = effectiveTargets(binding);
    if (targets.length === 0) {
      const scheduled = findCondition(binding.status?.conditions, "Scheduled");
      return { state: "pending", why: `has no cluster${scheduled?.message ? ` (${scheduled.message})` : ""}` };
    }
    return worst(targets.map((target) => this.#stateOfCopy(ref, generation, target)));
  }

  #stateOfCopy(ref: ObjectRef, generation: number | undefined, target: TargetCluster): ObjectState {
    const { informers } = this.#context;
    const cluster = informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster").get(undefined, target.name);
    const isReachable = cluster !== undefined && findReady(cluster)?.status === "True";
    const work = informers
      .of<Work>(WORK_API_VERSION, "Work")
      .get(executionNamespace(target.name), workName(ref.kind, ref.name, ref.namespace ?? ""));
    const state = stateOfWork(work, generation, target);
    if (state.state !== "pending") return state;
    return isReachable
      ? { state: "pending", why: `${state.why} in ${target.name}` }
      : { state: "unreachable", why: `${state.why} in ${target.name}, which is not ready` };
  }
}

/** How a copy fares, by its Work. */
export function stateOfWork(
  work: Work | undefined,
  generation: number | undefined,
  target: TargetCluster,
): ObjectState & { readonly state: "up" | "pending" | "failed" } {
  if (work === undefined || work.metadata.deletionTimestamp !== undefined)
    return { state: "pending", why: "is not sent yet" };
  // A Work holds whole objects; the schema keeps them as they are.
  const manifest = work.spec.workload?.manifests?.[0] as unknown as KubeObject | undefined;
  const sent = Number(manifest?.metadata.annotations?.[GENERATION_ANNOTATION]);
  if (generation !== undefined && sent < generation) return { state: "pending", why: "has an earlier version" };
  const applied = findCondition(work.status?.conditions, "Applied");
  if (applied?.status === "False") return { state: "pending", why: `is refused (${applied.message})` };
  const isCurrent =
    applied?.observedGeneration === undefined || applied.observedGeneration === work.metadata.generation;
  if (applied === undefined || !isCurrent) return { state: "pending", why: "is being applied" };
  const copy = work.status?.manifestStatuses?.[0];
  const status = isObject(copy?.status) ? copy.status : {};
  const ended = manifest === undefined ? undefined : outcomeOf(manifest, status);
  if (ended === "Failed") return { state: "failed", why: `failed in ${target.name}` };
  if (ended === "Running") return { state: "pending", why: "runs" };
  if (ended === undefined && copy?.health !== undefined && copy.health !== "Healthy")
    return { state: "pending", why: "is not healthy" };
  const ready = status["readyReplicas"];
  if (ended === undefined && typeof ready === "number" && ready < (target.replicas ?? 0))
    return { state: "pending", why: `has ${ready} of ${target.replicas} replicas` };
  return { state: "up" };
}

/** How what runs to an end has ended; undefined for everything else. */
function outcomeOf(
  object: KubeObject,
  status: Record<string, unknown>,
): "Succeeded" | "Failed" | "Running" | undefined {
  const group = groupOf(object.apiVersion);
  if (object.kind === "Job" && group === "batch") {
    const outcome = outcomeOfJob(status);
    return outcome === "Complete" ? "Succeeded" : (outcome ?? "Running");
  }
  const isPod = object.kind === "Pod" && group === "";
  if (!isPod && !(object.kind === "Workflow" && group === "argoproj.io")) return undefined;
  const phase = status["phase"];
  if (phase === "Succeeded") return "Succeeded";
  if (phase === "Failed" || phase === "Error") return "Failed";
  // A Pod that is to stay is up when it is ready, which its health says.
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return isPod && (spec["restartPolicy"] ?? "Always") === "Always" ? undefined : "Running";
}

/** Whether an object does something once it is in a cluster, so that a hook of this kind that no policy places is in vain. */
export function runsPods(object: KubeObject): boolean {
  if (object.kind === "Pod" || object.kind === "Workflow") return true;
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const template = isObject(spec["template"]) ? spec["template"] : isObject(spec["jobTemplate"]) ? spec : undefined;
  return template !== undefined;
}

const RANK = { up: 0, unplaced: 0, unreachable: 1, pending: 2, failed: 3 } as const;

function worst(states: readonly ObjectState[]): ObjectState {
  let found: ObjectState = { state: "up" };
  for (const state of states) if (RANK[state.state] > RANK[found.state]) found = state;
  return found;
}

function groupOf(apiVersion: string): string {
  return parseApiVersion(apiVersion).group;
}

export interface Unsettled {
  readonly ref: ObjectRef;
  readonly why: string;
}

export function describeUnsettled(objects: readonly Unsettled[]): string {
  const named = objects
    .slice(0, NAMED)
    .map(({ ref, why }) => `${describeRef(ref)} ${why}`)
    .join("; ");
  return objects.length > NAMED ? `${named}; and ${objects.length - NAMED} more` : named;
}
