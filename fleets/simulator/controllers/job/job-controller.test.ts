import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { startControllers, type TestCluster } from "../test-cluster.ts";
import { jobController } from "./job-controller.ts";
import type { JobStatus } from "./job-object.ts";
import { jobPodRelease } from "./job-pod-release.ts";
import { ttlController } from "./ttl-controller.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const START = Date.UTC(2026, 0, 1);
const JOB: ObjectRef = { apiVersion: "batch/v1", kind: "Job", namespace: "default", name: "sum" };

async function start(spec: Record<string, unknown>, restartPolicy = "Never"): Promise<TestCluster> {
  const cluster = await startControllers([jobController(), jobPodRelease(), ttlController()]);
  closers.push(() => cluster.close());
  await cluster.client.create({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "sum", namespace: "default" },
    spec: {
      ...spec,
      template: { spec: { nodeName: "worker", restartPolicy, containers: [{ name: "c", image: "sum:1" }] } },
    },
  });
  await cluster.clock.advance(2_000);
  return cluster;
}

async function pods(cluster: TestCluster): Promise<KubeObject[]> {
  return cluster.list("v1", "Pod");
}

async function statusOf(cluster: TestCluster): Promise<JobStatus> {
  return ((await cluster.client.get(JOB))["status"] ?? {}) as JobStatus;
}

/** `type=status reason: message` of each condition. */
async function conditions(cluster: TestCluster): Promise<string[]> {
  const { conditions: all = [] } = await statusOf(cluster);
  return all.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);
}

function refTo(pod: KubeObject): ObjectRef {
  return { apiVersion: "v1", kind: "Pod", namespace: "default", name: pod.metadata.name ?? "" };
}

async function end(cluster: TestCluster, pod: KubeObject, exitCode: number): Promise<void> {
  const finishedAt = new Date(cluster.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  await cluster.setStatus(refTo(pod), {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [
      {
        name: "c",
        image: "sum:1",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode, finishedAt } },
      },
    ],
  });
  await cluster.clock.advance(2_000);
}

const alive = (pod: KubeObject): boolean => (pod["status"] as { phase?: string }).phase === "Pending";
const indexOf = (pod: KubeObject): string | undefined =>
  pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"];

