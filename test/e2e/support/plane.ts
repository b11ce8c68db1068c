// A whole control plane in this process, with simulated members, on either engine, fast enough for tests.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import type { HelmProgram } from "../../../reconciler/charts/helm-program.ts";
import { type ControlPlane, startControlPlane } from "../../../reconciler/cli/control-plane.ts";
import { registerSimulated, type SimulatedPlace } from "../../../reconciler/cli/simulated-fleet.ts";
import { findReady } from "../../../reconciler/controllers/clusters/cluster-object.ts";
import type { Profile } from "../../../reconciler/controllers/context.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger, type Level, silentLogger } from "../../../runtime/logger.ts";
import type { AllowedRemote } from "../../../sources/remote-allow-list.ts";
import { eventually } from "./eventually.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./real-api-server.ts";

export type EngineName = "embedded" | "kubernetes";

/** The engines that can run here; the reason for leaving one out is printed. */
export function engines(): readonly EngineName[] {
  return findKubeAssets() === undefined ? ["embedded"] : ["embedded", "kubernetes"];
}

export interface PlaneOptions {
  readonly engine: EngineName;
  /** Simulated clusters by name. */
  readonly members: Readonly<Record<string, SimulatedPlace>>;
  readonly profile?: Partial<Profile>;
  readonly readyAfterMs?: number;
  /** `idle`: nobody acts in the members but the test. */
  readonly memberLevel?: "idle" | "full";
  /** What kustomizations may name elsewhere; none by default. */
  readonly remoteBases?: readonly AllowedRemote[];
  /** Also takes webhooks, at a free port. */
  readonly takesWebhooks?: boolean;
  /** Inflates the charts of kustomizations; nobody does by default. */
  readonly helm?: HelmProgram | undefined;
}

export interface Plane {
  readonly control: ControlPlane;
  /** Speaks to the store as its users do. */
  readonly client: KubeClient;
  /** A kubeconfig for the endpoint. */
  readonly kubeconfig: string;
  member(name: string): SimulatedCluster;
  readonly members: readonly SimulatedCluster[];
  /**
   * Stops everything and starts anew over the same store, as a restart of the process does. `meanwhile` has the store to
   * itself in between.
   */
  restart(meanwhile?: (store: KubeClient) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Karmada's pace is seconds to minutes; nothing here needs it. */
const FAST: Partial<Profile> = {
  clusterStatusIntervalMs: 200,
  clusterThresholds: { failureMs: 400, successMs: 400 },
  clusterProbeTimeoutMs: 500,
  memberRightsKeptMs: 300,
  evictionRate: 100,
};

/** Two regions and three providers: enough for every rule that aims at clusters. */
export const THREE_CLUSTERS: Readonly<Record<string, SimulatedPlace>> = {
  "tokyo-1": { region: "ap-northeast", provider: "aws", labels: { stage: "prod" } },
  "paris-1": { region: "eu-west", provider: "gcp", labels: { stage: "prod" } },
  "paris-2": { region: "eu-west", provider: "azure", labels: { stage: "prod" } },
};

/** Starts it; resolves when all members are ready. */
export async function startPlane(options: PlaneOptions): Promise<Plane> {
  const logger = createLogger({
    // E2E_LOG=debug shows what a failing test was doing.
    level: (process.env["E2E_LOG"] as Level | undefined) ?? "error",
    format: "text",
    write: (line) => void process.stderr.write(line),
    now: () => systemClock.now(),
  });
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
  const real = options.engine === "kubernetes" ? await startReal() : undefined;
  const members = new Map<string, SimulatedCluster>();
  for (const name of Object.keys(options.members)) {
    const child = logger.with({ cluster: name });
    const { readyAfterMs = 40, memberLevel: level = "full" } = options;
    members.set(name, await createSimulatedCluster({ name, clock: systemClock, logger: child, readyAfterMs, level }));
  }
  const start = (): Promise<ControlPlane> =>
    startControlPlane({
      dataFolder: join(folder, "data"),
      storeKubeconfig: real?.kubeconfig,
      members,
      profile: { ...FAST, ...options.profile },
      allowLocalSources: true,
      remoteBases: options.remoteBases,
      helm: options.helm,
      webhooks: options.takesWebhooks === true ? { host: "127.0.0.1", port: 0, tls: undefined } : undefined,
      logger,
    });
  let control = await start();
  for (const [name, place] of Object.entries(options.members))
    await registerSimulated(control, requireMember(members, name), place);
  await eventually(async () => {
    const { items } = await control.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
    return items.length === members.size && items.every((cluster) => findReady(cluster)?.status === "True");
  });
  return {
    get control() {
      return control;
    },
    get client() {
      return control.client;
    },
    get kubeconfig() {
      return control.kubeconfig;
    },
    member: (name) => requireMember(members, name),
    members: [...members.values()],
    restart: async (meanwhile) => {
      await control.close();
      if (meanwhile !== undefined) await withStore(join(folder, "data"), real?.kubeconfig, meanwhile);
      control = await start();
    },
    close: async () => {
      try {
        await control.close();
        for (const member of members.values()) await member.close();
      } finally {
        await real?.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Opens the store without any loop over it. */
async function withStore(
  dataFolder: string,
  kubeconfig: string | undefined,
  use: (store: KubeClient) => Promise<void>,
): Promise<void> {
  if (kubeconfig !== undefined) {
    const transport = await openHttpTransportFile(kubeconfig);
    await use(new KubeClient(transport.send));
    await transport.close();
    return;
  }
  const server = await createApiServer({
    name: "control-plane",
    database: join(dataFolder, "store.db"),
    clock: systemClock,
    logger: silentLogger,
  });
  await use(new KubeClient(server.handle));
  await server.close();
}

async function startReal(): Promise<RealApiServer> {
  const assets = findKubeAssets();
  if (assets === undefined) throw new Error("the kubernetes engine needs KUBEBUILDER_ASSETS");
  return startRealApiServer(assets);
}

function requireMember(members: ReadonlyMap<string, SimulatedCluster>, name: string): SimulatedCluster {
  const member = members.get(name);
  if (member === undefined) throw new Error(`there is no member ${name}`);
  return member;
}

/** A reference in few words: `ref("apps/v1 Deployment", "shop", "web")`; the namespace `""` is none. */
export function ref(kind: string, namespace: string, name: string): ObjectRef {
  const [apiVersion = "", kindName = ""] = kind.split(" ");
  return { apiVersion, kind: kindName, namespace: namespace === "" ? undefined : namespace, name };
}

/** Applies objects as a user with `kubectl apply --server-side` would. */
export async function applyAll(client: KubeClient, ...objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await client.apply(object, { fieldManager: "e2e-user", force: true });
}
