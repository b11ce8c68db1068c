// Plays losses on a simulated fleet under a whole control plane, and watches how many replicas of each workload serve.

import type { Cluster } from "../../api/cluster.ts";
import type { ResourceBinding } from "../../api/work.ts";
import type { LoadedScenario } from "../../fleets/simulator/scenario/load-scenario.ts";
import { createFleet, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { findCondition } from "../../kube/conditions.ts";
import { isObject, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { endlessTurns } from "../../runtime/turn.ts";
import type { Profile } from "../controllers/context.ts";
import { inStages } from "../controllers/sync/sync-steps.ts";
import type { SimulatedLoss, SimulationReport } from "../reports/simulation-text.ts";
import { objectName } from "../reports/words.ts";
import { AvailabilityRecord, type Serving } from "../simulation/availability.ts";
import { type Loss, lossName } from "../simulation/losses.ts";
import { type Dark, darkBy, servingReplicas } from "../simulation/serving-replicas.ts";
import { bindingNews, clusterNews, Story } from "../simulation/story.ts";
import { bindingName } from "../works/naming.ts";
import { createVirtualPlane, type VirtualPlane } from "./virtual-plane.ts";

/** What is simulated. */
export interface SimulationOptions {
  readonly scenario: LoadedScenario;
  /** Asked of the control plane's kinds before anything runs: what is applied. */
  readonly objectsFor: (plane: VirtualPlane) => Promise<readonly KubeObject[]>;
  readonly losses: readonly Loss[];
  readonly profile: Partial<Profile>;
  /** `safe`, `karmada` or `off`; for the report. */
  readonly failover: string;
  /** How long each loss lasts, and for how long is watched after it; milliseconds. */
  readonly lossMs: number;
  readonly afterMs: number;
  readonly seed: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told before each loss. */
  readonly onLoss?: (loss: Loss) => void;
}

/** Until then everything must serve that is to serve. */
const SETTLE_MS = 600_000;
/** Clusters report what room they have left, and nothing is on its way any more. */
const REST_MS = 60_000;
/** With everything home for so long, nothing more is to be seen. */
const QUIET_MS = 120_000;
/** Of the fleet's time, between two looks at whether somebody has interrupted. */
const STRIDE_MS = 60_000;
const WORKLOADS = /^apps\/\w+ (Deployment|ReplicaSet|StatefulSet)$/;

/**
 * Plays each loss on a fresh fleet, so that none depends on the ones before. Throws `simulation-not-settled` when the
 * workloads do not come up while all is well, with what the control plane says of it.
 */
export async function simulateLosses(options: SimulationOptions): Promise<SimulationReport> {
  const { losses, failover, lossMs, afterMs } = options;
  // The same on every machine, however busy.
  endlessTurns();
  const simulated: SimulatedLoss[] = [];
  let placed: SimulationReport["placed"] | undefined;
  for (const loss of losses) {
    options.signal.throwIfAborted();
    options.onLoss?.(loss);
    const stage = await openStage(options);
    try {
      placed ??= stage.workloads.map((workload) => ({
        object: refOf(workload),
        desired: desiredReplicas(workload),
        serving: servingReplicas(workload, stage.fleet.clusters.values(), undefined),
      }));
      simulated.push(await playLoss(options, stage, loss));
    } finally {
      await stage.close();
    }
  }
  return { placed: placed ?? [], losses: simulated, failover, lossMs, afterMs };
}

interface Stage {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;
  readonly workloads: readonly KubeObject[];
  close(): Promise<void>;
}

async function openStage(options: SimulationOptions): Promise<Stage> {
  const { scenario, seed, logger, profile } = options;
  const fleet = await createFleet({ scenario, seed, pace: "stepped", logger, holdTimeline: true });
  let plane: VirtualPlane | undefined;
  const close = async (): Promise<void> => {
    await plane?.close();
    await fleet.close();
  };
  try {
    plane = await createVirtualPlane({ fleet, profile, seed, logger });
    await plane.start();
    await plane.join();
    await fleet.clock.advance(REST_MS);
    const objects = await options.objectsFor(plane);
    for (const { objects: group } of inStages(objects)) {
      for (const object of group) await plane.client.apply(object, { fieldManager: "flaghoist", force: true });
      await plane.client.mapper.refresh();
    }
    const workloads = objects.filter(({ apiVersion, kind }) => WORKLOADS.test(`${apiVersion} ${kind}`));
    if (workloads.length === 0)
      throw new AppError(
        "simulation-without-workloads",
        "there is no Deployment, StatefulSet or ReplicaSet among the objects: nothing whose replicas could be watched",
        { recovery: "stall" },
      );
    await settle(plane, fleet, workloads);
    return { fleet, plane, workloads, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function settle(plane: VirtualPlane, fleet: SimulatedFleet, workloads: readonly KubeObject[]): Promise<void> {
  const missing = (): readonly KubeObject[] =>
    workloads.filter((workload) => {
      const serving = servingReplicas(workload, fleet.clusters.values(), undefined);
      return total(serving) < desiredReplicas(workload);
    });
  if (await fleet.clock.runUntil(() => missing().length === 0, SETTLE_MS)) {
    await fleet.clock.advance(REST_MS);
    if (missing().length === 0) return;
  }
  const problems = await Promise.all(missing().map((workload) => whyMissing(plane, fleet, workload)));
  throw new AppError("simulation-not-settled", `before anything failed, ${problems.join("; ")}`, { recovery: "stall" });
}

async function whyMissing(plane: VirtualPlane, fleet: SimulatedFleet, workload: KubeObject): Promise<string> {
  const { kind, metadata } = workload;
  const ref: ObjectRef = {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    namespace: metadata.namespace,
    name: bindingName(kind, metadata.name ?? ""),
  };
  const serving = total(servingReplicas(workload, fleet.clusters.values(), undefined));
  const what = `${kind} ${metadata.namespace}/${metadata.name} had ${serving} of ${desiredReplicas(workload)} replicas serving`;
  const binding = await plane.client.find<ResourceBinding>(ref);
  if (binding === undefined) return `${what}: no policy selects it`;
  const scheduled = findCondition(binding.status?.conditions, "Scheduled");
  return scheduled?.status === "True"
    ? `${what}, although it is scheduled`
    : `${what}: ${scheduled?.message ?? "it is not scheduled"}`;
}

async function playLoss(options: SimulationOptions, stage: Stage, loss: Loss): Promise<SimulatedLoss> {
  const { fleet, plane, workloads } = stage;
  const { clock } = fleet;
  const records = new Map(workloads.map((workload) => [refKey(refOf(workload)), new AvailabilityRecord()]));
  const story = new Story();
  let dark: Dark | undefined;
  const look = (): void => {
    for (const workload of workloads) {
      const serving = servingReplicas(workload, fleet.clusters.values(), dark);
      records.get(refKey(refOf(workload)))?.note(clock.now(), serving);
      story.count(clock.now(), objectName(refOf(workload)), total(serving), desiredReplicas(workload));
    }
  };
  look();
  await clock.advance(1);
  const lostAtMs = clock.now();
  dark = darkBy(loss.target, fleet.clusters.values());
  story.tell(clock.now(), `${lossName(loss)} fails`);
  const stopListening = listen(plane, workloads, (words) => story.tell(clock.now(), words));
  const fault = fleet.faults.begin({ type: "outage", target: loss.target });
  look();
  await watch(options, fleet, options.lossMs, () => {
    look();
    return false;
  });
  fleet.faults.end(fault);
  dark = undefined;
  const backAtMs = clock.now();
  story.tell(backAtMs, `${lossName(loss)} is back`);
  const spanTo = (untilMs: number) => ({ lostAtMs, backAtMs, untilMs });
  const isQuiet = (): boolean =>
    workloads.every((workload) => {
      const record = records.get(refKey(refOf(workload)));
      const { homeAfterMs } = record?.survival(desiredReplicas(workload), spanTo(clock.now())) ?? {};
      return homeAfterMs !== undefined && clock.now() - backAtMs - homeAfterMs >= QUIET_MS;
    });
  await watch(options, fleet, options.afterMs, () => {
    look();
    return isQuiet();
  });
  stopListening();
  const survivals = workloads.flatMap((workload) => {
    const record = records.get(refKey(refOf(workload)));
    const survival = record?.survival(desiredReplicas(workload), spanTo(clock.now()));
    const isConcerned = survival !== undefined && loss.clusters.some((name) => (survival.before[name] ?? 0) > 0);
    return isConcerned ? [{ object: refOf(workload), survival }] : [];
  });
  return { loss, survivals, story: story.since(lostAtMs) };
}

/** Tells of what changes in the control plane, until the returned function is called. */
function listen(plane: VirtualPlane, workloads: readonly KubeObject[], tell: (words: string) => void): () => void {
  const bindings = new Set(
    workloads.map(({ kind, metadata }) => `${metadata.namespace}/${bindingName(kind, metadata.name ?? "")}`),
  );
  return plane.store.state.subscribeAll(({ type, object: { object }, previous }) => {
    if (type === "DELETED") return;
    const before = previous?.object;
    // Of the kinds that they say to be.
    if (object.kind === "Cluster")
      for (const words of clusterNews(before as Cluster | undefined, object as Cluster)) tell(words);
    if (object.kind !== "ResourceBinding") return;
    if (!bindings.has(`${object.metadata.namespace}/${object.metadata.name}`)) return;
    for (const words of bindingNews(before as ResourceBinding | undefined, object as ResourceBinding)) tell(words);
  });
}

/** Lets time pass, looking after each instant, until `isOver` or the end. */
async function watch(
  { signal }: SimulationOptions,
  { clock }: SimulatedFleet,
  forMs: number,
  isOver: () => boolean,
): Promise<void> {
  const end = clock.now() + forMs;
  while (clock.now() < end) {
    signal.throwIfAborted();
    const stride = Math.min(STRIDE_MS, end - clock.now());
    const strideEnd = clock.now() + stride;
    if (await clock.runUntil(isOver, stride)) return;
    await clock.advance(strideEnd - clock.now());
    // Whoever interrupts is heard in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function total(serving: Serving): number {
  return Object.values(serving).reduce((sum, replicas) => sum + replicas, 0);
}

function desiredReplicas({ spec }: KubeObject): number {
  const replicas = isObject(spec) ? spec["replicas"] : undefined;
  return typeof replicas === "number" ? replicas : 1;
}
