// Whole control planes on the clock of a simulated fleet: minutes of theirs pass in milliseconds, and a run can be had again.
import { builtinKinds } from "../../fleets/apiserver/kinds/builtin.ts";
import { seededIdentities } from "../../fleets/apiserver/registry/identities.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { CLUSTER_DEFINITION, clusterKind } from "../../fleets/cluster-kind.ts";
import { Activity } from "../../fleets/simulator/clock/activity.ts";
import type { SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { type Logger, silentLogger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { DEFAULT_PROFILE, type Profile } from "../controllers/context.ts";
import type { Manager } from "../controllers/manager.ts";
import { QuotaEnforcement } from "../controllers/quota/quota-enforcement.ts";
import { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import type { GitFetcher } from "../controllers/sync/git-repository.ts";
import { karmadaAdmission } from "./admission.ts";
import { installDefinitions } from "./install.ts";
import { placeOf, registerSimulated } from "./simulated-fleet.ts";
import { createSyncRenderer } from "./sync-renderer.ts";
import { type InstanceWays, VirtualInstance } from "./virtual-instance.ts";

/** What a virtual plane is made of. */
export interface VirtualPlaneOptions {
  /** Its clock must be a stepped one, or one that does not wait. */
  readonly fleet: SimulatedFleet;
  readonly profile?: Partial<Profile>;
  /** Where Syncs get their files; without one every GitRepository is refused. */
  readonly fetcher?: GitFetcher;
  /** What lies between the plane and a member, in place of the plain way: for whoever breaks it. */
  readonly way?: (cluster: string, plain: Transport) => Transport;
  /** Determines uids and names; 1 by default. */
  readonly seed?: number;
  readonly logger?: Logger;
}

/** A store, and the control planes over it that are started. */
export interface VirtualPlane {
  /** As users of the store. */
  readonly client: KubeClient;
  /** The store itself, to be read and listened to. */
  readonly store: ApiServer;
  /** Counted while the plane has something to do. */
  readonly activity: Activity;
  /** Instances that run, oldest first. */
  readonly instances: readonly VirtualInstance[];
  /**
   * Starts a process of the control plane over the store: the first one, the one after a crash, or a second one beside it.
   * Resolves when all its loops run; with an election, that is when it has become the leader.
   */
  start(ways?: InstanceWays): Promise<VirtualInstance>;
  /** Registers clusters of the fleet as members; all when none is named. */
  join(...names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const NO_SOURCES: GitFetcher = {
  fetch: () => Promise.reject(new Error("this control plane has no sources")),
  forget: async () => {},
  sweep: () => {},
};

/** Opens an empty store in memory with our definitions, on the fleet's clock. Nothing runs until `start`. */
export async function createVirtualPlane(options: VirtualPlaneOptions): Promise<VirtualPlane> {
  const { fleet, logger = silentLogger } = options;
  if (fleet.clock.pace !== "stepped" && fleet.clock.pace !== Number.POSITIVE_INFINITY)
    throw new Error("a virtual plane needs a fleet whose clock is stepped, or does not wait");
  const random = new Random(options.seed ?? 1);
  const identities = seededIdentities(() => random.next());
  const profile = { ...DEFAULT_PROFILE, ...options.profile };
  const activity = new Activity();
  const leave = fleet.clock.join(activity);
  const clock = activity.clock(fleet.clock);
  const ledger = new QuotaLedger(clock);
  const running: VirtualInstance[] = [];
  const acting = (): Manager | undefined => running.findLast(({ isLeader }) => isLeader)?.manager;
  const { featureGates, compatibility, allowNoExecuteTaintPolicy } = profile;
  const store = await createApiServer({
    name: "control-plane",
    clock,
    logger,
    identities,
    historyEvents: 2_000,
    admission: [
      karmadaAdmission({
        clock,
        newUuid: identities.uid,
        featureGates,
        compatibility,
        allowNoExecuteTaintPolicy,
        quotas: new QuotaEnforcement(() => client, ledger),
        policies: () => acting()?.policies,
        customizations: () => acting()?.customizations() ?? [],
      }),
    ],
    kinds: [...builtinKinds(), clusterKind()],
  });
  const heard = activity.heard((request) => activity.awaits(store.handle(request)));
  const client = new KubeClient(heard);
  await installDefinitions(client, clock, { builtIn: [CLUSTER_DEFINITION] });
  const renderer = createSyncRenderer(profile);
  const { fetcher = NO_SOURCES, way = (_cluster, plain) => plain } = options;
  let started = 0;
  return {
    client,
    store,
    activity,
    instances: running,
    start: async (ways = {}) => {
      const name = ways.name ?? `instance-${++started}`;
      const instance = new VirtualInstance({
        name,
        ways,
        store: heard,
        local: (cluster) => {
          const plain = fleet.clusters.get(cluster)?.transport;
          return plain === undefined ? undefined : way(cluster, plain);
        },
        activity,
        clock,
        logger: logger.with({ instance: name }),
        newUuid: identities.uid,
        random,
        profile,
        ledger,
        fetcher: { ...fetcher, fetch: (...args) => activity.awaits(fetcher.fetch(...args)) },
        renderer: { ...renderer, render: (...args) => activity.awaits(renderer.render(...args)) },
        onEnd: () => void running.splice(running.indexOf(instance), 1),
      });
      running.push(instance);
      await instance.start();
      return instance;
    },
    join: async (...names) => {
      const plan = new Map(fleet.plan.map((planned) => [planned.name, placeOf(planned)]));
      for (const cluster of fleet.clusters.values()) {
        if (names.length > 0 && !names.includes(cluster.name)) continue;
        await registerSimulated(
          { client, url: "https://control-plane.invalid", memberKubeconfig: () => "{}" },
          cluster,
          plan.get(cluster.name) ?? {},
        );
      }
    },
    close: async () => {
      for (const instance of [...running]) await instance.stop();
      await renderer.close();
      await store.close();
      leave();
    },
  };
}
