// Jobs and CronJobs.
import { create, cronJob, job, patch, ref, remove, script, step, stepFor } from "../builders.ts";
import type { Script } from "../script.ts";

const TASK = ref("Job", "task");
const TICK = ref("CronJob", "tick");

/** Whatever a schedule brings comes at the full minute. */
const OVER_THE_MINUTE_MS = 14_000;

export const JOB_SCRIPTS: readonly Script[] = [
  script("job/one", step("create", create(job("task"))), step("delete", remove(TASK))),
  script("job/completions", step("create", create(job("task", { spec: { completions: 5, parallelism: 2 } })))),
  script("job/work-queue", step("create", create(job("task", { spec: { parallelism: 3 } })))),
  script(
    "job/indexed",
    step("create", create(job("task", { spec: { completions: 4, parallelism: 2, completionMode: "Indexed" } }))),
  ),
  script(
    "job/indexed-with-success-policy",
    step(
      "create",
      create(
        job("task", {
          spec: {
            completions: 4,
            parallelism: 2,
            completionMode: "Indexed",
            successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 2 }] },
          },
        }),
      ),
    ),
  ),
  script("job/fails", step("create", create(job("task", { image: "job:exit-1", spec: { backoffLimit: 0 } })))),
  script(
    "job/fails-again",
    stepFor(16_000, "create", create(job("task", { image: "job:exit-1", spec: { backoffLimit: 1 } }))),
  ),
  script(
    "job/backoff-limit-per-index",
    stepFor(
      16_000,
      "create",
      create(
        job("task", {
          image: "job:exit-1",
          spec: {
            completions: 2,
            parallelism: 2,
            completionMode: "Indexed",
            backoffLimitPerIndex: 0,
          },
        }),
      ),
    ),
  ),
  script(
    "job/pod-failure-policy-fail-job",
    step(
      "create",
      create(
        job("task", {
          image: "job:exit-42",
          spec: {
            backoffLimit: 3,
            podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }] },
          },
        }),
      ),
    ),
  ),
  script(
    "job/suspend-and-resume",
    step("create suspended", create(job("task", { spec: { suspend: true, completions: 2, parallelism: 2 } }))),
    step("resume", patch(TASK, { spec: { suspend: false } })),
  ),
  script(
    "job/suspend-while-running",
    step("create", create(job("task", { image: "job:endless", spec: { completions: 2, parallelism: 2 } }))),
    step("suspend", patch(TASK, { spec: { suspend: true } })),
    step("resume", patch(TASK, { spec: { suspend: false } })),
    step("delete", remove(TASK)),
  ),
  script(
    "job/active-deadline",
    stepFor(8_000, "create", create(job("task", { image: "job:endless", spec: { activeDeadlineSeconds: 4 } }))),
  ),
  script("job/time-to-live", stepFor(9_000, "create", create(job("task", { spec: { ttlSecondsAfterFinished: 4 } })))),
  script(
    "job/change-parallelism",
    step("create", create(job("task", { image: "job:endless", spec: { completions: 5, parallelism: 2 } }))),
    step("more", patch(TASK, { spec: { parallelism: 4 } })),
    step("fewer", patch(TASK, { spec: { parallelism: 1 } })),
    step("none", patch(TASK, { spec: { parallelism: 0 } })),
  ),
  script(
    "job/lose-a-pod",
    step("create", create(job("task", { image: "job:endless", spec: { completions: 2, parallelism: 2 } }))),
    stepFor(14_000, "delete a Pod", { do: "delete-pods", labels: "job-name=task", count: 1 }),
  ),
  script(
    "job/pod-replacement-when-failed",
    step(
      "create",
      create(job("task", { image: "job:endless", spec: { completions: 1, podReplacementPolicy: "Failed" } })),
    ),
    step("suspend", patch(TASK, { spec: { suspend: true } })),
  ),
  script(
    "job/missing-image",
    step("create", create(job("task", { image: "missing:1" }))),
    step("delete", remove(TASK, "Foreground")),
  ),
  script(
    "job/delete-and-leave-orphans",
    step("create", create(job("task", { image: "job:endless" }))),
    step("delete", remove(TASK, "Orphan")),
  ),
  script(
    "cron-job/every-minute",
    step("wait", { do: "wait-for-second", second: 45 }),
    stepFor(OVER_THE_MINUTE_MS + 8_000, "create", create(cronJob("tick", { schedule: "* * * * *" })), {
      do: "wait-for-second",
      second: 0,
    }),
    step("delete", remove(TICK)),
  ),
  script(
    "cron-job/history-limits",
    step("wait", { do: "wait-for-second", second: 45 }),
    stepFor(
      OVER_THE_MINUTE_MS,
      "create",
      create(cronJob("tick", { schedule: "* * * * *", successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 })),
      { do: "wait-for-second", second: 0 },
    ),
    stepFor(OVER_THE_MINUTE_MS, "next minute", { do: "wait-for-second", second: 0 }),
  ),
  script(
    "cron-job/forbid",
    step("wait", { do: "wait-for-second", second: 45 }),
    stepFor(
      OVER_THE_MINUTE_MS,
      "create",
      create(cronJob("tick", { schedule: "* * * * *", concurrencyPolicy: "Forbid" }, { image: "job:endless" })),
      { do: "wait-for-second", second: 0 },
    ),
    stepFor(OVER_THE_MINUTE_MS, "next minute", { do: "wait-for-second", second: 0 }),
    step("suspend", patch(TICK, { spec: { suspend: true } })),
  ),
  script(
    "cron-job/replace",
    step("wait", { do: "wait-for-second", second: 45 }),
    stepFor(
      OVER_THE_MINUTE_MS,
      "create",
      create(cronJob("tick", { schedule: "* * * * *", concurrencyPolicy: "Replace" }, { image: "job:endless" })),
      { do: "wait-for-second", second: 0 },
    ),
    stepFor(OVER_THE_MINUTE_MS, "next minute", { do: "wait-for-second", second: 0 }),
  ),
  script(
    "cron-job/suspended",
    step("wait", { do: "wait-for-second", second: 45 }),
    stepFor(OVER_THE_MINUTE_MS, "create", create(cronJob("tick", { schedule: "* * * * *", suspend: true })), {
      do: "wait-for-second",
      second: 0,
    }),
  ),
];
