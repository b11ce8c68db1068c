// Carries out WorkloadRebalancers: asks for a fresh choice of clusters, reports, and goes when its time is over.
import type { RebalancerTarget, WorkloadRebalancer } from "../../../api/apps.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type ObjectRef, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import {
  decideRebalance,
  pendingWorkloads,
  type RebalanceStep,
  rebalancerExpiry,
  statusAfterRebalance,
} from "../../failover/rebalance.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { templateSubject } from "./binding-writer.ts";

export const REBALANCER_KIND = ["apps.karmada.io/v1alpha1", "WorkloadRebalancer"] as const;

/** Bindings of one request that are read or written at the same time. */
const PARALLEL = 16;
/** A binding that others keep writing is left for the next attempt after so many. */
const WRITE_ATTEMPTS = 5;

/** What became of one workload. */
interface Outcome {
  readonly step: RebalanceStep;
  /** Why it is tried again; absent when it is done. */
  readonly failure?: string;
}

export function startWorkloadRebalancerController(context: ControllerContext): Controller {
  const { client, clock, logger } = context;
  const rebalancers = context.informers.of<WorkloadRebalancer>(...REBALANCER_KIND);
  const queue = new WorkQueue(
    { name: "rebalancers", clock, logger, workers: 4, minBackoffMs: 200, maxBackoffMs: 60_000 },
    reconcile,
  );
  rebalancers.subscribe((change) => {
    if (change.type === "deleted") return;
    if (change.type === "updated" && equalJson(change.previous.spec, change.object.spec)) return;
    queue.add(change.object.metadata.name ?? "");
  });

  async function reconcile(name: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const rebalancer = rebalancers.get(undefined, name);
    if (rebalancer === undefined || rebalancer.metadata.deletionTimestamp !== undefined) return undefined;
    const outcomes = await mapLimit(pendingWorkloads(rebalancer), PARALLEL, (workload) =>
      ask(rebalancer, workload, signal),
    );
    const failures = outcomes.filter((outcome) => outcome.failure !== undefined);
    const status = statusAfterRebalance(
      rebalancer,
      outcomes.map((outcome) => outcome.step),
      new Set(failures.map((outcome) => outcome.step)),
      clock.now(),
    );
    try {
      const stored = await writeStatus(rebalancer, status);
      if (failures.length > 0) {
        const first = failures[0]?.failure ?? "";
        throw new AppError("rebalance-unfinished", `${failures.length} workload(s) are tried again: ${first}`, {
          recovery: "retry",
        });
      }
      return await expire(stored);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
  }

  /** Writes the request to one workload's binding. Never fails: what did not work is said in the outcome. */
  async function ask(
    rebalancer: WorkloadRebalancer,
    workload: RebalancerTarget,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const one = { ...rebalancer, spec: { ...rebalancer.spec, workloads: [workload] } };
    let step: RebalanceStep = { workload, verdict: "missing" };
    try {
      for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
        const binding = await readBinding(workload, attempt > 0, signal);
        [step = step] = decideRebalance(one, () => binding);
        if (step.verdict !== "trigger" || binding === undefined) return { step };
        if (await trigger(binding, step, signal)) {
          tell(rebalancer, binding, step);
          return { step };
        }
      }
      return { step, failure: "the binding is being written by others" };
    } catch (error) {
      return { step, failure: messageOf(error) };
    }
  }

  /** The cache may not know yet what was made just before the request, and being not found is final: the server is asked. */
  async function readBinding(
    workload: RebalancerTarget,
    fresh: boolean,
    signal: AbortSignal,
  ): Promise<AnyBinding | undefined> {
    const ref = bindingRefOf(workload);
    const informer = context.informers.of<AnyBinding>(BINDING_API_VERSION, ref.kind);
    const known = fresh ? undefined : informer.get(ref.namespace, ref.name);
    return known ?? (await client.find<AnyBinding>(ref, signal));
  }

  /** Answers false when the binding changed meanwhile. */
  async function trigger(binding: AnyBinding, step: RebalanceStep, signal: AbortSignal): Promise<boolean> {
    const { resourceVersion } = binding.metadata;
    const { rescheduleTriggeredAt } = step;
    try {
      const patch = { metadata: { resourceVersion }, spec: { rescheduleTriggeredAt } };
      const options = { fieldManager: "flaghoist-rebalancer", signal };
      const stored = await client.patch<AnyBinding>(refOf(binding), patch, "merge", options);
      context.informers.of<AnyBinding>(BINDING_API_VERSION, stored.kind).adopt(stored);
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  function tell(rebalancer: WorkloadRebalancer, binding: AnyBinding, step: RebalanceStep): void {
    if (step.withoutEffect === undefined) return;
    for (const subject of [subjectOf(rebalancer), templateSubject(binding)])
      context.events.record(subject, "Warning", "RebalanceWithoutEffect", step.withoutEffect);
  }

  async function writeStatus(
    rebalancer: WorkloadRebalancer,
    status: WorkloadRebalancer["status"],
  ): Promise<WorkloadRebalancer> {
    if (equalJson(status ?? {}, rebalancer.status ?? {})) return rebalancer;
    const { resourceVersion } = rebalancer.metadata;
    const stored = await client.patch<WorkloadRebalancer>(
      refOf(rebalancer),
      { metadata: { resourceVersion }, status },
      "merge",
      { subresource: "status", fieldManager: "flaghoist" },
    );
    rebalancers.adopt(stored);
    return stored;
  }

  /** Deletes a finished request whose time is over, if it is still as it was read. */
  async function expire(rebalancer: WorkloadRebalancer): Promise<StepResult | undefined> {
    const at = rebalancerExpiry(rebalancer);
    if (at === undefined) return undefined;
    const leftMs = at - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { resourceVersion, uid } = rebalancer.metadata;
    await client.delete(refOf(rebalancer), {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(uid === undefined ? {} : { uid }),
    });
    logger.debug("removed finished rebalancer", { object: rebalancer.metadata.name });
    return undefined;
  }

  return { stop: () => queue.stop() };
}

function bindingRefOf({ kind, namespace, name }: RebalancerTarget): ObjectRef {
  // As Karmada: what has no namespace is cluster-scoped.
  return {
    apiVersion: BINDING_API_VERSION,
    kind: namespace ? "ResourceBinding" : "ClusterResourceBinding",
    namespace: namespace || undefined,
    name: bindingName(kind, name),
  };
}
