// npm run bench -- simulator [--clusters N] [--fast N]: 100 clusters of three nodes at level full, each running 20
// Deployments of three replicas, on a clock that never waits; then 500 clusters at level fast; then the same fleet at
// rest for ten minutes of its time.
import { parseArgs } from "node:util";
import { createFleet, type FleetOptions, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type DelayReport, LoopDelay } from "./support-loop-delay.ts";

const DEPLOYMENTS = 20;
const REPLICAS = 3;
const READY_AFTER_MS = 2_000;
const REST_MS = 600_000;

interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly delay: DelayReport;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { clusters: { type: "string", default: "100" }, fast: { type: "string", default: "500" } },
  });
  await measureFleet({ clusters: Number(values.clusters), level: "full" });
  await measureFleet({ clusters: Number(values.fast), level: "fast" });
}

async function measureFleet(options: Pick<FleetOptions, "level"> & { readonly clusters: number }): Promise<void> {
  const loop = new LoopDelay();
  loop.start();
  const empty = memoryMb();
  let fleet!: SimulatedFleet;
  const started = await measure(loop, async () => {
    fleet = await createFleet({
      ...options,
      nodesPerCluster: 3,
      seed: 1,
      pace: "stepped",
      readyAfterMs: READY_AFTER_MS,
    });
    await fleet.clock.settled();
  });
  process.stdout.write(`${options.clusters} clusters of 3 nodes at level ${options.level}\n`);
  write("started", started, `${(memoryMb() - empty).toFixed(0)} MB`);
  const beganMs = fleet.clock.now();
  const ready = await measure(loop, async () => {
    for (const cluster of fleet.clusters.values()) {
      for (let number = 1; number <= DEPLOYMENTS; number++) await cluster.client.create(deployment(number));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!(await fleet.clock.runUntil(() => isReady(fleet), 600_000))) throw new Error("not all became ready");
  });
  const pods = options.level === "full" ? options.clusters * DEPLOYMENTS * REPLICAS : 0;
  write(
    `${DEPLOYMENTS} Deployments x ${REPLICAS} ready in each`,
    ready,
    `${(fleet.clock.now() - beganMs) / 1000} s of the fleet's time, ${pods} Pods, ${(memoryMb() - empty).toFixed(0)} MB`,
  );
  const rest = await measure(loop, () => fleet.clock.advance(REST_MS));
  write("ten minutes of its time at rest", rest, `${(memoryMb() - empty).toFixed(0)} MB`);
  await fleet.close();
}

function deployment(number: number): KubeObject {
  const name = `app-${number}`;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [{ name: "web", image: "web:1", resources: { requests: { cpu: "100m", memory: "64Mi" } } }],
        },
      },
    },
  };
}

function isReady(fleet: SimulatedFleet): boolean {
  for (const { server } of fleet.clusters.values()) {
    for (const { object } of server.state.list("apps/deployments")) {
      const status = (object["status"] ?? {}) as { readyReplicas?: number };
      if (status.readyReplicas !== REPLICAS) return false;
    }
  }
  return true;
}

async function measure(loop: LoopDelay, work: () => Promise<void>): Promise<Measured> {
  loop.take();
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await work();
  const used = process.cpuUsage(cpu);
  return { cpuMs: (used.user + used.system) / 1000, wallMs: performance.now() - wall, delay: loop.take() };
}

function write(what: string, { cpuMs, wallMs, delay }: Measured, rest: string): void {
  process.stdout.write(
    `  ${what.padEnd(36)} ${(cpuMs / 1000).toFixed(1).padStart(6)} CPU s, ${(wallMs / 1000).toFixed(1).padStart(6)} s; ` +
      `turns of the event loop p99 ${delay.cpuP99Ms.toFixed(0)} ms, longest ${delay.cpuMaxMs.toFixed(0)} ms; ${rest}\n`,
  );
}

/** Resident memory after a collection, where the program may ask for one. */
function memoryMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1e6;
}
