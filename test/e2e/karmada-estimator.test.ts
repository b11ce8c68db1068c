// Our answers beside those of Karmada's own estimator, over the same API server and by the same protocol. Needs
// karmada-scheduler-estimator: KARMADA_ESTIMATOR=FILE, built with tag kubernetes_protomessage_one_more_release.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Component, NodeClaim, ReplicaRequirements } from "../../api/work.ts";
import { listen } from "../../fleets/apiserver/http/listener.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { CapacityWatch } from "../../fleets/capacity-watch.ts";
import { LocalEstimator } from "../../fleets/estimator/local-estimator.ts";
import type { PendingWorkload } from "../../fleets/estimator/messages.ts";
import { RemoteEstimators } from "../../fleets/estimator/remote-estimators.ts";
import { Member } from "../../fleets/member.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/real-api-server.ts";

const BINARY = process.env["KARMADA_ESTIMATOR"] ?? "";
const SEED = Number(process.env["ESTIMATOR_SEED"] ?? Date.now() % 1_000_000);
const QUESTIONS = Number(process.env["ESTIMATOR_CASES"] ?? 300);
const present = existsSync(BINARY);
if (!present) console.log("skipped: KARMADA_ESTIMATOR names no karmada-scheduler-estimator");

const NODES = Array.from({ length: 12 }, (_, index) => `node-${String(index).padStart(2, "0")}`);
const TAINTS = [
  { key: "dedicated", value: "gpu", effect: "NoSchedule" },
  { key: "flaky", effect: "NoExecute" },
  { key: "slow", effect: "PreferNoSchedule" },
];

describe.runIf(present)(`Karmada's estimator and ours (ESTIMATOR_SEED=${SEED})`, () => {
  const dice = new Dice(SEED);
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-karmada-"));
  const closers: (() => unknown)[] = [];
  let theirs: RemoteEstimators;
  let ours: LocalEstimator;

  beforeAll(async () => {
    const server = await createApiServer({ name: "member1", clock: systemClock, logger: silentLogger });
    const listener = await listen(new Map([["", server]]), {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, listener.adminKubeconfig());
    await fill(new KubeClient(server.handle), dice);
    const member = new Member({ name: "member1", transport: server.handle, clock: systemClock, logger: silentLogger });
    const details = { arithmetic: "karmada", quotas: true } as const;
    const capacity = new CapacityWatch(member, systemClock, silentLogger, details);
    capacity.start();
    await capacity.synced();
    ours = new LocalEstimator({ cluster: () => capacity.estimated, assumed: true });
    const [port] = await freePorts(1);
    const child = startKarmada(kubeconfig, port ?? 0);
    theirs = new RemoteEstimators({
      timeoutMs: 10_000,
      resolve: async () => [`127.0.0.1:${port}`],
      tls: () => undefined,
      clock: systemClock,
      logger: silentLogger,
    });
    theirs.add("member1");
    closers.push(
      () => server.close(),
      () => listener.close(),
      () => capacity.stop(),
      () => child.kill(),
      () => theirs.close(),
    );
    await eventually(() => expect(theirs.has("member1")).toBe(true), { withinMs: 30_000 });
  }, 60_000);

  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("say the same of single replicas, whatever they ask for and what is on its way", async () => {
    for (let each = 0; each < QUESTIONS; each++) {
      const requirements = dice.chance(0.95)
        ? { namespace: dice.pick(["shop", "other"]), ...randomNeeds(dice) }
        : undefined;
      const assumed = randomAssumed(dice);

      const answers = await theirs.replicas(["member1"], requirements, () => assumed, "web");

      const own = ours.replicas({ cluster: "member1", requirements, assumed });
      expect(own, JSON.stringify({ requirements, assumed })).toBe(answers.get("member1"));
    }
  });

  it("say the same of sets, where the order of nodes makes no difference", async () => {
    for (let each = 0; each < QUESTIONS; each++) {
      // Of one component alone each node takes what it takes.
      const components = [{ name: "only", replicas: 1, replicaRequirements: randomNeeds(dice) }];
      const namespace = dice.pick(["shop", "other"]);

      const answers = await theirs.sets(["member1"], { namespace, components }, () => [], "web");

      const own = ours.sets({ cluster: "member1", namespace, components, assumed: [] });
      expect(own, JSON.stringify({ namespace, components })).toBe(answers.get("member1"));
    }
  });

  function startKarmada(kubeconfig: string, port: number): ChildProcess {
    const gates = "ResourceQuotaEstimate=true,SchedulingOvercommitProtection=true";
    const where = ["--kubeconfig", kubeconfig, "--cluster-name", "member1", "--server-port", String(port)];
    const quiet = ["--metrics-bind-address", "0", "--health-probe-bind-address", "0"];
    return spawn(
      BINARY,
      [...where, ...quiet, "--feature-gates", gates, "--kube-api-qps", "200", "--kube-api-burst", "300"],
      {
        stdio: "ignore",
      },
    );
  }
});

async function fill(client: KubeClient, dice: Dice): Promise<void> {
  for (const name of ["shop", "other"])
    await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const name of NODES) {
    const labels = {
      disk: dice.pick(["ssd", "hdd"]),
      tier: dice.pick(["a", "b"]),
      cores: dice.pick(["4", "16", "many"]),
    };
    const spec = dice.chance(0.1) ? { unschedulable: true } : {};
    await client.create({ apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec });
    await client.patch(
      { apiVersion: "v1", kind: "Node", name },
      { spec: { taints: dice.some(TAINTS, 0.15) } },
      "merge",
    );
    const allocatable = {
      cpu: dice.pick(["4", "7500m", "16"]),
      memory: dice.pick(["4Gi", "9000M", "64Gi"]),
      pods: String(dice.pick([10, 30, 110])),
      ...(dice.chance(0.5) ? { "ephemeral-storage": dice.pick(["1G", "10Gi"]) } : {}),
      ...(dice.chance(0.4) ? { "example.com/gpu": "4" } : {}),
    };
    await status(client, { kind: "Node", name }, { allocatable });
  }
  for (let each = 0; each < 60; each++) {
    const name = `pod-${each}`;
    const container = (own: string, more: object = {}): object => {
      const requests = { cpu: dice.pick(["50m", "250m", "1"]), memory: dice.pick(["16Mi", "300M"]) };
      return { name: own, image: "i", resources: { requests }, ...more };
    };
    const spec = {
      ...(dice.chance(0.85) ? { nodeName: dice.pick([...NODES, "gone"]) } : {}),
      containers: [container("a"), ...(dice.chance(0.3) ? [container("b")] : [])],
      initContainers: dice.chance(0.3) ? [container("c"), container("d", { restartPolicy: "Always" })] : [],
    };
    await client.create({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" }, spec });
    await status(
      client,
      { kind: "Pod", namespace: "shop", name },
      { phase: dice.pick(["Running", "Pending", "Failed"]) },
    );
  }
  const high = { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }] };
  for (const [name, hard, used, more] of [
    ["all", { cpu: "20", "requests.memory": "40Gi" }, { cpu: "3500m", "requests.memory": "1Gi" }, {}],
    ["gpu", { "requests.example.com/gpu": "5" }, { "requests.example.com/gpu": "1" }, { scopeSelector: high }],
  ] as const) {
    const metadata = { name, namespace: "shop" };
    await client.create({ apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard, ...more } });
    await status(client, { kind: "ResourceQuota", namespace: "shop", name }, { hard, used });
  }
}

