// The composition root: one engine for the store, the fleet, and all loops over them.
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Listener, listen, type ServedApi } from "../../fleets/apiserver/http/listener.ts";
import { builtinKinds } from "../../fleets/apiserver/kinds/builtin.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { certificatesIn, databaseIn } from "../../fleets/apiserver/storage/data-folder.ts";
import { CLUSTER_DEFINITION, CLUSTER_PROXY, clusterKind } from "../../fleets/cluster-kind.ts";
import { ClusterProxy, clusterConnector } from "../../fleets/cluster-proxy/cluster-proxy.ts";
import type { Fleet } from "../../fleets/fleet.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { LeaderElection } from "../../kube/client/leader-election.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { Random } from "../../runtime/random.ts";
import { RevisionFetcher } from "../../sources/git/compared-revisions.ts";
import type { AllowedRemote } from "../../sources/remote-allow-list.ts";
import { RemoteBases } from "../../sources/remote-bases.ts";
import type { HelmProgram } from "../charts/helm-program.ts";
import { type ControllerContext, DEFAULT_PROFILE, type Profile } from "../controllers/context.ts";
import type { Manager } from "../controllers/manager.ts";
import { QuotaEnforcement } from "../controllers/quota/quota-enforcement.ts";
import { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import { writePlanAside } from "../pull-requests/plan-writer.ts";
import { planInSandbox } from "../pull-requests/sandbox/plan-in-sandbox.ts";
import { startWebhookListener, type WebhookListener } from "../pull-requests/webhook-listener.ts";
import { type AdmissionSettings, karmadaAdmission } from "./admission.ts";
import { type AuditSettings, openAudit } from "./audit-settings.ts";
import { type AuthenticationSettings, openIssuers } from "./authentication.ts";
import { productVersion } from "./commands/version.ts";
import type { AdvertisedAddress } from "./extension-listener.ts";
import type { FailoverChoice, FailoverSettings } from "./failover-settings.ts";
import { createFetcher } from "./fetcher.ts";
import { ensureNamespace, installDefinitions } from "./install.ts";
import { installedFailover } from "./installation.ts";
import { connectKubernetes } from "./kubernetes-engine.ts";
import type { LeaderSettings } from "./leader-settings.ts";
import { type PlaneLoops, startPlaneLoops } from "./plane-loops.ts";
import { createSyncRenderer } from "./sync-renderer.ts";
import { serveTraces } from "./trace-socket.ts";
import type { WebhookSettings } from "./webhook-settings.ts";

export interface ControlPlaneOptions {
  /** Folder for the database, certificates, kubeconfig and caches; made when missing. */
  readonly dataFolder: string;
  /** Kubeconfig of an API server to use as the store; absent: the embedded one. */
  readonly storeKubeconfig?: string | undefined;
  /** Absent: 127.0.0.1; with a store of its own, whatever reaches the advertised address. */
  readonly host?: string | undefined;
  /** 0 takes any free port. */
  readonly port?: number | undefined;
  /** Further names of the embedded endpoint, for its certificate. */
  readonly hostnames?: readonly string[];
  /** Where the API server of `storeKubeconfig` finds this process. */
  readonly advertise?: AdvertisedAddress | undefined;
  readonly profile?: Partial<Profile>;
  /** How it fails over, where the store may say so; absent: as the profile says. */
  readonly failover?: FailoverChoice;
  /** With a store of its own: how this process becomes the one that acts; absent: at once. */
  readonly leader?: LeaderSettings | undefined;
  /** Called when another process may act by now: this one has to end. */
  readonly onLeaderLost?: () => void;
  /** Ends the waiting for the lease. */
  readonly signal?: AbortSignal | undefined;
  /** Who may come in beside the administrator and ServiceAccounts. */
  readonly authentication?: AuthenticationSettings | undefined;
  /** Writes a line of the log for each request over the network. */
  readonly requestLog?: boolean;
  /** What is audited, and the file it goes to. */
  readonly audit?: AuditSettings | undefined;
  /** API servers to serve beside the control plane, under /clusters/NAME: simulated members. */
  readonly members?: ReadonlyMap<string, { readonly server: ServedApi; readonly transport: Transport }>;
  /** Whether GitRepositories may name folders of this machine. */
  readonly allowLocalSources?: boolean;
  /** Inflates the Helm charts of Syncs; absent: they are refused. */
  readonly helm?: HelmProgram | undefined;
  /** Repositories and files elsewhere that kustomizations of Syncs may name; absent: none. */
  readonly remoteBases?: readonly AllowedRemote[] | undefined;
  /** Where webhooks of Git hosts are taken; absent: nowhere. */
  readonly webhooks?: WebhookSettings | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface ControlPlane {
  readonly client: KubeClient;
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly manager: Manager;
  /** Address of the endpoint; that of the store's server when it is not embedded. */
  readonly url: string;
  /** Where webhooks are taken; their paths are in the statuses of Reporters. */
  readonly webhookUrl: string | undefined;
  /** For kubectl. */
  readonly kubeconfig: string;
  /** Kubeconfig text for a member that this process serves, for other processes. */
  memberKubeconfig(name: string): string;
  /** Lets /readyz say that the end is near; everything goes on. */
  drain(): void;
  close(): Promise<void>;
}

interface Engine {
  /** Definitions of kinds that the store serves without them. */
  readonly builtIn: readonly string[];
  /** Further versions to serve, by name of the definition. */
  readonly furtherVersions: Readonly<Record<string, string>>;
  readonly memberKubeconfig: (name: string) => string;
  readonly client: KubeClient;
  readonly url: string;
  readonly kubeconfig: string;
  /** Called when our definitions are installed. */
  register?(): Promise<void>;
  /** Takes back what was registered; the store answers until `close`. */
  withdraw?(): Promise<void>;
  drain?(): void;
  close(): Promise<void>;
}

/** Starts everything; resolves when the endpoint answers and all loops run. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, clock = systemClock, dataFolder, members } = options;
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const metrics = new Metrics();
  const ledger = new QuotaLedger(clock);
  let manager: Manager | undefined;
  function admission(client: () => KubeClient): AdmissionSettings {
    const { featureGates, compatibility, allowNoExecuteTaintPolicy } = options.profile ?? {};
    return {
      clock,
      newUuid: randomUUID,
      featureGates,
      compatibility,
      allowNoExecuteTaintPolicy,
      quotas: new QuotaEnforcement(client, ledger),
      policies: () => manager?.policies,
      clusters: () => manager?.clusters() ?? [],
      customizations: () => manager?.customizations() ?? [],
    };
  }
  const engine =
    options.storeKubeconfig === undefined
      ? await startEmbedded(options, clock, admission, metrics)
      : await connectStore(options, options.storeKubeconfig, clock, admission);
  let election: LeaderElection | undefined;
  try {
    election = await becomeLeader(options, engine.client, clock);
    const client = election === undefined ? engine.client : new KubeClient(election.guarded(engine.client.transport));
    const failover = await chooseFailover(options, client);
    await installDefinitions(client, clock, {
      builtIn: engine.builtIn,
      furtherVersions: engine.furtherVersions,
    });
    await engine.register?.();
    const fetcher = createFetcher({
      cacheRoot: join(dataFolder, "sources"),
      allowLocal: options.allowLocalSources ?? false,
    });
    const revisions = new RevisionFetcher({
      root: join(dataFolder, "pull-requests"),
      allowLocal: options.allowLocalSources ?? false,
    });
    const { remoteBases: allowed = [] } = options;
    const remotes =
      allowed.length === 0 ? undefined : new RemoteBases({ cacheRoot: join(dataFolder, "remote-bases"), allowed });
    // Where admission is not built in, it can be taken away: nothing may hang on it that RBAC does not say.
    const keepsRoleGenerators = options.storeKubeconfig === undefined;
    const profile = { ...DEFAULT_PROFILE, keepsRoleGenerators, ...options.profile, ...failover };
    const renderer = createSyncRenderer(profile, { charts: options.helm?.aside, remotes });
    const loops = await startPlaneLoops({
      client,
      guard: (transport) => election?.guarded(transport) ?? transport,
      clock,
      logger,
      newUuid: randomUUID,
      metrics,
      profile,
      local: (name) => members?.get(name)?.transport,
      fetcher,
      renderer,
      ledger,
      reporters: {
        revisions,
        planner: async (job, wish, { limits, signal }) => {
          const made = await planInSandbox(job, { limits, signal, transport: client.transport, logger, clock });
          return writePlanAside(made, wish, { clock, signal });
        },
        changes: { root: join(dataFolder, "drift-changes"), allowLocal: options.allowLocalSources ?? false },
        version: productVersion(),
        random: Math.random,
      },
    });
    const { context, fleet } = loops;
    manager = loops.manager;
    const { decisions } = loops.manager;
    const { compatibility } = profile;
    const traces = await serveTraces({ folder: dataFolder, decisions, compatibility, logger });
    const webhooks = await takeWebhooks(options, loops, clock);
    return {
      client,
      context,
      fleet,
      manager: loops.manager,
      url: engine.url,
      webhookUrl: webhooks?.url,
      kubeconfig: engine.kubeconfig,
      memberKubeconfig: engine.memberKubeconfig,
      drain: () => engine.drain?.(),
      close: async () => {
        engine.drain?.();
        await traces?.close();
        await webhooks?.close();
        await loops.stop();
        await renderer.close();
        remotes?.close();
        revisions.close();
        fetcher.close();
        await leave(engine, election);
      },
    };
  } catch (error) {
    await leave(engine, election);
    throw error;
  }
}

/** Opens the port for webhooks, if there is to be one. What began before ends where that fails. */
async function takeWebhooks(
  { logger, webhooks }: ControlPlaneOptions,
  { context, manager, stop }: PlaneLoops,
  clock: Clock,
): Promise<WebhookListener | undefined> {
  const { webhookRoutes } = manager;
  if (webhooks === undefined || webhookRoutes === undefined) return undefined;
  try {
    return await startWebhookListener({ ...webhooks, ...webhookRoutes, clock, logger, metrics: context.metrics });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function leave(engine: Engine, election: LeaderElection | undefined): Promise<void> {
  await engine.withdraw?.();
  // Last of what is written: who follows must find nobody acting.
  await election?.release();
  await engine.close();
}

/** Waits until this process may act; undefined without an election. */
async function becomeLeader(
  options: ControlPlaneOptions,
  client: KubeClient,
  clock: Clock,
): Promise<LeaderElection | undefined> {
  const { leader, logger, signal = new AbortController().signal, onLeaderLost } = options;
  if (leader === undefined) return undefined;
  await ensureNamespace(client, leader.namespace);
  const random = new Random(Math.floor(Math.random() * 2 ** 32));
  const election = new LeaderElection({ ...leader, client, clock, logger, random });
  await election.acquire(signal);
  election.lost.addEventListener("abort", () => onLeaderLost?.(), { once: true });
  return election;
}

/** Has to be known before the store is installed: only then can be told whether it is new. */
async function chooseFailover(
  { failover, logger }: ControlPlaneOptions,
  client: KubeClient,
): Promise<FailoverSettings | undefined> {
  if (failover === undefined) return undefined;
  const installed = await installedFailover(client, failover.mode);
  const mode = failover.mode ?? installed;
  logger.info("chose failover", { mode });
  return failover.settingsFor(mode);
}

/** What admission asks; given the store that it stands before. */
type AdmissionOf = (client: () => KubeClient) => AdmissionSettings;

async function startEmbedded(
  options: ControlPlaneOptions,
  clock: Clock,
  admission: AdmissionOf,
  metrics: Metrics,
): Promise<Engine> {
  const { dataFolder, logger, members, authentication } = options;
  const audit = options.audit === undefined ? undefined : await openAudit(options.audit, clock, logger);
  const proxy = new ClusterProxy({
    readSecret: (reference) => client.find({ apiVersion: "v1", kind: "Secret", ...reference }),
    local: (name) => members?.get(name)?.transport,
    logger,
  });
  const server = await createApiServer({
    name: "control-plane",
    database: databaseIn(dataFolder),
    clock,
    logger,
    // Clients that come back after a longer gap list again; more history costs memory after each burst of writes.
    historyEvents: 2_000,
    authorization: "rbac",
    // Memory is ahead of the file: only a restart, which reads the file, is sure to be right.
    onFatal: (error) => {
      logger.error("the store cannot write its file and the program ends; what was acknowledged is in it", {
        error: messageOf(error),
      });
      process.exit(1);
    },
    ...(authentication?.tokens === undefined ? {} : { tokens: authentication.tokens }),
    oidc: openIssuers(authentication?.providers ?? [], clock, logger),
    admission: [karmadaAdmission(admission(() => client))],
    kinds: [...builtinKinds(), clusterKind()],
    connectors: { [CLUSTER_PROXY]: clusterConnector(proxy) },
    logsRequests: options.requestLog ?? false,
    metrics,
    ...(audit === undefined ? {} : { audit: audit.options }),
  });
  const client = new KubeClient(server.handle);
  const servers = new Map<string, ServedApi>([["", server]]);
  for (const [name, member] of members ?? []) servers.set(`/clusters/${name}`, member.server);
  let listener: Listener;
  try {
    listener = await listen(servers, {
      host: options.host ?? "127.0.0.1",
      port: options.port ?? 0,
      directory: certificatesIn(dataFolder),
      clock,
      logger,
      anonymous: authentication?.anonymous ?? true,
      hostnames: options.hostnames ?? [],
      ...(authentication?.requestHeader === undefined ? {} : { requestHeader: authentication.requestHeader }),
    });
  } catch (error) {
    await server.close();
    throw portProblem(error, options) ?? error;
  }
  server.publishCa(listener.caPem);
  server.publishEndpoint(listener.url);
  const kubeconfig = join(dataFolder, "kubeconfig");
  writeFileSync(kubeconfig, listener.adminKubeconfig(), { mode: 0o600 });
  return {
    builtIn: [CLUSTER_DEFINITION],
    furtherVersions: {},
    client,
    url: listener.url,
    kubeconfig,
    memberKubeconfig: (name) => listener.adminKubeconfig(`/clusters/${name}`),
    drain: () => server.drain(),
    close: async () => {
      server.drain();
      await listener.close();
      proxy.close();
      await server.close();
      await audit?.close();
    },
  };
}

function portProblem(error: unknown, options: ControlPlaneOptions): AppError | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const where = `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`;
  if (code === "EADDRINUSE")
    return new AppError("port-taken", `${where} is taken by another program: choose another port with --port`, {
      recovery: "stall",
      cause: error,
    });
  if (code === "EACCES" || code === "EADDRNOTAVAIL")
    return new AppError("port-refused", `cannot listen on ${where}: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  return undefined;
}

async function connectStore(
  options: ControlPlaneOptions,
  kubeconfig: string,
  clock: Clock,
  admission: AdmissionOf,
): Promise<Engine> {
  const { dataFolder, host, port, advertise, members, logger } = options;
  const local = (name: string): Transport | undefined => members?.get(name)?.transport;
  try {
    const connection = { kubeconfig, dataFolder, host, port, advertise, local, admission, logger, clock };
    const engine = await connectKubernetes(connection);
    // No member is served here: those that live in this process are reached by it alone.
    return { ...engine, builtIn: [], kubeconfig, memberKubeconfig: () => "" };
  } catch (error) {
    throw portProblem(error, options) ?? error;
  }
}
