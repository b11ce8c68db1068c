// Random failures of a fleet, and every moment of its workloads watched: replicas that are up never drop because of us.
import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import type { SimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { isObject } from "../../../kube/object.ts";
import { Random } from "../../../runtime/random.ts";
import { deployment, policy } from "../../../test/e2e/support/manifests.ts";
import { createVirtualPlane, type VirtualPlane } from "../../cli/virtual-plane.ts";
import { failoverSettings } from "../../failover/failover-modes.ts";

/** FAILOVER_SEEDS=1..200 runs others. */
const [FIRST_SEED = 1, LAST_SEED = FIRST_SEED] = (process.env["FAILOVER_SEEDS"] ?? "1..3").split("..").map(Number);
const SEEDS = Array.from({ length: LAST_SEED - FIRST_SEED + 1 }, (_, index) => FIRST_SEED + index);
const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);
/** As long as a cluster may be gone before anybody can know: a look every 10 s, 30 s of damping, and some. */
const UNNOTICED_MS = 60_000;
const REPLICAS = 6;

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};
const ONE_CLUSTER = [{ spreadByField: "cluster", minGroups: 1, maxGroups: 1 }];

/** Placements that place in every way, by the name of the workload that has them. */
const PLACEMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  dynamic: { replicaScheduling: DYNAMIC },
  weighted: { replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } },
  aggregated: { replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } },
  single: { replicaScheduling: DYNAMIC, spreadConstraints: ONE_CLUSTER },
  everywhere: {},
  "everywhere-in-one": { spreadConstraints: ONE_CLUSTER },
  grouped: {
    replicaScheduling: DYNAMIC,
    clusterAffinities: [
      { affinityName: "primary", clusterNames: ["member1", "member2"] },
      { affinityName: "backup", clusterNames: ["member3", "member4", "member5"] },
    ],
  },
};

/** What a workload has in one cluster. */
interface Copy {
  available: number;
  /** Without power nothing serves, whatever is written. */
  hasPower: boolean;
  lostPowerAt: number;
}

/** Adds up what serves at each change of each member, and notes every drop that nobody but us can have made. */
class AvailabilityWatch {
  readonly drops: string[] = [];
  readonly #fleet: SimulatedFleet;
  readonly #copies = new Map<string, Map<string, Copy>>();
  readonly #unsubscribe: (() => void)[] = [];
  changes = 0;

  constructor(fleet: SimulatedFleet) {
    this.#fleet = fleet;
    for (const [name, cluster] of fleet.clusters) this.#watch(name, cluster);
  }

  #watch(name: string, cluster: SimulatedCluster): void {
    this.#unsubscribe.push(
      cluster.server.state.subscribeAll(({ object }) => {
        if (object.resource === "apps/deployments") this.#look(name, object.name, cluster);
      }),
    );
  }

  #look(cluster: string, workload: string, { server }: SimulatedCluster): void {
    const live = server.state.get({ resource: "apps/deployments", namespace: "default", name: workload })?.object;
    const spec = isObject(live?.["spec"]) ? live["spec"] : {};
    const status = isObject(live?.["status"]) ? live["status"] : {};
    // Whatever the status says still: what is not asked for any more is about to go.
    const available =
      live === undefined ? 0 : Math.min(Number(status["availableReplicas"] ?? 0), Number(spec["replicas"]));
    const copy = this.copyOf(workload, cluster);
    const before = this.sum(workload);
    const fewer = available < copy.available;
    copy.available = available;
    this.changes++;
    const after = this.sum(workload);
    if (!fewer || after >= Math.min(REPLICAS, before)) return;
    const time = new Date(this.#fleet.clock.now()).toISOString().slice(11, 19);
    this.drops.push(`${time} ${workload}: ${before} -> ${after} by a write to ${cluster}`);
  }

  copyOf(workload: string, cluster: string): Copy {
    const copies = this.#copies.get(workload) ?? new Map<string, Copy>();
    this.#copies.set(workload, copies);
    const copy = copies.get(cluster) ?? { available: 0, hasPower: true, lostPowerAt: 0 };
    copies.set(cluster, copy);
    return copy;
  }

  /** What serves, as far as anybody can know. */
  sum(workload: string): number {
    const now = this.#fleet.clock.now();
    let sum = 0;
    for (const copy of this.#copies.get(workload)?.values() ?? [])
      if (copy.hasPower || now - copy.lostPowerAt < UNNOTICED_MS) sum += copy.available;
    return sum;
  }

  power(cluster: string, isOn: boolean): void {
    for (const workload of Object.keys(PLACEMENTS)) {
      const copy = this.copyOf(workload, cluster);
      copy.hasPower = isOn;
      if (!isOn) copy.lostPowerAt = this.#fleet.clock.now();
    }
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }
}

const open: { fleet: SimulatedFleet; plane: VirtualPlane }[] = [];

afterEach(async () => {
  for (const { plane, fleet } of open.splice(0)) {
    await plane.close();
    await fleet.close();
  }
});

