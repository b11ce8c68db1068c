// Eviction of Pods, as far as PodDisruptionBudgets allow it.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { cloneJson, equalJson, isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../kube/selectors.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Steps } from "../../../runtime/steps.ts";
import { badRequest, failureStatus, forbidden, StatusError, serverError } from "../registry/status-error.ts";
import { parseBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { type DeleteOptions, readDeleteOptions, readWriteOptions } from "../request/options.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { admitSubresource, type WriteRequest } from "./admission.ts";
import { answerValue } from "./answers.ts";
import { requireUnchanged } from "./concurrent-change.ts";
import { writeRequestOf, writeRetried } from "./create-update.ts";
import { checkDeletable, deleteAdmitted } from "./delete.ts";
import { requireObject } from "./read.ts";

const BUDGETS = "policy/poddisruptionbudgets";
const EVICTION = { group: "policy", version: "v1", kind: "Eviction" };
const SUCCESS = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
const ALLOWED = "DisruptionAllowed";
const REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget.";
const RETRY_S = 10;
/** Evictions that the disruption controller has not seen yet, at most. */
const MOST_UNSEEN = 2000;

interface BudgetCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

interface Budget extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector; readonly unhealthyPodEvictionPolicy?: string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly disruptedPods?: Readonly<Record<string, string>>;
    readonly conditions?: readonly BudgetCondition[];
  };
}

/** Deletes a Pod unless its budget forbids it: 429. */
export async function evictPod(exchange: Exchange): Promise<ApiResponse> {
  const { json } = parseBody(exchange.request, false, "Eviction");
  const metadata = isObject(json["metadata"]) ? json["metadata"] : {};
  if (metadata["name"] !== exchange.target.name) throw badRequest("name in URL does not match name in Eviction object");
  await writeRetried(exchange, () => evict(exchange, json));
  await exchange.server.store.settled();
  return answerValue(exchange, 201, SUCCESS);
}

function* evict(exchange: Exchange, json: JsonObject): Steps<void> {
  const { server } = exchange;
  const live = requireObject(exchange);
  const asked = readWriteOptions(exchange.query, "CreateOptions");
  const options = deleteOptionsOf(exchange, json, asked.dryRun);
  const write = writeRequestOf(exchange, options);
  checkDeletable(write, live, options);
  // As the reference: admission sees the creation of an Eviction, and not the deletion of the Pod.
  yield* admitSubresource({ ...write, options: asked.raw }, "CREATE", EVICTION, live.name, json);
  requireUnchanged(server.store, live);
  if (!isBeyondBudgets(live.object)) {
    const budgets = budgetsOf(exchange, live.object);
    if (budgets.length > 1) throw serverError(MANY_BUDGETS);
    const [stored] = budgets;
    // The server has checked the shape of what it stores.
    if (stored !== undefined && !isUnguarded(live.object, stored.object as Budget))
      takeFromBudget(write, stored, live.name, rfc3339(server.clock.now()));
  }
  const marked = markDisrupted(live.object, rfc3339(server.clock.now()));
  const isSame = write.dryRun || equalJson(marked, live.object);
  deleteAdmitted(write, isSame ? live : server.store.put(live, marked), options);
}

const MANY_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";

function deleteOptionsOf(exchange: Exchange, json: JsonObject, dryRun: boolean): DeleteOptions {
  const raw = json["deleteOptions"];
  // Checked to be an object, and JSON throughout.
  const options = readDeleteOptions(exchange.query, isObject(raw) ? (raw as JsonObject) : {});
  return dryRun ? { ...options, dryRun } : options;
}

/** Whether a Pod disrupts nobody any more, or not yet. */
function isBeyondBudgets(pod: KubeObject): boolean {
  const { phase } = statusOf(pod);
  return (
    pod.metadata.deletionTimestamp !== undefined || phase === "Succeeded" || phase === "Failed" || phase === "Pending"
  );
}

function statusOf(pod: KubeObject): { readonly phase?: string; readonly conditions?: readonly BudgetCondition[] } {
  return isObject(pod["status"]) ? pod["status"] : {};
}

