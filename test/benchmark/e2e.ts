// The main job, end to end and in one process: control plane with its durable store, three simulated members, all loops.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../api/cluster.ts";
import type { PropagationPolicy } from "../../api/policy.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { isConditionTrue } from "../../kube/conditions.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { type ControlPlane, startControlPlane } from "../../reconciler/cli/control-plane.ts";
import { registerSimulated } from "../../reconciler/cli/simulated-fleet.ts";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";

const MEMBERS = ["member1", "member2", "member3"];
const NAMESPACE = "bench";
const IDLE_MS = 30_000;

/** Karmada on this class of machine, for the same work (control plane alone, three real members). */
const PEER = {
  one: "0.40 s (object in all members)",
  change: "0.24 s",
  thousand: "305 s, 384 CPU-seconds",
  memory: "2.4 GB peak, 1.1 GB fresh",
  idle: "0.2 to 1.5 cores for minutes",
};

export async function run(args: readonly string[]): Promise<void> {
  const count = Number(args[0] ?? 1_000);
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  const members = new Map<string, SimulatedCluster>();
  for (const name of MEMBERS) {
    members.set(
      name,
      await createSimulatedCluster({
        name,
        clock: systemClock,
        logger: silentLogger,
        level: "fast",
        readyAfterMs: 0,
        nodes: 3,
      }),
    );
  }
  const plane = await startControlPlane({ dataFolder: folder, members, logger: silentLogger });
  try {
    for (const member of members.values()) await registerSimulated(plane, member, {});
    await until(async () => {
      const clusters = (await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
      return (
        clusters.length === MEMBERS.length &&
        clusters.every(
          (cluster) => isConditionTrue(cluster.status?.conditions, "Ready") && (cluster.spec.taints ?? []).length === 0,
        )
      );
    });
    await plane.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    await plane.client.create(policy());
    await until(async () =>
      (
        await Promise.all(
          [...members.values()].map((member) =>
            member.client.find({ apiVersion: "v1", kind: "Namespace", name: NAMESPACE }),
          ),
        )
      ).every((found) => found !== undefined),
    );

    row("work", "flaghoist", "Karmada (recorded)");
    const one = await measure(async () => {
      await plane.client.create(deployment("one"));
      await until(async () => (await copies(members, "one")).every((copy) => copy !== undefined));
    });
    row("one Deployment: object in all members", seconds(one.wallMs), PEER.one);
    const change = await measure(async () => {
      await plane.client.patch(ref("one"), { spec: { replicas: 9 } }, "merge");
      await until(async () => (await copies(members, "one")).every((copy) => replicasOf(copy) === 3));
    });
    row("a change of it in all members", seconds(change.wallMs), PEER.change);

    const many = await measure(async () => {
      for (let i = 0; i < count; i++) await plane.client.create(deployment(`web-${i}`));
      await until(async () => (await readyCount(plane)) === count + 1, 250);
    });
    row(
      `${count} Deployments under one policy: all ready, status summed`,
      `${seconds(many.wallMs)}, ${many.cpuSeconds.toFixed(1)} CPU-seconds`,
      PEER.thousand,
    );
    row("memory then (whole process, members included)", `${megabytes()} MB`, PEER.memory);
    await sleep(systemClock, 2_000);
    const idle = await measure(() => sleep(systemClock, IDLE_MS));
    row(
      `idle for ${IDLE_MS / 1_000} s`,
      `${((idle.cpuSeconds / (IDLE_MS / 1_000)) * 100).toFixed(2)} % of a core`,
      PEER.idle,
    );
    row("memory then", `${megabytes()} MB`, PEER.memory);
  } finally {
    await plane.close();
    for (const member of members.values()) await member.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, ours: string, theirs: string): void {
  process.stdout.write(`${what.padEnd(62)} ${ours.padEnd(28)} ${theirs}\n`);
}

async function measure(work: () => Promise<void>): Promise<{ wallMs: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { wallMs, cpuSeconds: (used.user + used.system) / 1e6 };
}

async function until(holds: () => Promise<boolean>, everyMs = 5): Promise<void> {
  while (!(await holds())) await sleep(systemClock, everyMs);
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function megabytes(): number {
  return Math.round(process.memoryUsage().rss / 1e6);
}

function ref(name: string): { apiVersion: string; kind: string; namespace: string; name: string } {
  return { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name };
}

async function copies(
  members: ReadonlyMap<string, SimulatedCluster>,
  name: string,
): Promise<(KubeObject | undefined)[]> {
  return Promise.all([...members.values()].map((member) => member.client.find(ref(name))));
}

function replicasOf(deployment: KubeObject | undefined): unknown {
  return isObject(deployment?.["spec"]) ? deployment["spec"]["replicas"] : undefined;
}

async function readyCount(plane: ControlPlane): Promise<number> {
  const { items } = await plane.client.list("apps/v1", "Deployment", { namespace: NAMESPACE });
  return items.filter((item) => isObject(item["status"]) && item["status"]["readyReplicas"] === replicasOf(item))
    .length;
}

function deployment(name: string): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: 6,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "web",
              image: "example.com/web:1.0",
              ports: [{ containerPort: 8080 }],
              resources: { requests: { cpu: "10m", memory: "16Mi" } },
            },
          ],
        },
      },
    },
  };
}

function policy(): PropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "everywhere", namespace: NAMESPACE },
    spec: {
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }],
      placement: {
        clusterAffinity: { clusterNames: MEMBERS },
        replicaScheduling: {
          replicaSchedulingType: "Divided",
          replicaDivisionPreference: "Weighted",
          weightPreference: {
            staticWeightList: MEMBERS.map((name) => ({ targetCluster: { clusterNames: [name] }, weight: 1 })),
          },
        },
      },
    },
  };
}
