// The simulated members that `up` starts: some plain ones, or the fleet of a scenario.
import { resolve } from "node:path";
import { loadFleetScenario } from "../../fleets/simulator/scenario/load-scenario.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { createFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type Invocation, stringOption, UsageError } from "./command.ts";
import type { ControlPlane, ControlPlaneOptions } from "./control-plane.ts";
import { placeOf, registerSimulated } from "./simulated-fleet.ts";

export interface SimulatedMembers {
  readonly members: NonNullable<ControlPlaneOptions["members"]>;
  /** Registers them; a scenario's timeline begins when all are. */
  join(plane: ControlPlane): Promise<void>;
  close(): Promise<void>;
}

/** As `--simulate` and `--fleet` say; none without them. */
export async function startMembers(invocation: Invocation, logger: Logger): Promise<SimulatedMembers> {
  const file = stringOption(invocation, "fleet");
  if (file === undefined) return startPlainMembers(invocation, logger);
  if (stringOption(invocation, "simulate") !== undefined)
    throw new UsageError("--simulate and --fleet both say which clusters there are; choose one of them");
  return startFleetMembers(invocation, file, logger);
}

async function startFleetMembers({ io }: Invocation, file: string, logger: Logger): Promise<SimulatedMembers> {
  const scenario = await loadFleetScenario(resolve(io.cwd, file), file);
  const { pace } = scenario.scenario.clock ?? {};
  if (pace === "stepped" || pace === "instant")
    throw new UsageError(
      `${file} has a clock of the pace ${pace}, and a control plane lives in real time; 'fleet play' is for such scenarios`,
    );
  const fleet = await createFleet({ scenario, logger, holdTimeline: true });
  // Faults hold for whoever comes by the listener, too.
  const members = [...fleet.clusters.values()].map(
    ({ name, served, transport }) => [name, { server: served, transport }] as const,
  );
  return {
    members: new Map(members),
    join: async (plane) => {
      for (const planned of fleet.plan) await registerSimulated(plane, fleet.cluster(planned.name), placeOf(planned));
      fleet.scenario?.begin();
    },
    close: () => fleet.close(),
  };
}

async function startPlainMembers(invocation: Invocation, logger: Logger): Promise<SimulatedMembers> {
  const text = stringOption(invocation, "simulate") ?? "0";
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > 500)
    throw new UsageError(`--simulate takes a number from 0 to 500, not "${text}"`);
  const members = new Map<string, SimulatedCluster>();
  for (let i = 1; i <= count; i++) {
    const name = `member${i}`;
    members.set(
      name,
      await createSimulatedCluster({
        name,
        clock: systemClock,
        logger: logger.with({ cluster: name }),
        level: count > 20 ? "fast" : "full",
      }),
    );
  }
  return {
    members,
    join: async (plane) => {
      for (const cluster of members.values()) await registerSimulated(plane, cluster, {});
    },
    close: async () => {
      for (const cluster of members.values()) await cluster.close();
    },
  };
}