describe("the controller of Jobs", () => {
  it("makes as many Pods as may run at once, owned by the Job and kept until they are counted", async () => {
    const cluster = await start({ parallelism: 2, completions: 3 });

    const made = await pods(cluster);

    expect(made).toHaveLength(2);
    expect(made[0]?.metadata).toMatchObject({
      generateName: "sum-",
      finalizers: ["batch.kubernetes.io/job-tracking"],
      labels: { "batch.kubernetes.io/job-name": "sum", "job-name": "sum" },
      ownerReferences: [{ kind: "Job", name: "sum", controller: true, blockOwnerDeletion: true }],
    });
    expect(await statusOf(cluster)).toEqual({
      active: 2,
      ready: 0,
      terminating: 0,
      startTime: "2026-01-01T00:00:00Z",
      uncountedTerminatedPods: {},
    });
    expect((await cluster.events()).sort()).toEqual(
      made.map((pod) => `Normal SuccessfulCreate: Created pod: ${pod.metadata.name}`).sort(),
    );
  });

  it("counts Pods that succeed, releases them, and is complete with the last", async () => {
    const cluster = await start({ parallelism: 2, completions: 3 });

    await end(cluster, (await pods(cluster))[0]!, 0);
    expect(await statusOf(cluster)).toMatchObject({ active: 2, succeeded: 1, uncountedTerminatedPods: {} });
    for (const pod of (await pods(cluster)).filter(alive)) await end(cluster, pod, 0);

    const status = await statusOf(cluster);
    expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, completionTime: expect.any(String) });
    expect(status.active).toBeUndefined();
    expect(await conditions(cluster)).toEqual([
      "SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods",
      "Complete=True CompletionsReached: Reached expected number of succeeded pods",
    ]);
    expect((await pods(cluster)).map((pod) => pod.metadata.finalizers)).toEqual([undefined, undefined, undefined]);
    expect((await cluster.events()).at(-1)).toBe("Normal Completed: Job completed");
  });

  it("tells each step of the count in the status: named as uncounted first", async () => {
    const cluster = await start({});
    const story: string[] = [];
    const [pod] = await pods(cluster);

    await cluster.setStatus(refTo(pod!), { phase: "Succeeded" });
    await cluster.clock.runUntil(async () => {
      story.push(JSON.stringify((await statusOf(cluster)).uncountedTerminatedPods));
      return (await statusOf(cluster)).succeeded === 1;
    }, 5_000);

    expect(new Set(story)).toContain("{}");
    expect((await statusOf(cluster)).uncountedTerminatedPods).toEqual({});
  });

  it("waits ten seconds before it replaces a Pod that failed, then twenty, and gives up at its limit", async () => {
    const cluster = await start({ backoffLimit: 2 });
    const madeAfter: number[] = [];
    for (let failure = 0; failure < 2; failure++) {
      const [pod] = (await pods(cluster)).filter(alive);
      const failedAt = cluster.clock.now();
      await end(cluster, pod!, 1);
      await cluster.clock.runUntil(async () => (await pods(cluster)).some(alive), 60_000);
      madeAfter.push((cluster.clock.now() - failedAt) / 1000);
    }
    const [last] = (await pods(cluster)).filter(alive);
    await end(cluster, last!, 1);

    expect(madeAfter.map(Math.round)).toEqual([10, 20]);
    expect(await statusOf(cluster)).toMatchObject({ failed: 3, ready: 0, terminating: 0 });
    expect(await conditions(cluster)).toEqual([
      "FailureTarget=True BackoffLimitExceeded: Job has reached the specified backoff limit",
      "Failed=True BackoffLimitExceeded: Job has reached the specified backoff limit",
    ]);
    expect((await cluster.events()).at(-1)).toBe(
      "Warning BackoffLimitExceeded: Job has reached the specified backoff limit",
    );
  });

  it("gives each Pod of an Indexed Job its index, host name, label, annotation and variable", async () => {
    const cluster = await start({ completionMode: "Indexed", completions: 3, parallelism: 2 });

    const made = await pods(cluster);

    expect(made.map((pod) => pod.metadata.generateName)).toEqual(["sum-0-", "sum-1-"]);
    expect(made.map((pod) => pod.metadata.labels?.["batch.kubernetes.io/job-completion-index"])).toEqual(["0", "1"]);
    expect(made[1]?.["spec"]).toMatchObject({
      hostname: "sum-1",
      containers: [
        {
          env: [
            {
              name: "JOB_COMPLETION_INDEX",
              valueFrom: {
                fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" },
              },
            },
          ],
        },
      ],
    });
    await end(cluster, made[1]!, 0);
    expect(await statusOf(cluster)).toMatchObject({ completedIndexes: "1", succeeded: 1, active: 2 });
    expect((await pods(cluster)).filter(alive).map(indexOf)).toEqual(["0", "2"]);
  });

  it("fails single indexes by their own limit, and the Job when all have ended", async () => {
    const cluster = await start({ completionMode: "Indexed", completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
    const first = (index: string) => async (): Promise<KubeObject> =>
      (await pods(cluster)).find((pod) => alive(pod) && indexOf(pod) === index)!;

    await end(cluster, await first("0")(), 1);
    await cluster.clock.advance(15_000);
    const replacement = await first("0")();
    expect(replacement.metadata.annotations).toMatchObject({ "batch.kubernetes.io/job-index-failure-count": "1" });
    await end(cluster, replacement, 1);
    expect(await statusOf(cluster)).toMatchObject({ failedIndexes: "0", failed: 2, active: 1 });
    await end(cluster, await first("1")(), 0);

    expect(await statusOf(cluster)).toMatchObject({ completedIndexes: "1", failedIndexes: "0", succeeded: 1 });
    expect((await conditions(cluster)).at(-1)).toBe("Failed=True FailedIndexes: Job has failed indexes");
  });

  it("fails at once when a rule of its failure policy says so, and names the container", async () => {
    const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
    const cluster = await start({ parallelism: 2, completions: 2, podFailurePolicy: { rules } });
    const [one, two] = await pods(cluster);

    await end(cluster, one!, 42);

    const message = `Container c for pod default/${one?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`;
    expect(await conditions(cluster)).toEqual([`FailureTarget=True PodFailurePolicy: ${message}`]);
    // The other Pod has been deleted, and its kubelet has not ended it yet.
    expect(await statusOf(cluster)).toMatchObject({ failed: 2, terminating: 1 });
    await cluster.client.raw("DELETE", `/api/v1/namespaces/default/pods/${two?.metadata.name}`, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      gracePeriodSeconds: 0,
    });
    await cluster.clock.advance(2_000);
    expect((await conditions(cluster)).at(-1)).toBe(`Failed=True PodFailurePolicy: ${message}`);
  });

  it("succeeds by its success policy, and deletes the Pods that are left", async () => {
    const cluster = await start({
      completionMode: "Indexed",
      completions: 3,
      parallelism: 3,
      successPolicy: { rules: [{ succeededIndexes: "1-2", succeededCount: 1 }] },
    });
    const made = await pods(cluster);

    await end(cluster, made[1]!, 0);

    expect(await conditions(cluster)).toEqual(["SuccessCriteriaMet=True SuccessPolicy: Matched rules at index 0"]);
    expect((await pods(cluster)).filter((pod) => pod.metadata.deletionTimestamp === undefined)).toHaveLength(1);
  });

  it("deletes its Pods when it is suspended, and makes new ones when it goes on", async () => {
    const cluster = await start({ parallelism: 2, completions: 2 });

    await cluster.client.patch(JOB, { spec: { suspend: true } }, "merge");
    await cluster.clock.advance(1_000);
    expect(await conditions(cluster)).toEqual(["Suspended=True JobSuspended: Job suspended"]);
    expect((await statusOf(cluster)).startTime).toBeUndefined();
    expect((await pods(cluster)).every((pod) => pod.metadata.deletionTimestamp !== undefined)).toBe(true);
    await cluster.client.patch(JOB, { spec: { suspend: false } }, "merge");
    await cluster.clock.advance(2_000);

    expect(await conditions(cluster)).toEqual(["Suspended=False JobResumed: Job resumed"]);
    expect((await pods(cluster)).filter((pod) => pod.metadata.deletionTimestamp === undefined)).toHaveLength(2);
    expect((await statusOf(cluster)).failed).toBeUndefined();
  });

  it("fails at its deadline", async () => {
    const cluster = await start({ activeDeadlineSeconds: 30 });

    await cluster.clock.advance(START + 31_000 - cluster.clock.now());

    expect(await conditions(cluster)).toEqual([
      "FailureTarget=True DeadlineExceeded: Job was active longer than specified deadline",
    ]);
  });

  it("counts restarts in place against the limit", async () => {
    const cluster = await start({ backoffLimit: 2 }, "OnFailure");
    const [pod] = await pods(cluster);
    const restarted = (restartCount: number): Record<string, unknown> => ({
      phase: "Running",
      containerStatuses: [{ name: "c", image: "sum:1", imageID: "", ready: false, restartCount }],
    });

    await cluster.setStatus(refTo(pod!), restarted(1));
    await cluster.clock.advance(2_000);
    expect(await conditions(cluster)).toEqual([]);
    await cluster.setStatus(refTo(pod!), restarted(2));
    await cluster.clock.advance(2_000);

    expect((await conditions(cluster))[0]).toMatch(/^FailureTarget=True BackoffLimitExceeded/);
  });

  it("goes with its Pods when its time after the end is over", async () => {
    const cluster = await start({ ttlSecondsAfterFinished: 60 });
    await end(cluster, (await pods(cluster))[0]!, 0);

    await cluster.clock.advance(50_000);
    expect(await cluster.list("batch/v1", "Job")).toHaveLength(1);
    await cluster.clock.advance(15_000);

    expect(await cluster.list("batch/v1", "Job")).toEqual([]);
    expect(await pods(cluster)).toEqual([]);
  });

  it("lets Pods go when the Job is deleted without them", async () => {
    const cluster = await start({});

    await cluster.client.raw("DELETE", "/apis/batch/v1/namespaces/default/jobs/sum", {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Orphan",
    });
    await cluster.clock.advance(2_000);

    const [pod] = await pods(cluster);
    expect(pod?.metadata.finalizers).toBeUndefined();
    expect(pod?.metadata.ownerReferences).toBeUndefined();
  });

  it("adopts a Pod that it selects and nobody controls, and counts it", async () => {
    const cluster = await start({});
    const before = (await pods(cluster))[0]!;
    await cluster.client.raw("DELETE", "/apis/batch/v1/namespaces/default/jobs/sum", {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Orphan",
    });
    await cluster.clock.advance(2_000);
    const labels = { "batch.kubernetes.io/job-name": "sum", "job-name": "sum" };
    await cluster.client.create({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "sum", namespace: "default" },
      spec: {
        manualSelector: true,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { restartPolicy: "Never", containers: [{ name: "c", image: "sum:1" }] },
        },
      },
    });
    await cluster.clock.advance(2_000);

    const [pod, ...others] = await pods(cluster);
    expect(others).toEqual([]);
    expect(pod?.metadata).toMatchObject({
      uid: before.metadata.uid,
      finalizers: ["batch.kubernetes.io/job-tracking"],
      ownerReferences: [{ kind: "Job", name: "sum", controller: true }],
    });
    await end(cluster, pod!, 0);
    expect((await conditions(cluster)).at(-1)).toMatch(/^Complete=True/);
  });

  it("goes on after a restart where it was", async () => {
    const cluster = await start({ parallelism: 2, completions: 2 });

    cluster.restart([jobController(), jobPodRelease(), ttlController()]);
    for (const pod of await pods(cluster)) await end(cluster, pod, 0);

    expect(await pods(cluster)).toHaveLength(2);
    expect((await conditions(cluster)).at(-1)).toMatch(/^Complete=True/);
  });
});
