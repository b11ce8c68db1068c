// A fleet for tests of faults: two clusters, moved step by step.
import type { WatchEvent } from "../../../kube/client/kube-client.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { createFleet, type FleetOptions, type SimulatedFleet } from "../simulated-fleet.ts";

export const START = Date.UTC(2026, 0, 1);
export const member1 = { clusters: ["member1"] };
const closers: (() => Promise<void>)[] = [];

/** To be called after each test. */
export async function closeFleets(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export async function start(options: Partial<FleetOptions> = {}): Promise<SimulatedFleet> {
  const fleet = await createFleet({
    ...(options.scenario === undefined ? { clusters: 2 } : {}),
    pace: "stepped",
    startMs: START,
    ...options,
  });
  closers.push(() => fleet.close());
  return fleet;
}

/** Asks a cluster as the control plane does. */
export function get(fleet: SimulatedFleet, path: string, cluster = "member1"): Promise<ApiResponse> {
  return fleet.cluster(cluster).transport({ method: "GET", path });
}

export async function json(answer: ApiResponse): Promise<Record<string, unknown>> {
  return JSON.parse(Buffer.from(answer.body as Uint8Array).toString("utf8")) as Record<string, unknown>;
}

export function deployment(replicas: number, image = "web:1"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
    },
  };
}

export const WEB: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };

export async function ready(fleet: SimulatedFleet, cluster = "member1"): Promise<number> {
  const { status = {} } = (await fleet.cluster(cluster).client.get(WEB)) as { status?: { readyReplicas?: number } };
  return status.readyReplicas ?? 0;
}

export function configMap(name: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } };
}

export function nodesOf(fleet: SimulatedFleet, cluster = "member1"): KubeObject[] {
  return fleet
    .cluster(cluster)
    .server.state.list("nodes")
    .map(({ object }) => object);
}

export function allocatable(node: KubeObject): Record<string, string> {
  return (node["status"] as { allocatable: Record<string, string> }).allocatable;
}

/** A watch of ConfigMaps through the faults, with what it told and how it ended. */
export async function watch(fleet: SimulatedFleet, from?: string) {
  const client = new KubeClient(fleet.cluster("member1").transport);
  const events: WatchEvent<KubeObject>[] = [];
  const opened = Promise.withResolvers<void>();
  const resourceVersion = from ?? (await client.list("v1", "ConfigMap")).resourceVersion;
  const watched = { events, end: "open" as string };
  void (async () => {
    try {
      for await (const event of client.watch("v1", "ConfigMap", { resourceVersion, onOpen: () => opened.resolve() }))
        events.push(event);
      watched.end = events.at(-1)?.type === "ERROR" ? "expired" : "ended";
    } catch (error) {
      watched.end = (error as { code?: string }).code ?? String(error);
    }
  })();
  await opened.promise;
  return watched;
}
