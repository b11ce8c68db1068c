// The scheduling loop over many bindings and a large fleet: what each kind of change costs. The store is a map in memory
// that answers at once, so that the figures are the loop's own.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { type Controller, createContext } from "../../reconciler/controllers/context.ts";
import { BindingWriter } from "../../reconciler/controllers/scheduling/binding-writer.ts";
import { startBindingController } from "../../reconciler/controllers/scheduling/bindings.ts";
import { FleetState } from "../../reconciler/controllers/scheduling/fleet-state.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { LoopDelay } from "./support-loop-delay.ts";
import { MemoryStore } from "./support-memory-store.ts";
import { BENCHMARK_PLACEMENTS, benchmarkCluster, benchmarkFleet, benchmarkSpec } from "./support-scheduler-fleet.ts";

const PLACEMENTS = 1_000;
const LIMIT_MIB = 1_024;
/** Others use the same processors, so that this much of a turn may not be ours. */
const LIMIT_TURN_MS = 50;

/** Arguments: bindings (100000), clusters (1000). */
export async function run(args: readonly string[]): Promise<void> {
  const count = Number(args[0] ?? 100_000);
  const size = Number(args[1] ?? 1_000);
  const store = await MemoryStore.open();
  for (const cluster of benchmarkFleet(size)) store.put(cluster);
  for (let j = 0; j < count; j++) store.put(unscheduled(j, placementOf(j % PLACEMENTS, size)));

  const context = createContext({
    client: store.client,
    clock: systemClock,
    logger: silentLogger,
    newUuid: () => "id",
  });
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const bindings = context.informers.of<ResourceBinding>("work.karmada.io/v1alpha2", "ResourceBinding");
  context.informers.of("work.karmada.io/v1alpha2", "ClusterResourceBinding");
  await context.informers.synced();
  const fleet = new FleetState(context);
  let looks = 0;
  function start(): Controller {
    const writer = new BindingWriter(context, fleet);
    writer.subscribe(() => looks++);
    return startBindingController(context, fleet, writer);
  }

  const delay = new LoopDelay();
  delay.start();
  process.stdout.write(
    `${count.toLocaleString("en")} bindings, ${PLACEMENTS.toLocaleString("en")} placements, ${size.toLocaleString("en")} clusters\n` +
      `${"".padEnd(64)}   looked at   written    wall     CPU  longest turn\n`,
  );
  let isSlow = false;

  /** Does something, waits until the loop is at rest, and prints what it cost. */
  async function measure(what: string, act: () => void): Promise<void> {
    looks = 0;
    store.writes.length = 0;
    collectGarbage();
    // The turn that collected is not to be counted.
    await new Promise((resolve) => setTimeout(resolve, 20));
    delay.take();
    const cpu = process.cpuUsage();
    const start = performance.now();
    act();
    let end = performance.now();
    for (let before = -1; before !== looks + store.writes.length; ) {
      before = looks + store.writes.length;
      end = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    const { user, system } = process.cpuUsage(cpu);
    const { cpuMaxMs } = delay.take();
    isSlow ||= cpuMaxMs > LIMIT_TURN_MS;
    process.stdout.write(
      `${what.padEnd(64)} ${looks.toLocaleString("en").padStart(11)} ${store.bindingWrites().toLocaleString("en").padStart(9)} ` +
        `${((end - start) / 1000).toFixed(2).padStart(6)}s ${((user + system) / 1e6).toFixed(2).padStart(6)}s ${cpuMaxMs.toFixed(0).padStart(9)} ms\n`,
    );
  }

  let loop: Controller | undefined;
  const important = unscheduled(count, placementOf(0, size), 1_000);
  let place = -1;
  await measure("all are new, and one that matters comes last", () => {
    loop = start();
    bindings.adopt(store.put(important) as ResourceBinding);
    store.onWrite = (path) => {
      if (place < 0 && path.includes(important.metadata.name ?? "")) place = store.bindingWrites();
    };
  });
  store.onWrite = undefined;
  process.stdout.write(`${"".padEnd(4)}the one that matters was written as number ${place}\n`);
  const isPlaced = [...bindings.all()].every((binding) => (binding.spec.clusters?.length ?? 0) > 0);
  if (!isPlaced) throw new Error("some bindings were not placed");

  await loop?.stop();
  await measure("the program starts again", () => {
    loop = start();
  });
  const [outside, inside] = [findCluster(size, false), findCluster(size, true)];
  await measure("a cluster reports other room", () => void clusters.adopt(store.put(withRoom(inside)) as Cluster));
  await measure("labels of a cluster change that few placements select", () => {
    clusters.adopt(store.put(relabelled(outside)) as Cluster);
  });
  await measure("labels of a cluster change that half of the placements select", () => {
    clusters.adopt(store.put(relabelled(inside)) as Cluster);
  });
  await measure("labels of 100 clusters change at once", () => {
    for (let i = 0; i < Math.min(100, size); i++)
      clusters.adopt(store.put(relabelled(benchmarkCluster(i), "again")) as Cluster);
  });
  await loop?.stop();

  const memory = held();
  process.stdout.write(
    `memory: ${mib(memory.heap)} heap, ${mib(memory.resident)} resident with the store (limit ${LIMIT_MIB} MiB)\n`,
  );
  await context.informers.stop();
  await store.close();
  if (isSlow || memory.resident / 2 ** 20 >= LIMIT_MIB) process.exitCode = 1;
}

/** Half of the placements take any cluster of production, the others ten by name. */
function placementOf(p: number, size: number): Placement {
  if (p % 2 === 0) {
    const { clusterAffinity, replicaScheduling } = BENCHMARK_PLACEMENTS["dynamic-weight"];
    return { clusterAffinity: { ...clusterAffinity, exclude: [`none-${p}`] }, replicaScheduling };
  }
  const clusterNames = Array.from({ length: 10 }, (_, i) => benchmarkCluster((p + i * 7) % size).metadata.name ?? "");
  return { clusterAffinity: { clusterNames } };
}

function unscheduled(j: number, placement: Placement, priority?: number): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: `web-${j}-deployment`,
      namespace: "shop",
      uid: `10000000-0000-4000-8000-${String(j).padStart(12, "0")}`,
      generation: 1,
      labels: { "propagationpolicy.karmada.io/permanent-id": "5d8d9a4b-7c0e-4a39-9d0c-2f6f6a6a1c11" },
    },
    spec: {
      ...benchmarkSpec(j, placement),
      ...(priority === undefined ? {} : { schedulePriority: { priority } }),
    },
  };
}

function findCluster(size: number, inProduction: boolean): Cluster {
  const found = benchmarkFleet(size).find((each) => (each.metadata.labels?.["env"] === "prod") === inProduction);
  if (found === undefined) throw new Error("the fleet is too small");
  return found;
}

function relabelled(cluster: Cluster, note = "once"): Cluster {
  return { ...cluster, metadata: { ...cluster.metadata, labels: { ...cluster.metadata.labels, note } } };
}

function withRoom(cluster: Cluster): Cluster {
  const { resourceSummary } = cluster.status ?? {};
  const allocatable = { ...resourceSummary?.allocatable, cpu: "4000" };
  return { ...cluster, status: { ...cluster.status, resourceSummary: { ...resourceSummary, allocatable } } };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}

function held(): { readonly resident: number; readonly heap: number } {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
