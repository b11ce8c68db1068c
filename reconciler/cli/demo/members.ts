import { createSimulatedCluster, type SimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { Logger } from "../../../runtime/logger.ts";
import type { SimulatedPlace } from "../simulated-fleet.ts";

/** Where the demo's clusters stand: two regions, three providers. */
export const PLACES: Readonly<Record<string, SimulatedPlace>> = {
  "tokyo-1": { provider: "aws", region: "ap-northeast", zones: ["ap-northeast-1a"] },
  "paris-1": { provider: "gcp", region: "eu-west", zones: ["eu-west-9a"] },
  "paris-2": { provider: "azure", region: "eu-west", zones: ["eu-west-9b"] },
};

export async function startDemoMembers(logger: Logger): Promise<Map<string, SimulatedCluster>> {
  const members = new Map<string, SimulatedCluster>();
  for (const name of Object.keys(PLACES)) {
    members.set(
      name,
      await createSimulatedCluster({
        name,
        clock: systemClock,
        logger: logger.with({ cluster: name }),
        level: "full",
        nodes: 3,
        readyAfterMs: 400,
      }),
    );
  }
  return members;
}
