import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import type { ControllerRevision } from "../revisions/controller-revisions.ts";
import { planStatefulSet, type StatefulSetPlan } from "./stateful-set-plan.ts";
import type { Revisions } from "./stateful-set-spec.ts";
import { statefulSetStatus } from "./stateful-set-status.ts";

const NOW = Date.UTC(2026, 0, 1);

function set(spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default", uid: "set", generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "db:1" }] } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    },
    status,
  };
}

function revision(name: string): ControllerRevision {
  const template = { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: name }] } };
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name },
    data: { spec: { template: { ...template, $patch: "replace" } } },
    revision: 1,
  };
}

const SAME: Revisions = { current: revision("db-1"), update: revision("db-1") };
const MOVING: Revisions = { current: revision("db-1"), update: revision("db-2") };

type State = "ready" | "running" | "pending" | "failed" | "succeeded" | "going";

function pod(ordinal: number, state: State = "ready", of = "db-1", readySinceMs = NOW): KubeObject {
  const phase = { ready: "Running", running: "Running", pending: "Pending", failed: "Failed", succeeded: "Succeeded" };
  const isReady = state === "ready" || state === "going";
  const lastTransitionTime = new Date(readySinceMs).toISOString();
  const name = `db-${ordinal}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      labels: { "controller-revision-hash": of, "statefulset.kubernetes.io/pod-name": name },
      ...(state === "going" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    status: {
      phase: state === "going" ? "Running" : phase[state],
      conditions: [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime }],
    },
  };
}

/** What is done, in order, as far as a set that goes by order comes. */
function story({ stages, isOrdered, replaced }: StatefulSetPlan): string[] {
  const told: string[] = [];
  for (const turns of stages)
    for (const { steps, blocks } of turns) {
      for (const step of steps)
        if (step.do !== "mend" && step.do !== "mend-claims") told.push(`${step.do} ${step.pod.metadata.name}`);
      if (blocks && isOrdered) return told;
    }
  if (replaced !== undefined) told.push(`replace ${replaced.metadata.name}`);
  return told;
}

const PARALLEL = { podManagementPolicy: "Parallel" };

describe("planStatefulSet", () => {
  it.each<[string, Record<string, unknown>, KubeObject[], string[]]>([
    ["creates the first Pod alone", {}, [], ["create db-0"]],
    ["waits for a Pod that is not ready", {}, [pod(0, "running")], []],
    ["creates the claims that a Pending Pod lacks", {}, [pod(0, "pending")], ["complete-claims db-0"]],
    ["goes on when all below are ready", {}, [pod(0), pod(1)], ["create db-2"]],
    ["fills a gap first", {}, [pod(0), pod(2)], ["create db-1"]],
    ["replaces a Pod that failed", {}, [pod(0, "failed"), pod(1), pod(2)], ["delete db-0"]],
    ["replaces a Pod that succeeded", {}, [pod(0), pod(1, "succeeded"), pod(2)], ["delete db-1"]],
    ["waits for a Pod on its way out", {}, [pod(0, "going"), pod(1), pod(2)], []],
    ["creates all at once in parallel", PARALLEL, [], ["create db-0", "create db-1", "create db-2"]],
    ["starts at the first ordinal", { replicas: 1, ordinals: { start: 5 } }, [], ["create db-5"]],
    ["removes the highest alone", { replicas: 1 }, [pod(0), pod(1), pod(2)], ["delete db-2"]],
    ["removes nothing while one below is not ready", { replicas: 1 }, [pod(0, "running"), pod(1), pod(2)], []],
    ["removes one that is the only one unready", { replicas: 1 }, [pod(0), pod(1, "running")], ["delete db-1"]],
    ["waits for the higher before the lower", { replicas: 1 }, [pod(0), pod(1), pod(2, "going")], []],
    [
      "removes all at once in parallel",
      { replicas: 1, ...PARALLEL },
      [pod(0, "running"), pod(1), pod(2)],
      ["delete db-2", "delete db-1"],
    ],
    [
      "removes those below the first ordinal",
      { replicas: 1, ordinals: { start: 1 } },
      [pod(0), pod(1)],
      ["delete db-0"],
    ],
    ["waits until Pods are available", { minReadySeconds: 10 }, [pod(0)], []],
    ["knows when they are", { minReadySeconds: 10 }, [pod(0, "ready", "db-1", NOW - 10_000)], ["create db-1"]],
  ])("%s", (_what, spec, pods, expected) => {
    expect(story(planStatefulSet(set(spec), SAME, pods, NOW))).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, KubeObject[], string[]]>([
    ["begins at the highest", {}, [pod(0), pod(1), pod(2)], ["replace db-2"]],
    ["goes down", {}, [pod(0), pod(1), pod(2, "ready", "db-2")], ["replace db-1"]],
    ["waits for the new one", {}, [pod(0), pod(1), pod(2, "running", "db-2")], []],
    ["in parallel, waits for the new one too", PARALLEL, [pod(0), pod(1), pod(2, "running", "db-2")], []],
    ["in parallel, replaces one at a time", PARALLEL, [pod(0), pod(1), pod(2)], ["replace db-2"]],
    [
      "stops at the partition",
      { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      [pod(0), pod(1), pod(2, "ready", "db-2")],
      [],
    ],
    ["leaves it to the user", { updateStrategy: { type: "OnDelete" } }, [pod(0), pod(1), pod(2)], []],
  ])("with a new revision %s", (_what, spec, pods, expected) => {
    expect(story(planStatefulSet(set(spec), MOVING, pods, NOW))).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ["below the partition are of the current revision", { rollingUpdate: { partition: 2 } }, 1, "db-1"],
    ["at the partition are of the new one", { rollingUpdate: { partition: 1 } }, 1, "db-2"],
    ["left to the user are of the new one", { type: "OnDelete", rollingUpdate: undefined }, 1, "db-2"],
  ])("has Pods made that %s", (_what, strategy, missing, expected) => {
    const plan = planStatefulSet(
      set({ updateStrategy: { type: "RollingUpdate", ...strategy } }),
      MOVING,
      [0, 1, 2].filter((ordinal) => ordinal !== missing).map((ordinal) => pod(ordinal)),
      NOW,
    );

    const made = plan.replicas[missing];
    expect(made?.metadata.labels?.["controller-revision-hash"]).toBe(expected);
    expect(made?.["spec"]).toMatchObject({ containers: [{ image: expected }] });
  });

  it("does nothing for a set on its way out", () => {
    const leaving = set();
    leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";

    expect(story(planStatefulSet(leaving, SAME, [], NOW))).toEqual([]);
  });

  it("makes Pods with the identity and the claims of their place", () => {
    const claims = { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }], serviceName: "dbs" };
    const [first] = planStatefulSet(set(claims), SAME, [], NOW).replicas;

    expect(first?.metadata).toMatchObject({
      name: "db-0",
      generateName: "db-",
      labels: {
        app: "db",
        "statefulset.kubernetes.io/pod-name": "db-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": "db-1",
      },
    });
    expect(first?.["spec"]).toMatchObject({
      hostname: "db-0",
      subdomain: "dbs",
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-db-0" } }],
    });
  });
});

describe("statefulSetStatus", () => {
  const details = { collisionCount: 0, replaced: 0, nowMs: NOW };

  it("counts what is there, and of the revisions what stays", () => {
    const pods = [pod(0), pod(1, "running"), pod(2, "going"), pod(3, "ready", "db-2")];

    expect(statefulSetStatus(set({ replicas: 4 }), MOVING, pods, details)).toMatchObject({
      replicas: 4,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 2,
      updatedReplicas: 1,
      currentRevision: "db-1",
      updateRevision: "db-2",
    });
  });

  it("takes the new revision for the current one when every Pod is of it and ready", () => {
    const pods = [0, 1, 2].map((ordinal) => pod(ordinal, "ready", "db-2"));

    expect(statefulSetStatus(set(), MOVING, pods, details)).toMatchObject({
      currentReplicas: 3,
      currentRevision: "db-2",
    });
    // As Kubernetes: never where the user deletes the Pods.
    expect(statefulSetStatus(set({ updateStrategy: { type: "OnDelete" } }), MOVING, pods, details)).toMatchObject({
      currentReplicas: 0,
      currentRevision: "db-1",
    });
  });
});
