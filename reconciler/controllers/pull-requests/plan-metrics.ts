import { AppError } from "../../../runtime/errors.ts";
import type { Metrics } from "../../../runtime/metrics.ts";

/** Figures of plans of pull requests. */
export interface PlanMetrics {
  made(ms: number): void;
  failed(error: unknown): void;
  /** Nobody waits for it any more. */
  cancelled(): void;
}

export function createPlanMetrics(metrics: Metrics): PlanMetrics {
  const plans = metrics.counter({
    name: "pull_request_plans_total",
    help: "Plans of pull requests, by what became of them.",
    labels: ["outcome"],
  });
  const failures = metrics.counter({
    name: "pull_request_plan_failures_total",
    help: "Plans of pull requests that failed, by code.",
    labels: ["code"],
  });
  const seconds = metrics.histogram({
    name: "pull_request_plan_duration_seconds",
    help: "How long plans of pull requests took, from fetching to the report.",
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  });
  return {
    made: (ms) => {
      plans.of({ outcome: "made" }).add(1);
      seconds.of({}).observe(ms / 1000);
    },
    failed: (error) => {
      plans.of({ outcome: "failed" }).add(1);
      failures.of({ code: error instanceof AppError ? error.code : "unexpected" }).add(1);
    },
    cancelled: () => plans.of({ outcome: "cancelled" }).add(1),
  };
}
