// A simulated cluster on a clock of its own, for scripts.

import { createFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { JOB_RUNS_MS, NODES, READY_AFTER_MS } from "./script.ts";
import type { WorkloadTarget } from "./target.ts";

/** Half past the fifth second of a minute, so that schedules of minutes do not fall into short scripts. */
const START_MS = Date.UTC(2026, 2, 2, 10, 0, 5, 500);

/** What a write takes of a real server's time: controllers act between one and the next. */
const WRITE_MS = 5;

/** A new cluster with three nodes at level `full`, whose containers take as long as those of the recordings. */
export async function openSimulatedTarget(seed = 1): Promise<WorkloadTarget> {
  const fleet = await createFleet({
    clusters: 1,
    nodesPerCluster: NODES,
    level: "full",
    pace: "stepped",
    seed,
    startMs: START_MS,
    readyAfterMs: READY_AFTER_MS,
  });
  const cluster = fleet.cluster("member1");
  cluster.disturbances.setImageFault("missing*", "pull-fails");
  await fleet.clock.advance(1_000);
  const client = new KubeClient(async (request) => {
    const answer = await cluster.server.handle(request);
    if (request.method !== "GET") await fleet.clock.advance(WRITE_MS);
    return answer;
  });
  return {
    client,
    now: () => fleet.clock.now(),
    pass: (ms) => fleet.clock.advance(ms),
    observe: (_namespace, listener) => {
      const { state } = cluster.server;
      for (const resource of ["nodes", "persistentvolumes"])
        for (const { object } of state.list(resource)) listener({ type: "ADDED", object });
      return Promise.resolve(state.subscribeAll(({ type, object: { object } }) => listener({ type, object })));
    },
    setNodeSilent: (node, silent) => Promise.resolve(cluster.disturbances.setNodeDown(node, silent)),
    close: () => fleet.close(),
  };
}

void JOB_RUNS_MS;
