// npm run bench -- fleet [--clusters N] [--objects N] [--level idle|fast]: a control plane with its durable store and N
// simulated clusters in this process. Every object goes to every cluster by a policy; then nothing changes, then one
// object does, then somebody edits a copy, then the control plane starts anew. Members' own work is in the figures.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterPropagationPolicy } from "../../api/policy.ts";
import { createFleet, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import type { ApiRequest, Transport } from "../../kube/client/transport.ts";
import { isConditionTrue, setCondition } from "../../kube/conditions.ts";
import type { KubeObject, ObjectRef } from "../../kube/object.ts";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "../../reconciler/cli/control-plane.ts";
import { registerSimulated } from "../../reconciler/cli/simulated-fleet.ts";
import { findReady } from "../../reconciler/controllers/clusters/clusters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../reconciler/works/binding.ts";
import { rfc3339, sleep, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type DelayReport, LoopDelay } from "./support-loop-delay.ts";

const NAMESPACES = 10;
const CLUSTER_API = "cluster.karmada.io/v1alpha1";
/** The one object that is in one cluster only. */
const LONELY = "lonely";

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clusters: { type: "string", default: "100" },
      objects: { type: "string", default: "1000" },
      level: { type: "string", default: "idle" },
    },
  });
  const level = values.level === "fast" ? "fast" : "idle";
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  const fleet = await createFleet({ clusters: Number(values.clusters), nodesPerCluster: 1, level, readyAfterMs: 0 });
  const counter = new RequestCounter();
  const bench = new Bench(fleet, counter, {
    dataFolder: folder,
    members: counted(fleet, counter),
    logger: silentLogger,
  });
  try {
    await bench.run(Number(values.objects));
  } finally {
    await bench.close();
    await fleet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Bench {
  readonly #fleet: SimulatedFleet;
  readonly #counter: RequestCounter;
  readonly #options: ControlPlaneOptions;
  readonly #loop = new LoopDelay();
  #plane!: ControlPlane;

  constructor(fleet: SimulatedFleet, counter: RequestCounter, options: ControlPlaneOptions) {
    this.#fleet = fleet;
    this.#counter = counter;
    this.#options = options;
  }

  async close(): Promise<void> {
    await this.#plane.close();
  }

  async run(objects: number): Promise<void> {
    const clusters = this.#fleet.clusters.size;
    this.#loop.start();
    await this.#measure(`${clusters} clusters join`, async () => {
      this.#plane = await startControlPlane(this.#options);
      for (const cluster of this.#fleet.clusters.values()) await registerSimulated(this.#plane, cluster, {});
      await until(
        () => this.#clustersAre((cluster) => findReady(cluster)?.status === "True" && !isTainted(cluster)),
        50,
      );
    });
    const { client } = this.#plane;
    for (let number = 0; number < NAMESPACES; number++)
      await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceOf(number) } });
    await client.create(policy());
    await client.create(lonelyPolicy());
    await until(() => this.#membersHave({ apiVersion: "v1", kind: "Namespace", name: namespaceOf(NAMESPACES - 1) }));
    await this.#settled();

    await this.#measure(`${objects} objects to ${clusters} clusters, all applied`, async () => {
      for (let number = 0; number < objects; number++) {
        await client.create(template(number));
        if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => this.#appliedCount() >= objects, 250);
    });
    await client.create({ ...configMap(LONELY), data: { color: "blue" } });
    await this.#settled();

    await this.#measure("no-change pass over all of them", async () => {
      await this.#flapClusters();
      await this.#settled();
    });
    await this.#measure(`one object changed, in ${clusters} clusters`, async () => {
      await client.patch(refOf(1), { data: { color: "green" } }, "merge");
      await until(() => this.#inMembers(refOf(1), clusters), 5);
      await this.#settled();
    });
    await this.#measure("one object changed, in 1 cluster", async () => {
      await client.patch(lonelyRef(), { data: { color: "green" } }, "merge");
      await until(() => this.#inMembers(lonelyRef(), 1), 5);
      await this.#settled();
    });
    await this.#measure("drift in one cluster: found and mended", async () => {
      const member = this.#member();
      const mended = this.#plane.manager.journal;
      const before = mended.all().length;
      await member.client.patch(refOf(1), { data: { color: "red" } }, "merge", { fieldManager: "kubectl-edit" });
      const start = performance.now();
      await until(() => mended.all().length > before, 1);
      process.stdout.write(`  (found and mended after ${(performance.now() - start).toFixed(0)} ms)\n`);
    });
    await this.#settled();
    await this.#plane.close();
    await this.#measure("control plane starts anew: nothing has changed", async () => {
      this.#plane = await startControlPlane(this.#options);
      await until(() => this.#clustersAre((cluster) => findReady(cluster)?.status === "True"), 50);
      await sleep(systemClock, 2_000);
      await this.#settled();
    });
    await this.#measure("ten seconds at rest", () => sleep(systemClock, 10_000));
  }

  #member() {
    const [member] = this.#fleet.clusters.values();
    if (member === undefined) throw new Error("the fleet is empty");
    return member;
  }

  /** Every cluster is lost and found: all its Works are looked at. */
  async #flapClusters(): Promise<void> {
    for (const status of ["Unknown", "True"] as const) {
      for (const cluster of this.#plane.context.informers.of<Cluster>(CLUSTER_API, "Cluster").all()) {
        const conditions = setCondition(cluster.status?.conditions ?? [], {
          type: "Ready",
          status,
          reason: "Benchmark",
          message: "",
          lastTransitionTime: rfc3339(systemClock.now()),
        });
        const ref = { apiVersion: CLUSTER_API, kind: "Cluster", name: cluster.metadata.name ?? "" };
        await this.#plane.client.patch(ref, { status: { conditions } }, "merge", { subresource: "status" });
      }
    }
  }

  #clustersAre(check: (cluster: Cluster) => boolean): boolean {
    const clusters = [...this.#plane.context.informers.of<Cluster>(CLUSTER_API, "Cluster").all()];
    return clusters.length === this.#fleet.clusters.size && clusters.every(check);
  }

  #appliedCount(): number {
    let count = 0;
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
      for (const binding of this.#plane.context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).all())
        if (isConditionTrue(binding.status?.conditions, "FullyApplied")) count++;
    }
    return count;
  }

  async #membersHave(ref: ObjectRef): Promise<boolean> {
    for (const member of this.#fleet.clusters.values()) if ((await member.client.find(ref)) === undefined) return false;
    return true;
  }

  /** Whether so many members have the changed object. */
  async #inMembers(ref: ObjectRef, wanted: number): Promise<boolean> {
    let count = 0;
    for (const member of this.#fleet.clusters.values()) {
      const found = await member.client.find(ref);
      if ((found?.["data"] as { color?: string } | undefined)?.color === "green") count++;
    }
    return count === wanted;
  }

  /** Until this process has had next to nothing to do for a second. */
  async #settled(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const cpu = process.cpuUsage();
      const before = this.#counter.total;
      await sleep(systemClock, 500);
      const used = process.cpuUsage(cpu);
      const isQuiet = (used.user + used.system) / 1000 < 150 && this.#counter.total - before < 50;
      quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  async #measure(what: string, work: () => Promise<void>): Promise<void> {
    this.#loop.take();
    this.#counter.reset();
    const cpu = process.cpuUsage();
    const start = performance.now();
    await work();
    const wallMs = performance.now() - start;
    const used = process.cpuUsage(cpu);
    write(what, { cpuMs: (used.user + used.system) / 1000, wallMs, delay: this.#loop.take() }, this.#counter.report());
  }
}

interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly delay: DelayReport;
}

function write(what: string, { cpuMs, wallMs, delay }: Measured, requests: string): void {
  process.stdout.write(
    `${what.padEnd(52)} ${(cpuMs / 1000).toFixed(2).padStart(7)} CPU s ${(wallMs / 1000).toFixed(1).padStart(6)} s  ${requests}; ` +
      `${Math.round(process.memoryUsage().rss / 1e6)} MB; turns p99 ${delay.cpuP99Ms.toFixed(0)} ms, longest ${delay.cpuMaxMs.toFixed(0)} ms\n`,
  );
}

/** What is asked of the members. Health probes are left out. */
class RequestCounter {
  total = 0;
  readonly #byVerb = new Map<string, number>();
  readonly #writtenTo = new Set<string>();

  reset(): void {
    this.total = 0;
    this.#byVerb.clear();
    this.#writtenTo.clear();
  }

  count(cluster: string, request: ApiRequest): void {
    const { method, path } = request;
    if (/^\/(healthz|readyz|livez|version|apis?$|apis?\?)/.test(path)) return;
    this.total++;
    const isDryRun = path.includes("dryRun=");
    const verb = isDryRun ? "dry run" : path.includes("watch=true") ? "watch" : method;
    this.#byVerb.set(verb, (this.#byVerb.get(verb) ?? 0) + 1);
    if (method !== "GET" && !isDryRun) this.#writtenTo.add(cluster);
  }

