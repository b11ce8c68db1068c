// Counts for each PodDisruptionBudget how many of its Pods may be disrupted.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { type Reconcile, tell, writeStatus } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { isSelectedBy } from "../controller-refs.ts";
import { isTerminal, podCondition } from "../pod-object.ts";
import { printSelector } from "../print-selector.ts";
import {
  asksControllers,
  budgetStatus,
  type DisruptionBudget,
  disruptedPods,
  expectationOf,
  failedStatus,
} from "./disruption-budget.ts";
import { podControllersOf } from "./pod-controllers.ts";

const BUDGETS = "policy/poddisruptionbudgets";
/** Keys of Pods that several budgets select, as opposed to those of budgets. */
const SHARED = "shared:";
const STALE_MS = 120_000;

/** Counts how many Pods of each PodDisruptionBudget may be evicted. */
export function disruptionController(): Controller {
  return {
    // As Kubernetes: it has no name of its own in Events.
    name: "controllermanager",
    manager: "kube-controller-manager",
    watches: [
      watchSelf(BUDGETS),
      {
        resource: "pods",
        // As Kubernetes: of several budgets one is chosen, and the others are not told.
        keys: ({ object }, { state }) => {
          const [first, ...others] = budgetsOf(object, state.list(BUDGETS, object.metadata.namespace));
          if (first === undefined) return [];
          const key = objectKey(first);
          return others.length === 0 ? [key] : [`${SHARED}${objectKey(object)}`, key];
        },
      },
    ],
    reconcile: (key, world) =>
      key.startsWith(SHARED) ? warnOfSharing(key.slice(SHARED.length), world) : reconcile(key, world),
  };
}

/** Takes back the announcement of a disruption that did not come. */
export function staleDisruptionController(): Controller {
  return {
    name: "disruption-controller",
    manager: "kube-controller-manager",
    watches: [
      { resource: "pods", keys: ({ object }) => (announcementOf(object) === undefined ? [] : [objectKey(object)]) },
    ],
    reconcile: takeBack,
  };
}

function budgetsOf(pod: KubeObject, budgets: readonly KubeObject[]): KubeObject[] {
  return budgets.filter((budget) => isSelectedBy(budget, pod));
}

function* warnOfSharing(key: string, { state }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const pod = state.get("pods", namespace, name);
  if (pod === undefined) return undefined;
  const [first, ...others] = budgetsOf(pod, state.list(BUDGETS, namespace));
  if (first === undefined || others.length === 0) return undefined;
  const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${first.metadata.name}" arbitrarily.`;
  yield* tell(pod, "Warning", "MultiplePodDisruptionBudgets", message);
  return undefined;
}

function* reconcile(key: string, world: World): Reconcile {
  const { state } = world;
  const { namespace, name } = splitKey(key);
  // Checked by the server.
  const budget = state.get(BUDGETS, namespace, name) as DisruptionBudget | undefined;
  if (budget === undefined) return undefined;
  const nowMs = world.now();
  const now = rfc3339(nowMs);
  const pods = state.list("pods", namespace).filter((pod) => isSelectedBy(budget, pod));
  if (pods.length === 0) yield* tell(budget, "Normal", "NoPods", "No matching pods found");
  const controllers = asksControllers(budget) ? podControllersOf(pods, state) : { scale: 0, unmanaged: [] };
  if (typeof controllers === "string") {
    const message = `Failed to calculate the number of expected pods: ${controllers}`;
    yield* tell(budget, "Warning", "CalculateExpectedPodCountFailed", message);
    yield* writeStatus(budget, { ...failedStatus(budget, controllers, now) });
    return undefined;
  }
  if (controllers.unmanaged.length > 0)
    yield* tell(budget, "Warning", "UnmanagedPods", unmanagedMessage(budget.spec.selector));
  const disrupted = disruptedPods(budget, pods, nowMs);
  for (const pod of disrupted.overdue) {
    // As Kubernetes: the namespace stands where the name should.
    const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
    yield* tell(pod, "Warning", "NotDeleted", message);
  }
  const expectation = expectationOf(budget, pods.length, controllers.scale);
  yield* writeStatus(budget, { ...budgetStatus(budget, pods, expectation, disrupted.pods, now) });
  return disrupted.recheckMs === undefined ? undefined : { afterMs: disrupted.recheckMs + 1 };
}

function unmanagedMessage(selector: LabelSelector | undefined): string {
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${printSelector(selector)}) were found to be unmanaged. ` +
    "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  );
}

/** Since when a Pod has been announced to be disrupted, milliseconds; undefined when it is not, or is on its way. */
function announcementOf(pod: KubeObject): number | undefined {
  const condition = podCondition(pod, "DisruptionTarget");
  if (pod.metadata.deletionTimestamp !== undefined || condition?.status !== "True" || isTerminal(pod)) return undefined;
  const { reason } = condition as { readonly reason?: string };
  return reason === "TerminationByKubelet" ? undefined : Date.parse(condition.lastTransitionTime ?? "");
}

function* takeBack(key: string, world: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const pod = world.state.get("pods", namespace, name);
  const since = pod === undefined ? undefined : announcementOf(pod);
  if (pod === undefined || since === undefined) return undefined;
  const left = since + STALE_MS - world.now();
  if (left > 0) return { afterMs: left };
  const status = isObject(pod["status"]) ? pod["status"] : {};
  // A Pod with an announcement has conditions.
  const conditions = (status["conditions"] as readonly Record<string, unknown>[]).map((condition) =>
    condition["type"] === "DisruptionTarget"
      ? { type: "DisruptionTarget", status: "False", lastProbeTime: null, lastTransitionTime: rfc3339(world.now()) }
      : condition,
  );
  yield* writeStatus(pod, { ...status, conditions });
  return undefined;
}
