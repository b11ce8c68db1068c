// Figures of scheduling by the names that karmada-scheduler has for them.
import type { Metrics } from "../../../runtime/metrics.ts";
import type { SchedulingDecision } from "../../scheduler/decide-scheduling.ts";
import type { PendingKeys } from "../../scheduler/queue.ts";

/** From one millisecond on, each twice the one before. */
const DURATIONS = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);

/** Why a binding came into the queue. */
export type QueueEvent = "BindingAdd" | "BindingUpdate" | "ClusterChanged" | "ScheduleAttemptFailure";

/** The one of each control plane. */
export class SchedulerMetrics {
  readonly #attempts;
  readonly #durations;
  readonly #incoming;
  #pending: () => PendingKeys = () => ({ active: 0, backoff: 0, unschedulable: 0 });

  constructor(metrics: Metrics) {
    const labels = ["result", "schedule_type"] as const;
    this.#attempts = metrics.counter({
      name: "karmada_scheduler_schedule_attempts_total",
      help: "Number of attempts to schedule a ResourceBinding or ClusterResourceBinding",
      labels,
    });
    this.#durations = metrics.histogram({
      name: "karmada_scheduler_e2e_scheduling_duration_seconds",
      help: "E2e scheduling latency in seconds",
      labels,
      buckets: DURATIONS,
    });
    this.#incoming = metrics.counter({
      name: "karmada_scheduler_queue_incoming_bindings_total",
      help: "Number of ResourceBinding and ClusterResourceBinding objects added to scheduling queues by event type.",
      labels: ["event"] as const,
    });
    metrics.readings(
      {
        name: "karmada_scheduler_pending_bindings",
        help: "Number of pending bindings, by the queue type: active, backoff or unschedulable.",
        labels: ["queue"] as const,
      },
      () => Object.entries(this.#pending()).map(([queue, keys]) => [{ queue }, keys] as const),
    );
  }

  /** Tells where to ask for the bindings that wait. */
  watchQueue(pending: () => PendingKeys): void {
    this.#pending = pending;
  }

  queued(event: QueueEvent): void {
    this.#incoming.of({ event }).add(1);
  }

  /** A binding was scheduled, or not; as in Karmada, that nothing fits is a result. Looks that found nothing to do do not count. */
  attempted(decision: SchedulingDecision, seconds: number): void {
    if (decision.occasion === undefined) return;
    const labels = {
      result: decision.requeue === "done" ? "scheduled" : "error",
      schedule_type: decision.occasion.kind === "replicas-changed" ? "ScaleSchedule" : "ReconcileSchedule",
    };
    this.#attempts.of(labels).add(1);
    this.#durations.of(labels).observe(seconds);
    if (decision.requeue !== "done") this.queued("ScheduleAttemptFailure");
  }
}