function budgetsOf({ server }: Exchange, pod: KubeObject): StoredObject[] {
  return server.store.list(BUDGETS, pod.metadata.namespace ?? "").filter(({ object }) => {
    try {
      return matchesLabelSelector((object as Budget).spec.selector, pod.metadata.labels);
    } catch (error) {
      // A selector that makes no sense finds nothing.
      if (error instanceof AppError) return false;
      throw error;
    }
  });
}

/** Whether the budget lets a Pod go that is not ready without counting it. */
function isUnguarded(pod: KubeObject, { spec, status = {} }: Budget): boolean {
  if (statusOf(pod).conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true)
    return false;
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  return spec.unhealthyPodEvictionPolicy === "AlwaysAllow" || (desiredHealthy > 0 && currentHealthy >= desiredHealthy);
}

/** Counts one disruption, which the disruption controller takes over once it sees the Pod go. Refuses when there is none left. */
function takeFromBudget({ server, dryRun }: WriteRequest, stored: StoredObject, pod: string, now: string): void {
  // The server has checked the shape of what it stores.
  const budget = stored.object as Budget;
  const { status = {}, metadata } = budget;
  const name = metadata.name ?? "";
  const { disruptionsAllowed: allowed = 0, disruptedPods = {} } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, RETRY_S);
  }
  const resource = { group: "policy", resource: "poddisruptionbudget" };
  if (allowed < 0) throw forbidden(resource, name, "pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > MOST_UNSEEN) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbidden(resource, name, why);
  }
  if (allowed === 0) throw refusal(whyNotAllowed(name, status), 0);
  if (dryRun) return;
  const conditions = allowed === 1 ? usedUp(status, now) : status.conditions;
  const taken = {
    ...status,
    conditions,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...disruptedPods, [pod]: now },
  };
  server.store.put(stored, cloneJson({ ...budget, status: taken }));
}

function refusal(why: string, retryAfterSeconds: number): StatusError {
  const details: JsonObject = {
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
    causes: [{ reason: "DisruptionBudget", message: why }],
  };
  const headers: Record<string, string> = retryAfterSeconds === 0 ? {} : { "retry-after": String(retryAfterSeconds) };
  return new StatusError(429, failureStatus(429, "TooManyRequests", REFUSAL, details), headers);
}

function whyNotAllowed(
  name: string,
  { currentHealthy = 0, desiredHealthy = 0, conditions }: NonNullable<Budget["status"]>,
): string {
  const { status, reason = "", message = "" } = conditions?.find(({ type }) => type === ALLOWED) ?? {};
  const says = status === "False" && message !== "";
  if (says && reason === "SyncFailed")
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${message}`;
  if (currentHealthy <= desiredHealthy)
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  const why = `The disruption budget ${name} does not allow evicting pods currently`;
  return says ? `${why} (${reason}): ${message}` : why;
}

function usedUp(
  { conditions = [], observedGeneration = 0 }: NonNullable<Budget["status"]>,
  now: string,
): readonly BudgetCondition[] {
  const known = conditions.find(({ type }) => type === ALLOWED);
  const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : now;
  const said = {
    type: ALLOWED,
    status: "False",
    reason: "InsufficientPods",
    message: "",
    observedGeneration,
    lastTransitionTime,
  };
  return known === undefined ? [...conditions, said] : conditions.map((each) => (each === known ? said : each));
}

/** The Pod, saying what it goes for. */
function markDisrupted(pod: KubeObject, now: string): KubeObject {
  const marked = cloneJson(pod);
  const { conditions = [], ...status } = statusOf(marked);
  const known = conditions.find(({ type }) => type === "DisruptionTarget");
  const said = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastProbeTime: null,
    lastTransitionTime: known?.status === "True" ? known.lastTransitionTime : now,
  };
  const others = conditions.map((each) => (each === known ? said : each));
  marked["status"] = { ...status, conditions: known === undefined ? [...others, said] : others };
  return marked;
}
