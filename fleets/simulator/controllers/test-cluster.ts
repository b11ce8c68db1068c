// A cluster for tests of single controllers: nobody else acts in it, so that Pods are as the test makes them.
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { seededIdentities } from "../../apiserver/registry/identities.ts";
import { type ApiServer, createApiServer } from "../../apiserver/server.ts";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { ClusterKernel } from "../kernel/cluster-kernel.ts";
import type { Controller } from "../kernel/controller.ts";
import { Disturbances } from "../kernel/disturbances.ts";
import { KernelLoop } from "../kernel/kernel-loop.ts";
import { limitRangeAdmission } from "./quota/limit-range-admission.ts";
import { quotaAdmission } from "./quota/quota-admission.ts";
import { quotaReader } from "./quota/quota-ledger.ts";

export interface TestCluster {
  readonly client: KubeClient;
  readonly clock: VirtualClock;
  /** Objects of a kind in the namespace `default`, by name. */
  list(apiVersion: string, kind: string): Promise<KubeObject[]>;
  /** The Events so far: `type reason: message` and how often, by time. */
  events(): Promise<string[]>;
  /** Sets a part of an object's status, as its own controller would. */
  setStatus(ref: ObjectRef, status: Readonly<Record<string, unknown>>): Promise<void>;
  /** Stops the controllers and starts others in their place, as a restart does. */
  restart(controllers: readonly Controller[]): void;
  close(): Promise<void>;
}

/** Starts a cluster in which only the given controllers act, at midnight of 2026 unless told otherwise. */
export async function startControllers(
  controllers: readonly Controller[],
  startMs = Date.UTC(2026, 0, 1),
): Promise<TestCluster> {
  const clock = new VirtualClock({ pace: "stepped", startMs });
  const random = new Random(1);
  const loop = new KernelLoop();
  clock.join(loop);
  const identities = seededIdentities(() => random.next());
  const server: ApiServer = await createApiServer({
    name: "paris",
    clock,
    logger: silentLogger,
    historyEvents: 500,
    identities,
    admission: [
      limitRangeAdmission(() => quotaReader(server.state)),
      quotaAdmission(
        () => quotaReader(server.state),
        () => clock.now(),
      ),
    ],
  });
  const client = new KubeClient(server.handle);
  const start = (each: readonly Controller[]): ClusterKernel =>
    new ClusterKernel({
      server,
      client,
      clock,
      random,
      logger: silentLogger,
      traits: { name: "paris", kubernetesVersion: "v1.36.3", readyAfterMs: 100, jobRunsMs: 1_000, events: true },
      disturbances: new Disturbances(),
      controllers: each,
      loop,
    });
  let kernel = start(controllers);
  return {
    client,
    clock,
    list: async (apiVersion, kind) => (await client.list(apiVersion, kind, { namespace: "default" })).items,
    events: async () => {
      const { items } = await client.list("v1", "Event", { namespace: "default" });
      return items
        .sort((a, b) => String(a.metadata.resourceVersion).localeCompare(String(b.metadata.resourceVersion)))
        .map(({ type, reason, message, count }) => `${type} ${reason}: ${message}${count === 1 ? "" : ` x${count}`}`);
    },
    setStatus: async (ref, status) => {
      await client.patch(ref, { status }, "merge", { subresource: "status" });
    },
    restart: (next) => {
      kernel.stop();
      kernel = start(next);
    },
    close: async () => {
      clock.close();
      kernel.stop();
      await server.close();
    },
  };
}
