// A scheduling loop over an embedded store, without members: for tests and benchmarks.
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding, ResourceBindingSpec } from "../../../api/work.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { installDefinitions } from "../../../reconciler/cli/install.ts";
import { createContext, type Profile } from "../../../reconciler/controllers/context.ts";
import { BindingWriter } from "../../../reconciler/controllers/scheduling/binding-writer.ts";
import { startBindingController } from "../../../reconciler/controllers/scheduling/bindings.ts";
import { FleetState } from "../../../reconciler/controllers/scheduling/fleet-state.ts";
import { BINDING_API_VERSION } from "../../../reconciler/works/binding.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type ClusterWords, cluster } from "../../builders.ts";

export interface LoopWords {
  readonly profile?: Partial<Profile>;
  /** Answers requests of the loop in place of the store. */
  readonly intercept?: (request: ApiRequest) => ApiResponse | undefined;
}

/** What a test or benchmark holds of it. Everything but the loop itself uses `client`, which nothing intercepts. */
export type LoopUnderTest = Awaited<ReturnType<typeof openLoop>>;

/** Opens the store; `start` starts the loop over what is in it by then. */
export async function openLoop(words: LoopWords = {}) {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  const client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const closers: (() => Promise<void>)[] = [() => server.close()];

  async function start() {
    const intercepted = new KubeClient(async (request) => words.intercept?.(request) ?? server.handle(request));
    const context = createContext({
      client: intercepted,
      clock,
      logger: silentLogger,
      newUuid: () => "id",
      ...(words.profile === undefined ? {} : { profile: words.profile }),
    });
    closers.push(() => context.informers.stop());
    context.informers.of("cluster.karmada.io/v1alpha1", "Cluster");
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) context.informers.of(BINDING_API_VERSION, kind);
    await context.informers.synced();
    const fleet = new FleetState(context);
    const writer = new BindingWriter(context, fleet);
    const loop = startBindingController(context, fleet, writer);
    closers.push(() => loop.stop());
    return { context, fleet, writer, loop };
  }

  return {
    client,
    clock,
    start,
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
    /** Adds or replaces a cluster, status included. */
    async putCluster(cluster: Cluster): Promise<void> {
      const ref = { apiVersion: cluster.apiVersion, kind: cluster.kind, name: cluster.metadata.name ?? "" };
      const present = await client.find(ref);
      const stored =
        present === undefined
          ? await client.create(cluster)
          : await client.update({ ...present, ...cluster, metadata: { ...present.metadata, ...cluster.metadata } });
      await client.update({ ...stored, status: cluster.status }, { subresource: "status" });
    },
    async read(name: string): Promise<ResourceBinding> {
      return client.get({ apiVersion: BINDING_API_VERSION, kind: "ResourceBinding", namespace: "shop", name });
    },
    /** Changes fields of the spec, as another writer does. */
    async edit(name: string, spec: Record<string, unknown>): Promise<void> {
      const ref = { apiVersion: BINDING_API_VERSION, kind: "ResourceBinding", namespace: "shop", name };
      await client.patch(ref, { spec }, "merge");
    },
  };
}

/** A cluster with room for so many cores. */
export function roomy(name: string, cpu: number, words: Partial<ClusterWords> = {}): Cluster {
  return cluster({ name, allocatable: { cpu: String(cpu), pods: "1000" }, ...words });
}

export const DYNAMIC: Placement = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};

/** A binding as it is made from a template under a policy, without clusters. */
export function unscheduled(
  name: string,
  placement: Placement,
  spec: Partial<ResourceBindingSpec> = {},
): ResourceBinding {
  return {
    apiVersion: BINDING_API_VERSION,
    kind: "ResourceBinding",
    metadata: { name, namespace: "shop", labels: { "propagationpolicy.karmada.io/permanent-id": "id-of-policy" } },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name, namespace: "shop" },
      replicas: 2,
      replicaRequirements: { resourceRequest: { cpu: "1" } },
      placement,
      ...spec,
    },
  };
}
