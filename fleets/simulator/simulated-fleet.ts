// Many simulated clusters on one clock.
import { type PlannedCluster, planClusters } from "../../api/fleet-plan.ts";
import type { FleetScenario } from "../../api/fleet-scenario.ts";
import type { Logger } from "../../runtime/logger.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { type Pace, VirtualClock } from "./clock/virtual-clock.ts";
import { FleetFaults } from "./faults/fleet-faults.ts";
import { KernelLoop } from "./kernel/kernel-loop.ts";
import { clusterOptions, type ScenarioClusterOptions } from "./scenario/cluster-options.ts";
import { type LoadedScenario, scenarioWithoutFiles } from "./scenario/load-scenario.ts";
import { ScenarioPlayer } from "./scenario/scenario-player.ts";
import { createSimulatedCluster, type Level, type SimulatedCluster } from "./simulated-cluster.ts";
import { snapshotClusters } from "./snapshot/snapshot-clusters.ts";
import type { Snapshot } from "./snapshot/snapshot-file.ts";

/** What a fleet is like. All of it has defaults, or comes from the scenario. */
export interface FleetOptions {
  /** How many clusters, called `member1` and so on; or their names. Those of the scenario where there is one. */
  readonly clusters?: number | readonly string[];
  /** 3 by default; a scenario says itself which nodes its clusters have. */
  readonly nodesPerCluster?: number;
  /** `full` by default. Goes before what the scenario says. */
  readonly level?: Level;
  /** Determines everything that is left to chance; 1 by default. Goes before what the scenario says. */
  readonly seed?: number;
  /** `real` by default. Goes before what the scenario says. */
  readonly pace?: Pace;
  /** Where the fleet's clock begins, milliseconds since the epoch; the machine's time by default. */
  readonly startMs?: number;
  readonly readyAfterMs?: number;
  /** What the fleet consists of and what befalls it: from `loadFleetScenario`, or one that names no files. */
  readonly scenario?: LoadedScenario | FleetScenario;
  /** In place of a scenario: clusters that begin as those of a snapshot were. */
  readonly snapshot?: Snapshot;
  /** Whether the scenario's timeline waits for `scenario.begin()`: for whoever has something to do before. */
  readonly holdTimeline?: boolean;
  readonly logger?: Logger;
}

/** Simulated clusters with one clock. */
export interface SimulatedFleet {
  readonly clock: VirtualClock;
  readonly clusters: ReadonlyMap<string, SimulatedCluster>;
  /** What goes wrong in it. */
  readonly faults: FleetFaults;
  /** What the scenario lets happen; undefined for a fleet without one. */
  readonly scenario: ScenarioPlayer | undefined;
  /** The clusters as the scenario describes them, in its order; empty for a fleet without one. */
  readonly plan: readonly PlannedCluster[];
  /** The cluster of that name; throws when there is none. */
  cluster(name: string): SimulatedCluster;
  close(): Promise<void>;
}

/** Where a clock begins that has nothing to do with the machine's, so that a run is the same at any time. */
const STEADY_START_MS = Date.UTC(2026, 0, 1);

/**
 * Starts a fleet in this process, without any socket. With a scenario, its clusters have what it gives them when this
 * resolves, and its timeline begins. Throws `fleet-scenario-failed` when they do not take it.
 */
