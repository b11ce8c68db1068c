import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { ClusterRoom } from "../../../fleets/estimator/cluster-room.ts";
import { startGrpcServer } from "../../../fleets/estimator/grpc/server.ts";
import { GrpcError } from "../../../fleets/estimator/grpc/status.ts";
import { LocalEstimator } from "../../../fleets/estimator/local-estimator.ts";
import { decodeReplicasRequest, encodeCount, type PendingWorkload } from "../../../fleets/estimator/messages.ts";
import { readNodeDetails } from "../../../fleets/estimator/pod-facts.ts";
import { RemoteEstimators } from "../../../fleets/estimator/remote-estimators.ts";
import { METHODS } from "../../../fleets/estimator/service.ts";
import { nodeObject } from "../../../fleets/simulator/nodes.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger, silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { decideScheduling } from "../../scheduler/decide-scheduling.ts";
import type { ExternalEstimate } from "../../scheduler/options.ts";
import { createContext, type Profile } from "../context.ts";
import { AccurateEstimates } from "./accurate-estimates.ts";
import { FleetState } from "./fleet-state.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BY_ROOM: Placement = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};

function cluster(name: string): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push" },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      resourceSummary: { allocatable: { cpu: "100", pods: "100" } },
    },
  };
}

function binding(placement: Placement, more: Partial<ResourceBinding["spec"]> = {}): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      labels: { "propagationpolicy.karmada.io/permanent-id": "1" },
    },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
      replicas: 6,
      replicaRequirements: { namespace: "shop", resourceRequest: { cpu: "1" } },
      placement,
      ...more,
    },
  };
}

interface Setting {
  readonly clusters: readonly string[];
  readonly local?: (cluster: string) => ClusterRoom | undefined;
  /** A number, or what goes wrong; absent: the cluster has no estimator. */
  readonly remote?: Readonly<Record<string, number | "fails" | "hangs">>;
  readonly profile?: Partial<Profile>;
  readonly assumed?: readonly PendingWorkload[];
}

async function estimates(setting: Setting): Promise<{ input: AccurateEstimates; fleet: FleetState; log: string[] }> {
  const log: string[] = [];
  const logger = createLogger({
    level: "warn",
    format: "json",
    write: (line) => log.push(line),
    now: () => systemClock.now(),
  });
  // No store answers here: the fleet is told by hand.
  const client = new KubeClient(() => new Promise(() => {}));
  const context = createContext({
    client,
    clock: systemClock,
    logger,
    newUuid: () => "",
    ...(setting.profile === undefined ? {} : { profile: setting.profile }),
  });
  const fleet = new FleetState(context);
  for (const name of setting.clusters) fleet.index.set(cluster(name));
  const { local } = setting;
  const input = new AccurateEstimates({
    context,
    fleet,
    local:
      local === undefined
        ? undefined
        : new LocalEstimator({
            cluster: (name) => {
              const room = local(name);
              return room && { client, room, hasSynced: () => true, quotasOf: () => [] };
            },
            assumed: true,
          }),
    remote: setting.remote === undefined ? undefined : await startRemote(setting.remote),
    assumedIn: () => setting.assumed ?? [],
  });
  return { input, fleet, log };
}

async function startRemote(answers: NonNullable<Setting["remote"]>): Promise<RemoteEstimators> {
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    methods: new Map([
      [
        METHODS.replicas,
        async (bytes) => {
          const answer = answers[decodeReplicasRequest(bytes).cluster];
          if (answer === "hangs") await new Promise(() => {});
          if (typeof answer !== "number") throw new GrpcError("UNKNOWN", "no idea");
          return encodeCount(answer);
        },
      ],
    ]),
  });
  const remote = new RemoteEstimators({
    timeoutMs: 200,
    resolve: async () => [`127.0.0.1:${server.port}`],
    tls: () => undefined,
    clock: systemClock,
    logger: silentLogger,
  });
  closers.push(
    () => server.close(),
    () => remote.close(),
  );
  for (const name of Object.keys(answers)) remote.add(name);
  await eventually(() => expect(Object.keys(answers).every((name) => remote.has(name))).toBe(true));
  return remote;
}

function roomOf(...cpus: readonly string[]): ClusterRoom {
  const room = new ClusterRoom();
  for (const [index, cpu] of cpus.entries())
    room.setNode(readNodeDetails(nodeObject(`node-${index}`, { cpu, memory: "64Gi", pods: 110 }, 0)));
  return room;
}

function told(list: readonly ExternalEstimate[] | undefined, clusters: readonly string[]): unknown {
  return list?.map((estimate) =>
    Object.fromEntries(
      clusters.flatMap((name) => {
        const replicas = estimate.replicasOf(name);
        return replicas === undefined ? [] : [[name, replicas]];
      }),
    ),
  );
}

