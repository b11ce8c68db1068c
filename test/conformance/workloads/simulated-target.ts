// A simulated cluster on a clock of its own, for scripts.
import { VirtualClock } from "../../../fleets/simulator/clock/virtual-clock.ts";
import { type BehaviourRule, behavioursOf } from "../../../fleets/simulator/kernel/behaviours.ts";
import { KernelLoop } from "../../../fleets/simulator/kernel/kernel-loop.ts";
import { createSimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { JOB_RUNS_MS, NODES, READY_AFTER_MS, STOPS_AFTER_MS } from "./script.ts";
import type { WorkloadTarget } from "./target.ts";

/** Half past the fifth second of a minute, so that schedules of minutes do not fall into short scripts. */
const START_MS = Date.UTC(2026, 2, 2, 10, 0, 5, 500);
/** What a write takes of a real server's time: controllers act between one and the next. */
const WRITE_MS = 5;
/** Longer than any script. */
const ENDLESS_MS = 86_400_000;
/** Until nodes are what they will be. */
const SETTLED_MS = 1_000;

/** What kwok's stages do in the recordings: `stages.yaml`. */
const BEHAVIOURS: readonly BehaviourRule[] = [
  { selector: {}, startupMs: READY_AFTER_MS, stopMs: STOPS_AFTER_MS },
  { selector: { kind: "Job" }, runsForMs: JOB_RUNS_MS },
  { selector: { kind: "CronJob" }, runsForMs: JOB_RUNS_MS },
  ...[1, 3, 42].map((exitCode) => ({ selector: { image: `*exit-${exitCode}` }, runsForMs: JOB_RUNS_MS, exitCode })),
  { selector: { image: "*endless" }, runsForMs: ENDLESS_MS },
];

/** A new cluster with three nodes at level `full`, whose containers take as long as those of the recordings. */
export async function openSimulatedTarget(seed = 1): Promise<WorkloadTarget> {
  const clock = new VirtualClock({ pace: "stepped", startMs: START_MS });
  const loop = new KernelLoop();
  clock.join(loop);
  const cluster = await createSimulatedCluster({
    name: "simulated",
    clock,
    loop,
    logger: silentLogger,
    random: new Random(seed),
    nodes: NODES,
    level: "full",
    readyAfterMs: READY_AFTER_MS,
    behaviours: behavioursOf(BEHAVIOURS, START_MS),
  });
  cluster.disturbances.setImageFault("missing*", "pull-fails");
  await clock.advance(SETTLED_MS);
  const client = new KubeClient(async (request) => {
    const answer = await cluster.server.handle(request);
    if (request.method !== "GET") await clock.advance(WRITE_MS);
    return answer;
  });
  return {
    client,
    now: () => clock.now(),
    pass: (ms) => clock.advance(ms),
    observe: (_namespace, listener) => {
      const { state } = cluster.server;
      for (const resource of ["nodes", "persistentvolumes"])
        for (const { object } of state.list(resource)) listener({ type: "ADDED", object });
      return Promise.resolve(state.subscribeAll(({ type, object: { object } }) => listener({ type, object })));
    },
    close: async () => {
      clock.close();
      await cluster.close();
    },
  };
}