  report(): string {
    const verbs = [...this.#byVerb].sort().map(([verb, count]) => `${count} ${verb}`);
    return `${verbs.length === 0 ? "no request" : verbs.join(", ")}, ${this.#writtenTo.size} clusters written`;
  }
}

function counted(fleet: SimulatedFleet, counter: RequestCounter): NonNullable<ControlPlaneOptions["members"]> {
  return new Map(
    [...fleet.clusters].map(([name, { server, transport }]) => {
      const counting: Transport = (request) => {
        counter.count(name, request);
        return transport(request);
      };
      return [name, { server, transport: counting }];
    }),
  );
}

function isTainted(cluster: Cluster): boolean {
  return (cluster.spec.taints ?? []).length > 0;
}

async function until(holds: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
  while (!(await holds())) await sleep(systemClock, everyMs);
}

function namespaceOf(number: number): string {
  return `team-${number % NAMESPACES}`;
}

function lonelyRef(): ObjectRef {
  return { apiVersion: "v1", kind: "ConfigMap", namespace: namespaceOf(0), name: LONELY };
}

/** The ConfigMap nearest to that number. */
function refOf(number: number): ObjectRef {
  return { apiVersion: "v1", kind: "ConfigMap", namespace: namespaceOf(number), name: `app-${number}` };
}

function configMap(name: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: namespaceOf(0) } };
}

/** Of ten objects four are Deployments, three ConfigMaps, two Services and one a ServiceAccount. */
function template(number: number): KubeObject {
  const name = `app-${number}`;
  const metadata = { name, namespace: namespaceOf(number), labels: { app: name, team: namespaceOf(number) } };
  switch (number % 10) {
    case 0:
    case 2:
    case 4:
    case 6:
      return deployment(metadata);
    case 1:
    case 3:
    case 5:
      return {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
        data: { color: "blue", "settings.yaml": "listen: 0.0.0.0:8080\nworkers: 8\ncache:\n  size: 64Mi\n" },
      };
    case 7:
    case 8:
      return {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
      };
    default:
      return { apiVersion: "v1", kind: "ServiceAccount", metadata };
  }
}

function deployment(metadata: KubeObject["metadata"]): KubeObject {
  const labels = { app: metadata.name ?? "" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "web",
              image: "registry.example/web:1.0",
              ports: [{ containerPort: 8080 }],
              env: [{ name: "MODE", value: "production" }],
              resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
              readinessProbe: { httpGet: { path: "/ready", port: 8080 } },
            },
          ],
        },
      },
    },
  };
}

function policy(): ClusterPropagationPolicy {
  const kinds = ["v1 ConfigMap", "v1 Service", "v1 ServiceAccount", "apps/v1 Deployment"];
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name: "everywhere" },
    spec: {
      resourceSelectors: kinds.map((text) => {
        const [apiVersion = "", kind = ""] = text.split(" ");
        return { apiVersion, kind };
      }),
      placement: { clusterAffinity: {} },
    },
  };
}

function lonelyPolicy(): ClusterPropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name: "lonely" },
    spec: {
      priority: 10,
      resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap", name: LONELY }],
      placement: { clusterAffinity: { clusterNames: ["member1"] } },
    },
  };
}