export async function createFleet(options: FleetOptions): Promise<SimulatedFleet> {
  const { logger = silentLogger } = options;
  const loaded = loadedScenario(options.scenario);
  if (loaded !== undefined && options.clusters !== undefined)
    throw new Error("the scenario says which clusters there are; leave `clusters` out");
  const scenario = loaded?.scenario;
  const pace = options.pace ?? paceOf(scenario);
  const startMs = options.startMs ?? startOf(scenario, pace);
  const clock = new VirtualClock({ pace, ...(startMs === undefined ? {} : { startMs }) });
  const loop = new KernelLoop();
  clock.join(loop);
  // Nothing happens in clusters before all of them are there, unless the machine's own time passes.
  const opened = clock.hold();
  const chance = new Random(options.seed ?? scenario?.seed ?? 1);
  const plan = scenario === undefined ? [] : planClusters(scenario);
  const clusters = new Map<string, SimulatedCluster>();
  const parts: ScenarioClusterOptions[] =
    loaded === undefined ? plainClusters(options) : plan.map((each) => clusterOptions(each, loaded, clock.now()));
  for (const part of parts) {
    const cluster = await createSimulatedCluster({
      ...part,
      clock,
      logger: logger.with({ cluster: part.name }),
      ...(options.level === undefined ? {} : { level: options.level }),
      ...(options.readyAfterMs === undefined ? {} : { readyAfterMs: options.readyAfterMs }),
      random: new Random(chance.below(2 ** 32)),
      loop,
    });
    clusters.set(part.name, cluster);
    // A fleet of hundreds would keep everybody else waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const faults = new FleetFaults({ clusters: [...clusters.values()], clock, logger, random: chance });
  clock.join(faults);
  for (const { name, network } of plan) layLink(clusters.get(name), network);
  const player =
    loaded === undefined
      ? undefined
      : new ScenarioPlayer({
          loaded,
          facts: plan,
          clusters,
          faults,
          clock,
          quiet: () => quiet(loop),
          random: new Random(chance.below(2 ** 32)),
          logger,
        });
  const close = async (): Promise<void> => {
    clock.close();
    player?.stop();
    for (const cluster of clusters.values()) await cluster.close();
  };
  if (player !== undefined) {
    clock.join(player);
    try {
      await player.prepare();
      if (options.holdTimeline !== true) player.begin();
    } catch (error) {
      await close();
      throw error;
    }
  }
  opened();
  return {
    clock,
    clusters,
    faults,
    scenario: player,
    plan,
    cluster: (name) => {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new Error(`the fleet has no cluster ${name}`);
      return cluster;
    },
    close,
  };
}

function loadedScenario(scenario: FleetOptions["scenario"]): LoadedScenario | undefined {
  if (scenario === undefined) return undefined;
  return "objectsOf" in scenario ? scenario : scenarioWithoutFiles(scenario);
}

function plainClusters({ snapshot, clusters = 0, nodesPerCluster: nodes = 3 }: FleetOptions): ScenarioClusterOptions[] {
  if (snapshot !== undefined) return snapshotClusters(snapshot);
  const names =
    typeof clusters === "number" ? Array.from({ length: clusters }, (_, index) => `member${index + 1}`) : clusters;
  return names.map((name) => ({ name, nodes }));
}

function paceOf(scenario: FleetScenario | undefined): Pace {
  const pace = scenario?.clock?.pace ?? "real";
  return pace === "instant" ? Number.POSITIVE_INFINITY : pace;
}

function startOf(scenario: FleetScenario | undefined, pace: Pace): number | undefined {
  if (scenario === undefined) return undefined;
  if (scenario.clock?.start !== undefined) return Date.parse(scenario.clock.start);
  return pace === "stepped" || pace === Number.POSITIVE_INFINITY ? STEADY_START_MS : undefined;
}

/** The link to a cluster is as it is for good; faults come on top of it. */
function layLink(cluster: SimulatedCluster | undefined, network: PlannedCluster["network"]): void {
  if (cluster === undefined || network === undefined) return;
  const { latency, loss } = network;
  if (latency !== undefined) cluster.link.begin({ kind: "delay", latency });
  if (loss !== undefined && loss > 0) cluster.link.begin({ kind: "lose", share: loss });
}

/** Twice: what was written in this turn may be heard of at its end, and answered at the end of the next. */
async function quiet(loop: KernelLoop): Promise<void> {
  for (let turns = 0; turns < 2; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    await loop.whenIdle();
  }
}
