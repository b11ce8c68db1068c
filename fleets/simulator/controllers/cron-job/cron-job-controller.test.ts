import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { startControllers, type TestCluster } from "../test-cluster.ts";
import { cronJobController } from "./cron-job-controller.ts";
import type { CronJobStatus } from "./cron-job-object.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const START = Date.UTC(2026, 0, 1);
const FIRST = `tick-${START / 60_000 + 1}`;
const SECOND = `tick-${START / 60_000 + 2}`;
const CRON: ObjectRef = { apiVersion: "batch/v1", kind: "CronJob", namespace: "default", name: "tick" };

async function start(spec: Record<string, unknown> = {}): Promise<TestCluster> {
  const cluster = await startControllers([cronJobController()]);
  closers.push(() => cluster.close());
  await cluster.client.create({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick", namespace: "default" },
    spec: {
      schedule: "* * * * *",
      ...spec,
      jobTemplate: {
        metadata: { labels: { app: "tick" } },
        spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "tick:1" }] } } },
      },
    },
  });
  return cluster;
}

async function statusOf(cluster: TestCluster): Promise<CronJobStatus> {
  return ((await cluster.client.get(CRON))["status"] ?? {}) as CronJobStatus;
}

async function jobs(cluster: TestCluster): Promise<KubeObject[]> {
  return cluster.list("batch/v1", "Job");
}

const names = (objects: readonly KubeObject[]): (string | undefined)[] => objects.map(({ metadata }) => metadata.name);

async function finish(cluster: TestCluster, name: string, type: "Complete" | "Failed" = "Complete"): Promise<void> {
  const time = new Date(cluster.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const times = { lastProbeTime: time, lastTransitionTime: time };
  const before = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
  await cluster.setStatus(
    { apiVersion: "batch/v1", kind: "Job", namespace: "default", name },
    {
      startTime: time,
      ...(type === "Complete" ? { completionTime: time } : {}),
      conditions: [
        { type: before, status: "True", ...times },
        { type, status: "True", ...times },
      ],
    },
  );
  await cluster.clock.advance(10);
}

describe("the controller of CronJobs", () => {
  it("makes a Job at each time, named for its minute", async () => {
    const cluster = await start({ timeZone: "Asia/Kolkata" });

    await cluster.clock.advance(61_000);

    const [job] = await jobs(cluster);
    expect(job?.metadata).toMatchObject({
      name: FIRST,
      labels: { app: "tick" },
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T05:31:00+05:30" },
      ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
    });
    expect(await statusOf(cluster)).toMatchObject({
      active: [{ kind: "Job", namespace: "default", name: FIRST, apiVersion: "batch/v1", uid: job?.metadata.uid }],
      lastScheduleTime: "2026-01-01T00:01:00Z",
    });
    expect(await cluster.events()).toEqual([`Normal SuccessfulCreate: Created job ${FIRST}`]);
  });

  it("notes when a Job has succeeded", async () => {
    const cluster = await start();
    await cluster.clock.advance(61_000);

    await finish(cluster, FIRST);

    expect(await statusOf(cluster)).toEqual({
      lastScheduleTime: "2026-01-01T00:01:00Z",
      lastSuccessfulTime: "2026-01-01T00:01:01Z",
    });
    expect((await cluster.events()).at(-1)).toBe(
      `Normal SawCompletedJob: Saw completed job: ${FIRST}, condition: Complete`,
    );
  });

  it("lets Jobs run beside one another, or waits, or replaces, as it is told", async () => {
    const story = async (concurrencyPolicy: string): Promise<[(string | undefined)[], string | undefined]> => {
      const cluster = await start({ concurrencyPolicy });
      await cluster.clock.advance(121_000);
      const told = (await cluster.events()).find((event) => /JobAlreadyActive|SuccessfulDelete/.test(event));
      return [names(await jobs(cluster)), told];
    };

    expect(await story("Allow")).toEqual([[FIRST, SECOND], undefined]);
    expect(await story("Forbid")).toEqual([
      [FIRST],
      "Normal JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
    ]);
    expect(await story("Replace")).toEqual([[SECOND], `Normal SuccessfulDelete: Deleted job ${FIRST}`]);
  });

  it("keeps so many Jobs that have ended, the newest", async () => {
    const cluster = await start({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
    for (let minute = 1; minute <= 3; minute++) {
      await cluster.clock.advance(START + minute * 60_000 + 1_000 - cluster.clock.now());
      await finish(cluster, `tick-${START / 60_000 + minute}`, minute === 2 ? "Failed" : "Complete");
    }

    expect(names(await jobs(cluster))).toEqual([`tick-${START / 60_000 + 3}`]);
  });

  it("makes nothing while it is suspended, and only the last Job of those missed afterwards", async () => {
    const cluster = await start({ suspend: true });
    await cluster.clock.advance(200_000);
    expect(await jobs(cluster)).toEqual([]);

    await cluster.client.patch(CRON, { spec: { suspend: false } }, "merge");
    await cluster.clock.advance(1_000);

    expect(names(await jobs(cluster))).toEqual([`tick-${START / 60_000 + 3}`]);
  });

  it("tells when it is too late for a start", async () => {
    const cluster = await start({ suspend: true });
    await cluster.clock.advance(90_000);

    await cluster.client.patch(CRON, { spec: { suspend: false, startingDeadlineSeconds: 10 } }, "merge");
    await cluster.clock.advance(1_000);

    expect(await jobs(cluster)).toEqual([]);
  });

  it("notices when a running Job is deleted", async () => {
    const cluster = await start();
    await cluster.clock.advance(61_000);

    await cluster.client.delete({ apiVersion: "batch/v1", kind: "Job", namespace: "default", name: FIRST });
    await cluster.clock.advance(1_000);

    expect((await cluster.events()).at(-1)).toBe(`Normal MissingJob: Active job went missing: ${FIRST}`);
    expect((await statusOf(cluster)).active).toBeUndefined();
  });

  it("goes by a new schedule from its next time on", async () => {
    const cluster = await start();

    await cluster.client.patch(CRON, { spec: { schedule: "5 * * * *" } }, "merge");
    await cluster.clock.advance(301_000);

    expect(names(await jobs(cluster))).toEqual([`tick-${START / 60_000 + 5}`]);
  });
});