async function status(
  client: KubeClient,
  ref: { readonly kind: string; readonly namespace?: string; readonly name: string },
  value: object,
): Promise<void> {
  await client.patch({ apiVersion: "v1", namespace: undefined, ...ref }, { status: value }, "merge", {
    subresource: "status",
  });
}

function randomNeeds(dice: Dice): Omit<ReplicaRequirements, "namespace"> {
  const resourceRequest: Record<string, string> = {};
  if (dice.chance(0.8)) resourceRequest["cpu"] = dice.pick(["0", "50m", "0.3", "700m", "100u"]);
  if (dice.chance(0.7)) resourceRequest["memory"] = dice.pick(["16Mi", "300M", "1500m"]);
  if (dice.chance(0.2)) resourceRequest["ephemeral-storage"] = dice.pick(["100M", "1Gi"]);
  if (dice.chance(0.2)) resourceRequest["example.com/gpu"] = dice.pick(["1", "3"]);
  return {
    resourceRequest,
    ...(dice.chance(0.5) ? { nodeClaim: randomClaim(dice) } : {}),
    ...(dice.chance(0.4) ? { priorityClassName: dice.pick(["high", "low"]) } : {}),
  };
}

function randomClaim(dice: Dice): NodeClaim {
  const expressions = [
    { key: "tier", operator: "In", values: ["a"] },
    { key: "tier", operator: "NotIn", values: ["a"] },
    { key: "cores", operator: "Gt", values: ["8"] },
    { key: "rack", operator: "DoesNotExist" },
    { key: "tier", operator: "Like", values: ["a"] },
    { key: "tier", operator: "In", values: [] },
  ];
  const tolerations = [
    { key: "dedicated", operator: "Equal", value: dice.pick(["gpu", "db"]), effect: "NoSchedule" },
    { key: "flaky", operator: "Exists" },
    { key: "node.kubernetes.io/unschedulable", operator: "Exists" },
    { operator: "Exists", effect: "NoSchedule" },
    { key: "dedicated", operator: "Gt", value: "1" },
  ];
  const matchFields = [{ key: "metadata.name", operator: dice.pick(["In", "NotIn"]), values: [dice.pick(NODES)] }];
  const term = { matchExpressions: [dice.pick(expressions)], ...(dice.chance(0.2) ? { matchFields } : {}) };
  return {
    ...(dice.chance(0.3) ? { nodeSelector: { disk: "ssd" } } : {}),
    ...(dice.chance(0.5) ? { hardNodeAffinity: { nodeSelectorTerms: dice.chance(0.1) ? [] : [term] } } : {}),
    ...(dice.chance(0.5) ? { tolerations: dice.some(tolerations, 0.4) } : {}),
  };
}

/** One replica of one component: where it goes changes nothing for those that follow but on that node. */
function randomAssumed(dice: Dice): readonly PendingWorkload[] {
  if (!dice.chance(0.3)) return [];
  const nodeSelectorTerms = [{ matchFields: [{ key: "metadata.name", operator: "In", values: [dice.pick(NODES)] }] }];
  const needs = { ...randomNeeds(dice), nodeClaim: { hardNodeAffinity: { nodeSelectorTerms } } };
  const components: readonly Component[] = [{ name: "c", replicas: dice.between(1, 3), replicaRequirements: needs }];
  return [{ namespace: dice.pick(["shop", "other"]), components }];
}
