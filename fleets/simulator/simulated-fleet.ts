// Many simulated clusters on one clock.

import type { Logger } from "../../runtime/logger.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { type Pace, VirtualClock } from "./clock/virtual-clock.ts";
import { FleetFaults } from "./faults/fleet-faults.ts";
import { KernelLoop } from "./kernel/kernel-loop.ts";
import { createSimulatedCluster, type Level, type SimulatedCluster } from "./simulated-cluster.ts";

export interface FleetOptions {
  /** How many clusters, called `member1` and so on; or their names. */
  readonly clusters: number | readonly string[];
  /** 3 by default. */
  readonly nodesPerCluster?: number;
  /** `full` by default. */
  readonly level?: Level;
  /** Determines everything that is left to chance; 1 by default. */
  readonly seed?: number;
  /** `real` by default. */
  readonly pace?: Pace;
  /** Where the fleet's clock begins, milliseconds since the epoch; the machine's time by default. */
  readonly startMs?: number;
  readonly readyAfterMs?: number;
  readonly logger?: Logger;
}

export interface SimulatedFleet {
  readonly clock: VirtualClock;
  readonly clusters: ReadonlyMap<string, SimulatedCluster>;
  /** What goes wrong in it. */
  readonly faults: FleetFaults;
  /** The cluster of that name; throws when there is none. */
  cluster(name: string): SimulatedCluster;
  close(): Promise<void>;
}

/** Starts a fleet in this process, without any socket. */
export async function createFleet(options: FleetOptions): Promise<SimulatedFleet> {
  const { nodesPerCluster: nodes = 3, level = "full", seed = 1, pace = "real", logger = silentLogger } = options;
  const clock = new VirtualClock({ pace, ...(options.startMs === undefined ? {} : { startMs: options.startMs }) });
  const loop = new KernelLoop();
  clock.join(loop);
  const chance = new Random(seed);
  const clusters = new Map<string, SimulatedCluster>();
  for (const name of namesOf(options.clusters)) {
    const cluster = await createSimulatedCluster({
      name,
      clock,
      logger: logger.with({ cluster: name }),
      nodes,
      level,
      random: new Random(chance.below(2 ** 32)),
      loop,
      ...(options.readyAfterMs === undefined ? {} : { readyAfterMs: options.readyAfterMs }),
    });
    clusters.set(name, cluster);
    // A fleet of hundreds would keep everybody else waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const faults = new FleetFaults({ clusters: [...clusters.values()], clock, logger, random: chance });
  clock.join(faults);
  return {
    clock,
    clusters,
    faults,
    cluster: (name) => {
      const cluster = clusters.get(name);
      if (cluster === undefined) throw new Error(`the fleet has no cluster ${name}`);
      return cluster;
    },
    close: async () => {
      clock.close();
      for (const cluster of clusters.values()) await cluster.close();
    },
  };
}

function namesOf(clusters: FleetOptions["clusters"]): readonly string[] {
  return typeof clusters === "number" ? Array.from({ length: clusters }, (_, index) => `member${index + 1}`) : clusters;
}
