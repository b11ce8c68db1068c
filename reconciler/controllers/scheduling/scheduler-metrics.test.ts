import { describe, expect, it } from "vitest";
import { Metrics } from "../../../runtime/metrics.ts";
import type { SchedulingDecision } from "../../scheduler/decide-scheduling.ts";
import { SchedulerMetrics } from "./scheduler-metrics.ts";

const LEFT: SchedulingDecision = { verdict: "current", reason: "", events: [], requeue: "done", failedGroups: [] };

function attempt(kind: "not-divided" | "replicas-changed", requeue: SchedulingDecision["requeue"]): SchedulingDecision {
  return { ...LEFT, verdict: requeue === "done" ? "scheduled" : "failed", requeue, occasion: { kind, reason: "" } };
}

describe("SchedulerMetrics", () => {
  it("counts attempts and their time by outcome and occasion, as karmada-scheduler does", async () => {
    const metrics = new Metrics();
    const scheduler = new SchedulerMetrics(metrics);

    scheduler.attempted(attempt("not-divided", "done"), 0.003);
    scheduler.attempted(attempt("replicas-changed", "done"), 0.5);
    scheduler.attempted(attempt("replicas-changed", "unschedulable"), 0.5);
    scheduler.attempted(LEFT, 0.5);

    const lines = (await metrics.text()).split("\n");
    expect(lines).toContain(
      'karmada_scheduler_schedule_attempts_total{result="scheduled",schedule_type="ReconcileSchedule"} 1',
    );
    expect(lines).toContain(
      'karmada_scheduler_schedule_attempts_total{result="scheduled",schedule_type="ScaleSchedule"} 1',
    );
    expect(lines).toContain(
      'karmada_scheduler_schedule_attempts_total{result="error",schedule_type="ScaleSchedule"} 1',
    );
    expect(lines).toContain(
      'karmada_scheduler_e2e_scheduling_duration_seconds_bucket{result="scheduled",schedule_type="ReconcileSchedule",le="0.004"} 1',
    );
    expect(lines).toContain('karmada_scheduler_queue_incoming_bindings_total{event="ScheduleAttemptFailure"} 1');
  });

  it("says how many bindings wait, and for what", async () => {
    const metrics = new Metrics();
    new SchedulerMetrics(metrics).watchQueue(() => ({ active: 3, backoff: 2, unschedulable: 1 }));

    const lines = (await metrics.text()).split("\n");

    expect(lines).toContain('karmada_scheduler_pending_bindings{queue="active"} 3');
    expect(lines).toContain('karmada_scheduler_pending_bindings{queue="unschedulable"} 1');
  });
});
