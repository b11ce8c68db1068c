// Schedules bindings again when they or the fleet change. Bindings that were written already scheduled are passed over.

import { isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { equalJson } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import { clusterChangeMatters, isTouchedByCluster } from "../scheduler/occasion.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../works/binding.ts";
import type { BindingWriter } from "./binding-writer.ts";
import type { Controller, ControllerContext } from "./context.ts";
import type { FleetState } from "./fleet-state.ts";

const KINDS = ["ResourceBinding", "ClusterResourceBinding"] as const;
/** As Karmada: bindings that fit nowhere for want of room are looked at again after five minutes. */
const UNSCHEDULABLE_RETRY_MS = 300_000;
/** Differs from Karmada: they are also looked at when a cluster reports other room than before. */
const ROOM_GATHER_MS = 200;

export function startBindingController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
): Controller {
  const { schedulerName } = context.profile.scheduling;
  const queue = new WorkQueue(
    {
      name: "bindings",
      clock: context.clock,
      logger: context.logger,
      workers: 8,
      minBackoffMs: 1_000,
      maxBackoffMs: 10_000,
    },
    step,
  );
  for (const kind of KINDS) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type === "deleted") return;
      const sameGeneration =
        change.type === "updated" && change.previous.metadata.generation === change.object.metadata.generation;
      if (!sameGeneration) queue.add(bindingKey(change.object));
    });
  }
  /** Bindings that fit nowhere for want of room. */
  const starved = new Set<string>();
  fleet.subscribe(({ before, after }) => {
    if (equalJson(before?.status?.resourceSummary, after?.status?.resourceSummary)) return;
    for (const key of starved) queue.addAfter(key, ROOM_GATHER_MS);
  });
  fleet.subscribe(({ before, after }) => {
    // As Karmada: a new cluster counts from its first change on, when it says what it offers.
    if (before === undefined || (after !== undefined && !clusterChangeMatters(before, after))) return;
    for (const binding of allBindings(context)) {
      const touched =
        isTouchedByCluster(binding, before, schedulerName) ||
        (after !== undefined && isTouchedByCluster(binding, after, schedulerName));
      if (!touched) continue;
      writer.forget(binding);
      queue.add(bindingKey(binding));
    }
  });

  async function step(key: string): Promise<StepResult | undefined> {
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined || writer.isHandled(binding)) {
      starved.delete(key);
      return undefined;
    }
    // Told of other room from now on: what changes while the decision is written counts too.
    starved.add(key);
    let waits = false;
    try {
      const decision = await writer.write(binding, binding);
      if (decision.requeue === "backoff")
        throw new AppError("scheduling-failed", decision.reason, { recovery: "retry" });
      waits = decision.requeue === "unschedulable";
      return waits ? { requeueAfterMs: UNSCHEDULABLE_RETRY_MS } : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      // Someone else wrote in between: the informer brings that version, and the key with it.
      if (isConflict(error)) return { requeueAfterMs: 10 };
      context.logger.debug("scheduling failed", { binding: key, error: messageOf(error) });
      throw error;
    } finally {
      if (!waits) starved.delete(key);
    }
  }

  return { stop: () => queue.stop() };
}

/** `ResourceBinding/namespace/name`. */
export function bindingKey(binding: AnyBinding): string {
  return `${binding.kind}/${binding.metadata.namespace ?? ""}/${binding.metadata.name ?? ""}`;
}

export function findBinding(context: ControllerContext, key: string): AnyBinding | undefined {
  const [kind = "", namespace, name = ""] = key.split("/");
  return context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).get(namespace, name);
}

export function* allBindings(context: ControllerContext): Generator<AnyBinding> {
  for (const kind of KINDS) yield* context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).all();
}