describe("AccurateEstimates, in this process", () => {
  it("tells at once what fits on the nodes of the candidates, and the decision follows it", async () => {
    const rooms = new Map([
      ["a", roomOf("4", "4")],
      ["b", roomOf("500m", "500m")],
      ["c", roomOf("64")],
    ]);
    const { input, fleet } = await estimates({ clusters: ["a", "b", "c"], local: (name) => rooms.get(name) });
    const asked = binding({ ...BY_ROOM, clusterAffinity: { clusterNames: ["a", "b"] } });

    const options = input.optionsFor(asked);

    if (options instanceof Promise) throw new Error("it waits");
    expect(told(options.estimates, ["a", "b", "c"])).toEqual([{ a: 8, b: 0 }]);
    expect(decideScheduling(asked, fleet.index, 0, options).clusters).toEqual([{ name: "a", replicas: 6 }]);
  });

  it("says nothing of clusters that it does not know yet", async () => {
    const { input } = await estimates({
      clusters: ["a", "b"],
      local: (name) => (name === "a" ? roomOf("4") : undefined),
    });
    expect(told((await input.optionsFor(binding(BY_ROOM))).estimates, ["a", "b"])).toEqual([{ a: 4 }]);
  });

  it("takes off what is on its way", async () => {
    const components = [{ name: "c", replicas: 3, replicaRequirements: { resourceRequest: { cpu: "1" } } }];
    const assumed = [{ namespace: "shop", components }];
    const { input } = await estimates({ clusters: ["a"], local: () => roomOf("4"), assumed });
    expect(told((await input.optionsFor(binding(BY_ROOM))).estimates, ["a"])).toEqual([{ a: 1 }]);
  });

  it.each<[string, ResourceBinding]>([
    ["has no replicas", binding(BY_ROOM, { replicas: 0 })],
    ["goes everywhere", binding({})],
    [
      "is divided by fixed weights",
      binding({ replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } }),
    ],
    ["waits for another scheduler", binding(BY_ROOM, { schedulerName: "other" })],
    ["is not claimed", { ...binding(BY_ROOM), metadata: { name: "web-deployment", namespace: "shop" } }],
  ])("asks nobody about a binding that %s", async (_what, asked) => {
    const { input } = await estimates({
      clusters: ["a"],
      local: () => {
        throw new Error("nobody should ask");
      },
    });
    expect(input.optionsFor(asked)).toEqual({});
  });

  it("asks again only when the binding is to be scheduled", async () => {
    const { input, fleet } = await estimates({ clusters: ["a"], local: () => roomOf("64") });
    const asked = binding(BY_ROOM);
    const decision = decideScheduling(asked, fleet.index, 0, await input.optionsFor(asked));
    const scheduled: ResourceBinding = {
      ...asked,
      metadata: { ...asked.metadata, annotations: { ...decision.annotations } },
      spec: { ...asked.spec, clusters: [...(decision.clusters ?? [])] },
    };
    expect(input.optionsFor(scheduled)).toEqual({});
  });
});

describe("AccurateEstimates, by protocol", () => {
  it("tells what each cluster's estimator says, and passes over clusters without one", async () => {
    const { input } = await estimates({ clusters: ["a", "b", "c"], remote: { a: 3, b: 0 } });
    expect(told((await input.optionsFor(binding(BY_ROOM))).estimates, ["a", "b", "c"])).toEqual([{ a: 3, b: 0 }]);
  });

  it.each(["fails", "hangs"] as const)(
    "leaves estimators out for all clusters when one %s, and says so",
    async (fault) => {
      const { input, fleet, log } = await estimates({ clusters: ["a", "b"], remote: { a: 3, b: fault } });
      const asked = binding(BY_ROOM);

      const options = await input.optionsFor(asked);

      expect(told(options.estimates, ["a", "b"])).toEqual([{}]);
      // Decided by what the clusters report.
      expect(decideScheduling(asked, fleet.index, 0, options)).toMatchObject({ verdict: "scheduled" });
      expect(log).toHaveLength(1);
      expect(JSON.parse(log[0] ?? "")).toMatchObject({
        message: "scheduled without estimator",
        binding: "ResourceBinding/shop/web-deployment",
        clusters: ["b"],
      });
    },
  );

  it("asks only clusters that the binding may go to", async () => {
    const { input } = await estimates({ clusters: ["a", "b"], remote: { a: 3, b: "fails" } });
    const asked = binding({ ...BY_ROOM, clusterAffinity: { clusterNames: ["a"] } });
    expect(told((await input.optionsFor(asked)).estimates, ["a", "b"])).toEqual([{ a: 3 }]);
  });

  it("lets a failure in a later affinity group not spoil an earlier one", async () => {
    const { input } = await estimates({ clusters: ["a", "b"], remote: { a: 3, b: "fails" } });
    const asked = binding({
      ...BY_ROOM,
      clusterAffinities: [
        { affinityName: "first", clusterNames: ["a"] },
        { affinityName: "second", clusterNames: ["a", "b"] },
      ],
    });
    expect(told((await input.optionsFor(asked)).estimates, ["a", "b"])).toEqual([{ a: 3 }]);
  });

  it("counts a cluster without estimator as failing where Karmada's ways are asked for", async () => {
    const profile: Partial<Profile> = { compatibility: "karmada" };
    const { input } = await estimates({ clusters: ["a", "b"], remote: { a: 3 }, profile });
    expect(told((await input.optionsFor(binding(BY_ROOM))).estimates, ["a", "b"])).toEqual([{}]);
  });

  it("tells beside what is known in this process", async () => {
    const { input, fleet } = await estimates({ clusters: ["a"], local: () => roomOf("64"), remote: { a: 3 } });
    const asked = binding(BY_ROOM);
    const options = await input.optionsFor(asked);
    expect(told(options.estimates, ["a"])).toEqual([{ a: 64 }, { a: 3 }]);
    expect(decideScheduling(asked, fleet.index, 0, options).error?.message).toContain("3 are not enough");
  });
});