async function start(seed: number, clusters: number): Promise<{ fleet: SimulatedFleet; plane: VirtualPlane }> {
  const fleet = await createFleet({
    clusters,
    pace: "stepped",
    startMs: START,
    level: "fast",
    seed,
    readyAfterMs: 8_000,
  });
  const plane = await createVirtualPlane({ fleet, seed, profile: failoverSettings("safe") });
  open.push({ fleet, plane });
  await plane.start();
  await plane.join();
  await fleet.clock.advance(MINUTE);
  for (const [name, placement] of Object.entries(PLACEMENTS)) {
    const selectors = [{ apiVersion: "apps/v1", kind: "Deployment", name }];
    for (const object of [
      policy({ name, namespace: "default", selectors, placement }),
      deployment({ name, namespace: "default", replicas: REPLICAS }),
    ])
      await plane.client.apply(object, { fieldManager: "user", force: true });
  }
  await fleet.clock.advance(2 * MINUTE);
  return { fleet, plane };
}

const CLUSTER_API = "cluster.karmada.io/v1alpha1";

/** One thing after the other happens, for forty minutes of the fleet's time; then all is mended. */
async function play(seed: number, log: string[]): Promise<AvailabilityWatch> {
  const random = new Random(seed);
  const clusters = 3 + random.below(3);
  const { fleet, plane } = await start(seed, clusters);
  const names = [...fleet.clusters.keys()];
  const watch = new AvailabilityWatch(fleet);
  for (const [name, cluster] of fleet.clusters)
    for (const { object } of cluster.server.state.list("apps/deployments")) {
      const status = isObject(object["status"]) ? object["status"] : {};
      watch.copyOf(object.metadata.name ?? "", name).available = Number(status["availableReplicas"] ?? 0);
    }
  const broken = new Map<string, string>();
  const tainted = new Set<string>();
  const end = fleet.clock.now() + 40 * MINUTE;
  const at = (): string => new Date(fleet.clock.now()).toISOString().slice(11, 19);

  const taint = async (name: string, isOn: boolean): Promise<void> => {
    const ref = { apiVersion: CLUSTER_API, kind: "Cluster", name };
    const cluster = await plane.client.get<Cluster>(ref);
    const others = (cluster.spec.taints ?? []).filter((each) => each.key !== "drain");
    const timeAdded = new Date(fleet.clock.now()).toISOString();
    const taints = isOn ? [...others, { key: "drain", effect: "NoExecute", timeAdded }] : others;
    await plane.client.patch(ref, { spec: { taints } }, "merge");
  };
  const mend = (name: string): void => {
    const fault = broken.get(name);
    if (fault === undefined) return;
    fleet.faults.end(fault);
    broken.delete(name);
    watch.power(name, true);
    log.push(`${at()} mended ${name}`);
  };
  const breakDown = (name: string): void => {
    if (broken.has(name)) return;
    const target = { clusters: [name] };
    const kind = random.pick(["down", "hang", "outage", "partition"] as const);
    if (kind === "partition")
      broken.set(name, fleet.faults.begin({ type: "partition", target, from: ["control-plane"], mode: "drop" }));
    else broken.set(name, fleet.faults.begin({ type: kind, target }));
    if (kind === "outage") watch.power(name, false);
    log.push(`${at()} ${kind} ${name}`);
  };

  while (fleet.clock.now() < end) {
    const dice = random.below(100);
    const name = random.pick(names);
    if (dice < 40) breakDown(name);
    else if (dice < 48) for (const one of names.filter(() => random.below(3) > 0)) breakDown(one);
    else if (dice < 80) for (const one of [...broken.keys()].filter(() => random.below(2) === 0)) mend(one);
    else if (dice < 86) {
      const isOn = !tainted.delete(name) && tainted.size < clusters - 2;
      if (isOn) tainted.add(name);
      await taint(name, isOn);
      log.push(`${at()} ${isOn ? "drain" : "undrain"} ${name}`);
    } else if (dice < 92) {
      await plane.instances[0]?.crash();
      await plane.start();
      log.push(`${at()} restart`);
    } else {
      const ref = { apiVersion: CLUSTER_API, kind: "Cluster", name };
      const value = random.pick(["evict", "hold", null]);
      await plane.client.patch(ref, { metadata: { annotations: { "gitops.flaghoist.io/failover": value } } }, "merge");
      log.push(`${at()} annotate ${name} ${value}`);
    }
    await fleet.clock.advance(random.pick([5_000, 20_000, 45_000, 90_000, 4 * MINUTE]));
  }
  for (const name of names) {
    mend(name);
    await taint(name, false);
  }
  log.push(`${at()} all mended`);
  await fleet.clock.advance(30 * MINUTE);
  watch.stop();
  return watch;
}

async function bindings(plane: VirtualPlane): Promise<readonly ResourceBinding[]> {
  const { items } = await plane.client.list<ResourceBinding>("work.karmada.io/v1alpha2", "ResourceBinding");
  return items;
}

describe("safe failover", () => {
  it.each(SEEDS)("never takes away what serves, and has all of it in the end, seed %i", async (seed) => {
    const log: string[] = [];

    const watch = await play(seed, log);

    expect(watch.drops, log.join("\n")).toEqual([]);
    expect(watch.changes).toBeGreaterThan(10);
    for (const { metadata, spec } of await bindings(open[0]?.plane as VirtualPlane)) {
      const words = `${metadata.name}, seed ${seed}\n${log.join("\n")}`;
      expect(spec.gracefulEvictionTasks ?? [], words).toEqual([]);
      const placed = (spec.clusters ?? []).map((target) => target.replicas ?? 0);
      const workload = spec.resource.name;
      expect(workload.startsWith("everywhere") ? placed[0] : placed.reduce((a, b) => a + b, 0), words).toBe(REPLICAS);
      expect(watch.sum(workload), words).toBe(placed.reduce((a, b) => a + b, 0));
    }
  });
});
