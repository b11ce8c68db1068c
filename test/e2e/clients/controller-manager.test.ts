// The real kube-controller-manager with the embedded server for its API: workloads come to life, scale, roll out and go.

import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LooseObject } from "../../../fleets/apiserver/test-server.ts";
import { findKubeAssets } from "../support/real-api-server.ts";
import { type ApiSession, openSession } from "./api-session.ts";
import {
  CONTROLLERS_OF_THE_API,
  type ControllerManager,
  hasControllerManager,
  startControllerManager,
} from "./controller-manager.ts";
import { type Endpoint, startEndpoint } from "./endpoint.ts";
import { type PretendedNodes, pretendNodes } from "./pretended-nodes.ts";

const CONTROLLERS = [
  ...CONTROLLERS_OF_THE_API,
  ...["deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller"],
  ...["job-controller", "cronjob-controller", "endpointslice-controller", "endpoints-controller"],
  ...["horizontal-pod-autoscaler-controller", "disruption-controller", "resourcequota-controller"],
  ...[
    "ttl-after-finished-controller",
    "replicationcontroller-controller",
    "certificatesigningrequest-cleaner-controller",
  ],
];
/** Lines of errors and warnings that a run against any API server has. */
const EXPECTED = [
  // Kinds of dynamic resource allocation, which are not served; controllers of Pods watch them.
  /\*v1\.(ResourceClaim|ResourceClaimTemplate|ResourceSlice|DeviceClass)\b/,
  // The configuration file that nobody gave.
  /The manifest file is empty/,
  // Another writer came first, or the watch is behind its own write: the controller comes again, as designed.
  /the object has been modified; please apply your changes to the latest version/,
  /read version: \d+ is not as new as written version/,
  // It went while the controller looked at it.
  /replica_set.go:\d+\].*replicasets.apps .* not found/,
  // Nobody serves metrics here.
  /horizontal.go:\d+\].*(FailedGetResourceMetric|unable to get metrics|unable to fetch metrics|failed to get cpu)/,
];
const NODE = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { "kubernetes.io/os": "linux" } } };
const DEPLOYMENTS = "/apis/apps/v1/namespaces/live/deployments";
const REPLICA_SETS = "/apis/apps/v1/namespaces/live/replicasets";
const PODS = "/api/v1/namespaces/live/pods";

function template(app: string, image = `${app}:1`, labels: object = {}) {
  return { metadata: { labels: { app, ...labels } }, spec: { containers: [{ name: "c", image }] } };
}

function deployment(name: string, replicas: number, image?: string) {
  const spec = { replicas, selector: { matchLabels: { app: name } }, template: template(name, image) };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec };
}

function items(list: LooseObject): LooseObject[] {
  return (list["items"] ?? []) as unknown as LooseObject[];
}

/** Errors in a log, but for those that any API server would cause. */
function complaints(log: string): string[] {
  return log.split("\n").filter((line) => /^[EF]\d{4} /.test(line) && !EXPECTED.some((each) => each.test(line)));
}

function count(status: LooseObject | undefined, field: string): number {
  return Number(status?.[field] ?? 0);
}

const assets = findKubeAssets();

describe.runIf(hasControllerManager(assets))("kube-controller-manager on the embedded server", () => {
  let endpoint: Endpoint;
  let session: ApiSession;
  let manager: ControllerManager;
  let nodes: PretendedNodes;

  beforeAll(async () => {
    endpoint = await startEndpoint();
    session = await openSession(endpoint.kubeconfig);
    await session.create("/api/v1/nodes", NODE);
    // New nodes are tainted until somebody finds them ready.
    await session.merge("/api/v1/nodes/n1", { spec: { taints: null } });
    const key = join(endpoint.folder, "sa.key");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(key, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
    manager = startControllerManager({
      assets: assets!,
      kubeconfig: endpoint.kubeconfig,
      controllers: CONTROLLERS,
      args: [
        ...["--leader-elect=true", "--root-ca-file", join(endpoint.folder, "pki", "ca.crt")],
        ...["--service-account-private-key-file", key, "--horizontal-pod-autoscaler-sync-period", "2s"],
      ],
    });
    nodes = pretendNodes(session, "n1");
    await session.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "live" } });
  }, 60_000);

  afterAll(async () => {
    await nodes?.close();
    await manager?.close();
    await session?.close();
    await endpoint?.close();
  });

  async function ownedBy(collection: string, owner: LooseObject | string): Promise<LooseObject[]> {
    const uid = typeof owner === "string" ? owner : String(owner["metadata"]?.["uid"]);
    const list = await session.get(collection);
    return items(list).filter((item) =>
      ((item["metadata"]?.["ownerReferences"] ?? []) as unknown as { uid: string }[]).some((each) => each.uid === uid),
    );
  }

  /** Without those on their way out, which no status counts: their node has not let them go yet. */
  async function stayingPodsOf(set: LooseObject): Promise<LooseObject[]> {
    const pods = await ownedBy(PODS, set);
    return pods.filter((pod) => pod["metadata"]?.["deletionTimestamp"] === undefined);
  }

  async function untilAvailable(name: string, replicas: number): Promise<LooseObject> {
    return session.until(`${DEPLOYMENTS}/${name}`, (body) => {
      const status = body["status"];
      return (
        count(status, "observedGeneration") === Number(body["metadata"]?.["generation"]) &&
        count(status, "availableReplicas") === replicas &&
        count(status, "updatedReplicas") === replicas &&
        count(status, "replicas") === replicas
      );
    });
  }

  it("holds the lease of its leader", async () => {
    const path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager";
    const first = await session.until(path, (lease) => String(lease["spec"]?.["holderIdentity"] ?? "") !== "");

    await session.until(path, (lease) => lease["spec"]?.["renewTime"] !== first["spec"]?.["renewTime"]);
  });

  it("makes a Deployment's ReplicaSet and Pods, and sums up their status", async () => {
    await session.create(DEPLOYMENTS, deployment("web", 3));

    const web = await untilAvailable("web", 3);

    const sets = await ownedBy(REPLICA_SETS, web);
    expect(sets).toHaveLength(1);
    expect(await stayingPodsOf(sets[0]!)).toHaveLength(3);
    const conditions = web["status"]?.["conditions"] as unknown as { type: string; status: string }[];
    expect(conditions.find(({ type }) => type === "Available")?.status).toBe("True");
  });

  it("scales by the subresource", async () => {
    await session.merge(`${DEPLOYMENTS}/web/scale`, { spec: { replicas: 1 } });

    const web = await untilAvailable("web", 1);

    const [set] = await ownedBy(REPLICA_SETS, web);
    expect(await stayingPodsOf(set!)).toHaveLength(1);
    await session.merge(`${DEPLOYMENTS}/web/scale`, { spec: { replicas: 3 } });
    await untilAvailable("web", 3);
  });

  it("rolls a new template out", async () => {
    const patch = { spec: { template: { spec: { containers: [{ name: "c", image: "web:2" }] } } } };
    await session.merge(`${DEPLOYMENTS}/web`, patch);

    const web = await untilAvailable("web", 3);

    const sets = await ownedBy(REPLICA_SETS, web);
    expect(sets.map((set) => Number(set["spec"]?.["replicas"])).sort()).toEqual([0, 3]);
    const revisions = sets.map((set) => set["metadata"]?.["annotations"]?.["deployment.kubernetes.io/revision"]);
    expect(revisions.map(String).sort()).toEqual(["1", "2"]);
  });

  it("leaves ReplicaSets as orphans, which another Deployment adopts", async () => {
    await session.create(DEPLOYMENTS, deployment("left", 2));
    const left = await untilAvailable("left", 2);
    const [set] = await ownedBy(REPLICA_SETS, left);
    const name = String(set?.["metadata"]?.["name"]);

    await session.remove(`${DEPLOYMENTS}/left`, { propagationPolicy: "Orphan" });
    await session.untilGone(`${DEPLOYMENTS}/left`);
    const orphan = await session.get(`${REPLICA_SETS}/${name}`);
    expect(orphan["metadata"]?.["ownerReferences"]).toBeUndefined();

    await session.create(DEPLOYMENTS, deployment("left", 2));
    const next = await untilAvailable("left", 2);
    const adopted = await ownedBy(REPLICA_SETS, next);
    expect(adopted.map((each) => String(each["metadata"]?.["name"]))).toEqual([name]);
  });

  it("deletes dependents in the background", async () => {
    await session.create(DEPLOYMENTS, deployment("back", 2));
    const back = await untilAvailable("back", 2);
    const [set] = await ownedBy(REPLICA_SETS, back);

    const answer = await session.remove(`${DEPLOYMENTS}/back`, { propagationPolicy: "Background" });

    expect(answer.body["status"]).toBe("Success");
    await session.untilGone(`${REPLICA_SETS}/${set?.["metadata"]?.["name"]}`);
    await session.until(`${PODS}?labelSelector=app%3Dback`, (list) => items(list).length === 0);
  });

  it("deletes an owner in the foreground after its dependents", async () => {
    await session.create(DEPLOYMENTS, deployment("front", 2));
    const front = await untilAvailable("front", 2);
    const [set] = await ownedBy(REPLICA_SETS, front);

    const answer = await session.remove(`${DEPLOYMENTS}/front`, { propagationPolicy: "Foreground" });

    expect(answer.body["metadata"]?.["finalizers"]).toEqual(["foregroundDeletion"]);
    await session.untilGone(`${DEPLOYMENTS}/front`);
    expect((await session.call("GET", `${REPLICA_SETS}/${set?.["metadata"]?.["name"]}`)).status).toBe(404);
    expect(items(await session.get(`${PODS}?labelSelector=app%3Dfront`))).toEqual([]);
  });

  it("makes the Pods and claims of a StatefulSet in order", async () => {
    const container = { name: "c", image: "db:1", volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const path = "/apis/apps/v1/namespaces/live/statefulsets";
    await session.create(path, {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db" },
      spec: {
        replicas: 2,
        serviceName: "db",
        selector: { matchLabels: { app: "db" } },
        template: { metadata: { labels: { app: "db" } }, spec: { containers: [container] } },
        volumeClaimTemplates: [claim],
      },
    });

    await session.until(`${path}/db`, (set) => count(set["status"], "readyReplicas") === 2);

    const pods = items(await session.get(`${PODS}?labelSelector=app%3Ddb`));
    expect(pods.map((pod) => String(pod["metadata"]?.["name"]))).toEqual(["db-0", "db-1"]);
    const claims = items(await session.get("/api/v1/namespaces/live/persistentvolumeclaims"));
    expect(claims.map((each) => String(each["metadata"]?.["name"]))).toEqual(["data-db-0", "data-db-1"]);
  });

  it("runs a DaemonSet's Pod on the node", async () => {
    const path = "/apis/apps/v1/namespaces/live/daemonsets";
    const spec = { selector: { matchLabels: { app: "agent" } }, template: template("agent") };
    await session.create(path, { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent" }, spec });

    await session.until(`${path}/agent`, (set) => count(set["status"], "numberAvailable") === 1);
  });

  it("completes Jobs, and cleans them up after their time", async () => {
    const path = "/apis/batch/v1/namespaces/live/jobs";
    const pod = template("task", "task:1", { run: "once" });
    const job = (name: string, spec: object) => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name },
      spec: { ...spec, template: { ...pod, spec: { ...pod.spec, restartPolicy: "Never" } } },
    });
    await session.create(path, job("task", { completions: 2, parallelism: 2 }));
    await session.create(path, job("brief", { ttlSecondsAfterFinished: 0 }));

    const done = await session.until(`${path}/task`, (each) => count(each["status"], "succeeded") === 2);
    const finished = await session.until(`${path}/task`, (each) => each["status"]?.["completionTime"] !== undefined);

    expect(count(done["status"], "failed")).toBe(0);
    const conditions = finished["status"]?.["conditions"] as unknown as { type: string; status: string }[];
    expect(conditions.filter(({ status }) => status === "True").map(({ type }) => type)).toContain("Complete");
    await session.untilGone(`${path}/brief`);
  });

  it("makes the Job of a CronJob that is due", async () => {
    const path = "/apis/batch/v1/namespaces/live/cronjobs";
    const pod = { ...template("hourly").spec, restartPolicy: "Never" };
    await session.create(path, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "due" },
      spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: { spec: pod } } } },
    });
    // Nobody waits for the turn of the year: the last time is said to be long ago.
    await session.merge(`${path}/due/status`, { status: { lastScheduleTime: "2020-01-01T00:00:00Z" } });

    const due = await session.until(`${path}/due`, ({ status }) => Number(status?.["active"]?.["length"] ?? 0) === 1);

    expect(await ownedBy("/apis/batch/v1/namespaces/live/jobs", due)).toHaveLength(1);
  });

  it("follows a Service's Pods in its EndpointSlice", async () => {
    const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
    await session.create("/api/v1/namespaces/live/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec,
    });

    const slices = "/apis/discovery.k8s.io/v1/namespaces/live/endpointslices";
    await session.until(`${slices}?labelSelector=kubernetes.io%2Fservice-name%3Dweb`, (list) => {
      const endpoints = items(list).flatMap((slice) => (slice["endpoints"] ?? []) as unknown as LooseObject[]);
      return endpoints.filter((each) => each["conditions"]?.["ready"] === (true as unknown)).length === 3;
    });
  });

  it("counts disruptions that are allowed, and what quotas cover", async () => {
    const budgets = "/apis/policy/v1/namespaces/live/poddisruptionbudgets";
    const quotas = "/api/v1/namespaces/live/resourcequotas";
    await session.create(budgets, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "web" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
    });
    await session.create(quotas, {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "all" },
      spec: { hard: { "count/deployments.apps": "9", services: "5" } },
    });

    await session.until(`${budgets}/web`, ({ status }) => count(status, "disruptionsAllowed") === 2);
    await session.until(`${quotas}/all`, ({ status }) => String(status?.["used"]?.["services"]) === "1");
  });

  it("says of an autoscaler that it has no metrics", async () => {
    const path = "/apis/autoscaling/v2/namespaces/live/horizontalpodautoscalers";
    const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } };
    await session.create(path, {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "web" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        maxReplicas: 4,
        metrics: [{ type: "Resource", resource }],
      },
    });

    await session.until(`${path}/web`, (scaler) => {
      const conditions = (scaler["status"]?.["conditions"] ?? []) as unknown as { type: string; status: string }[];
      return conditions.some(({ type, status }) => type === "ScalingActive" && status === "False");
    });
  });

  it("fills the Secret of a service account's token", async () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/service-account-token",
      metadata: { name: "token", annotations: { "kubernetes.io/service-account.name": "default" } },
    };
    await session.until("/api/v1/namespaces/live/serviceaccounts/default", () => true);
    await session.create("/api/v1/namespaces/live/secrets", secret);

    await session.until("/api/v1/namespaces/live/secrets/token", ({ data }) => data?.["token"] !== undefined);
  });

  it("has nothing to complain of", () => {
    expect(complaints(manager.log())).toEqual([]);
    expect(manager.exitCode).toBeNull();
  });

  it("empties a namespace that is deleted", async () => {
    const before = manager.log().length;

    await session.remove("/api/v1/namespaces/live");

    await session.untilGone("/api/v1/namespaces/live");
    expect(items(await session.get("/api/v1/pods"))).toEqual([]);
    expect(items(await session.get("/apis/apps/v1/replicasets"))).toEqual([]);
    // Its controllers may come too late for something.
    const late = /not found|being terminated|being deleted|Error getting updated StatefulSet from lister/;
    expect(complaints(manager.log().slice(before)).filter((line) => !late.test(line))).toEqual([]);
  });
});
