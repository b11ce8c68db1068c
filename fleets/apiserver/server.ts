// An embedded Kubernetes API server: one API surface over one store, reached in-process or through a listener.
import { setMaxListeners } from "node:events";
import type { ApiRequest, ApiResponse, Transport, UserInfo } from "../../kube/client/transport.ts";
import { cloneJson, type JsonObject, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { mutatingPolicies } from "./admission/policies/mutating-policies.ts";
import type { PolicyServer } from "./admission/policies/policy-invocations.ts";
import { validatingPolicies } from "./admission/policies/validating-policies.ts";
import { webhookConditions } from "./admission/webhook-conditions.ts";
import type { WebhookAdmission } from "./admission/webhooks/invocation.ts";
import { surroundingsOf } from "./admission/webhooks/match-target.ts";
import { mutatingWebhooks } from "./admission/webhooks/mutating-webhooks.ts";
import { validatingWebhooks } from "./admission/webhooks/validating-webhooks.ts";
import { publishAuthentication } from "./aggregation/authentication-config.ts";
import { LocalServices } from "./aggregation/local-services.ts";
import { RemoteServices } from "./aggregation/remote-services.ts";
import { type AuditOptions, Auditor } from "./audit/auditor.ts";
import { type Authorizer, allowAuthenticated } from "./authorization/access.ts";
import { startRbac } from "./authorization/bootstrap.ts";
import { escalationCheck } from "./authorization/escalation.ts";
import { Rbac } from "./authorization/rbac.ts";
import { signingRequestRules } from "./certificates/signing-requests.ts";
import { startBootstrapSigner } from "./controllers/bootstrap-signer.ts";
import { type CertificateSigner, startCertificateSigner } from "./controllers/certificate-signer.ts";
import { startCustomResources } from "./controllers/custom-resources.ts";
import { GarbageCollector } from "./controllers/garbage-collector.ts";
import { createNamespace, NamespaceWorker } from "./controllers/namespaces.ts";
import { StorageProtection } from "./controllers/storage-protection.ts";
import { startTokenSecrets } from "./controllers/token-secrets.ts";
import { Discovery } from "./discovery/discovery.ts";
import { createOpenApiPaths } from "./discovery/openapi-paths.ts";
import { createPathHandler } from "./handlers/paths.ts";
import { passesThrough, refusal } from "./handlers/router.ts";
import { reject, serve } from "./handlers/serve.ts";
import type { FrontProxyCredentials } from "./http/certificates.ts";
import { JsonCaller } from "./http/json-call.ts";
import { builtinKinds } from "./kinds/builtin.ts";
import type { AdmissionPlugin } from "./registry/admission.ts";
import { type Identities, uniqueIdentities } from "./registry/identities.ts";
import type { KindStrategy } from "./registry/kind.ts";
import { Registry } from "./registry/registry.ts";
import { statusError } from "./registry/status-error.ts";
import { InFlightLimits } from "./request/limits.ts";
import { ServerMetrics } from "./request/server-metrics.ts";
import type { Connector, ServerContext } from "./server-context.ts";
import { Store, type StoreContent } from "./storage/store.ts";
import { bootstrapUser } from "./tokens/bootstrap-tokens.ts";
import type { OidcIssuer } from "./tokens/oidc-issuer.ts";
import { ServiceAccountTokens } from "./tokens/service-account-tokens.ts";
import { tokenChecks } from "./tokens/token-checks.ts";

export interface ApiServerOptions {
  /** Names the server in logs. */
  readonly name: string;
  /** Path of the SQLite file; absent keeps everything in memory. */
  readonly database?: string;
  /** Without a database: what the store begins with, such as a backup. */
  readonly content?: StoreContent | undefined;
  /** What /version tells, such as `v1.36.3`; asked for each time. The version of the reference, and ours, when absent. */
  readonly gitVersion?: (() => string | undefined) | undefined;
  /** `full` (default) survives a power cut, `normal` a crash of the process only. */
  readonly synchronous?: "full" | "normal";
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes uids and generated names; those of the machine when absent. */
  readonly identities?: Identities;
  /** Objects that are there from the start, as another server had them: uids, times and statuses stay. Not with `content`. */
  readonly imported?: readonly ImportedObject[];
  /** The kinds served from the start; the built-in ones when absent. */
  readonly kinds?: readonly KindStrategy[];
  /** Changes kept for watches from the past. Default 10 000 with a file, 2 000 in memory. */
  readonly historyEvents?: number;
  readonly admission?: readonly AdmissionPlugin[];
  /** Users of bearer tokens, beside those of ServiceAccounts. */
  readonly tokens?: (token: string) => UserInfo | undefined;
  /** Issuers whose tokens are accepted beside those. */
  readonly oidc?: readonly OidcIssuer[];
  /**
   * `rbac`: by the roles and bindings of the store, with the usual ones created when missing. `authenticated`
   * (default): everything to everybody who is authenticated.
   */
  readonly authorization?: "authenticated" | "rbac" | Authorizer;
  /**
   * Answers subresources that are not stored, by `group/plural/subresource`: `/pods/log`,
   * `cluster.karmada.io/clusters/proxy`. The kind must declare the subresource.
   */
  readonly connectors?: Readonly<Record<string, Connector>>;
  /** Whether APIServices are kept for what is served; true when absent. Many small servers do without. */
  readonly apiServices?: boolean;
  /**
   * How long after a change what it leaves behind is collected, and volumes in use no more are let go, on the server's
   * clock, so that controllers around the server act first; at the end of the same turn when absent.
   */
  readonly collectsAfterMs?: number | undefined;
  /** Requests over the network that may run at once, before others are answered 429. Defaults: 400 and 200. */
  readonly mostReading?: number;
  readonly mostWriting?: number;
  /** Writes a line for each request over the network; else they are lines of the debug level. */
  readonly logsRequests?: boolean;
  /** Figures of the program around the server, to be read at /metrics together with its own. */
  readonly metrics?: Metrics;
  /** What is audited, and where to. */
  readonly audit?: AuditOptions;
  /** Called when the database refuses a write. Default: the error ends the process. */
  readonly onFatal?: (error: unknown) => void;
}

export type ServerState = Pick<Store, "get" | "list" | "count" | "resources" | "revision" | "subscribeAll" | "content">;

/** An object as another server served it. */
export interface ImportedObject {
  /** Of the object's kind: `deployments`. */
  readonly plural: string;
  readonly object: KubeObject;
}

export interface ApiServer {
  /** Answers a request in-process. Never rejects: failures are answers. */
  readonly handle: Transport;
  /**
   * Whether a path belongs to another server or to the embedding program: its requests may stream their bodies and
   * upgrade their connections.
   */
  readonly passesThrough: (path: string) => boolean;
  /** Answers a request whose credentials do not hold with what `error` says. */
  readonly reject: (request: ApiRequest, error: unknown) => ApiResponse;
  /** Identifies the store across restarts. */
  readonly uid: string;
  /** The stored objects, for programs around the server that act in it: to be read and listened to, not written. */
  readonly state: ServerState;
  /** Whether the server's own controllers have something to do at once, such as collecting what an owner left. */
  readonly isBusy: boolean;
  readonly name: string;
  readonly logger: Logger;
  /** The user of a bearer token; undefined when it does not hold. */
  readonly checkToken: (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;
  /** Forgets the history of changes, as a compaction does: older watches and list pages expire. */
  compact(): void;
  /**
   * Tells clients' certificates authority, for the ConfigMap that every namespace carries, and by which certificate this
   * server is to speak to others, and who signs certificates of its clients.
   */
  publishCa(pem: string, frontProxy?: FrontProxyCredentials, sign?: CertificateSigner): void;
  /** Tells those who hold a bootstrap token where this server is reached, in the ConfigMap kube-public/cluster-info. */
  publishEndpoint(url: string): void;
  /** Lets /readyz say that the server is about to close, so that load balancers send no more. Answers go on. */
  drain(): void;
  /** Ends watches and closes the database. */
  close(): Promise<void>;
}

const DEFAULT_HISTORY = { file: 10_000, memory: 2_000 } as const;
const FIRST_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** Opens or creates a store and serves it. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { name, clock, logger } = options;
  const kinds = options.kinds ?? builtinKinds();
  const registry = new Registry();
  for (const kind of kinds) registry.add(kind);
  let metrics: ServerMetrics | undefined;
  const store = await Store.open({
    clock,
    database: options.database,
    content: options.content,
    synchronous: options.synchronous ?? "full",
    historyEvents: options.historyEvents ?? DEFAULT_HISTORY[options.database === undefined ? "memory" : "file"],
    onCommit: (changes, seconds) => metrics?.committed(changes, seconds),
    onFatal: options.onFatal ?? failHard,
  });
  if (options.content === undefined) for (const each of options.imported ?? []) importObject(store, registry, each);
  const limits = new InFlightLimits(options.mostReading, options.mostWriting);
  metrics = new ServerMetrics(store, () => limits, options.metrics === undefined ? [] : [options.metrics]);
  const tokens = new ServiceAccountTokens(store, clock);
  const { authorization = "authenticated" } = options;
  const rbac = authorization === "rbac" ? new Rbac(store) : undefined;
  const authorizer: Authorizer =
    typeof authorization === "function"
      ? authorization
      : rbac === undefined
        ? allowAuthenticated
        : (request) => rbac.decide(request);
  const draining = new AbortController();
  const closing = new AbortController();
  // One listener a watch is no leak.
  setMaxListeners(0, closing.signal);
  const caller = new JsonCaller(clock);
  const policies: PolicyServer = { store, registry, authorizer, surroundings: surroundingsOf({ store, registry }) };
  const webhooks: WebhookAdmission = {
    ...policies,
    logger,
    caller,
    checkConditions: webhookConditions(authorizer),
  };
  const remotes = new RemoteServices();
  const server: ServerContext = {
    name,
    store,
    registry,
    clock,
    gitVersion: options.gitVersion,
    identities: options.identities ?? uniqueIdentities,
    logger,
    admission: [
      ...(options.admission ?? []),
      ...(rbac === undefined ? [] : [escalationCheck(rbac)]),
      signingRequestRules(authorizer, clock),
      mutatingPolicies(policies),
      mutatingWebhooks(webhooks),
      validatingPolicies(policies),
      validatingWebhooks(webhooks),
    ],
    caller,
    authorizer,
    rbac,
    tokens,
    ...tokenChecks(tokens, options.tokens, options.oidc ?? [], (token) => bootstrapUser(store, clock, token)),
    metrics,
    limits,
    audit: options.audit === undefined ? undefined : new Auditor(options.audit, metrics, clock),
    logsRequests: options.logsRequests ?? false,
    draining: draining.signal,
    closing: closing.signal,
    connectors: new Map(Object.entries(options.connectors ?? {})),
    caPem: "",
    frontProxy: undefined,
    remotes,
  };
  const discovery = new Discovery(registry, groupsOf(kinds), remotes);
  const paths = createPathHandler(server, discovery, createOpenApiPaths(registry, remotes, clock));
  async function handle(request: ApiRequest): Promise<ApiResponse> {
    if (closing.signal.aborted) {
      return refusal(server, statusError(503, "ServiceUnavailable", "the server is shutting down"));
    }
    return serve(server, paths, request);
  }

  const namespaces = new NamespaceWorker(server);
  const collector = new GarbageCollector(server, options.collectsAfterMs);
  const storage = new StorageProtection(server, options.collectsAfterMs);
  startCustomResources(server);
  if (rbac !== undefined) startRbac(server);
  const localServices = new LocalServices(server);
  if (options.apiServices ?? true) {
    localServices.start();
    remotes.start(server);
  }
  collector.start();
  namespaces.start();
  storage.start();
  const tokenSecrets = startTokenSecrets(server);
  const signer = startCertificateSigner(server);
  const bootstrap = startBootstrapSigner(server);
  for (const namespace of FIRST_NAMESPACES) createNamespace(server, namespace);
  await store.settled();
  return {
    handle,
    passesThrough: (path) => passesThrough(server, path),
    reject: (request, error) => reject(server, request, error),
    uid: store.uid,
    state: store,
    get isBusy() {
      return collector.isBusy || namespaces.isBusy || storage.isBusy;
    },
    name,
    logger,
    checkToken: server.checkToken,
    compact: () => store.compactHistory(),
    publishCa(pem, frontProxy, sign) {
      server.caPem = pem;
      if (frontProxy !== undefined) server.frontProxy = frontProxy;
      namespaces.publishCa();
      tokenSecrets.refill();
      publishAuthentication(server);
      if (sign !== undefined) signer.setSigner(sign);
    },
    publishEndpoint: (url) => bootstrap.publish(url, server.caPem),
    drain: () => draining.abort(),
    close() {
      draining.abort();
      closing.abort();
      namespaces.stop();
      collector.stop();
      storage.stop();
      bootstrap.stop();
      caller.close();
      store.close();
      return Promise.resolve();
    },
  };
}

/** Kinds that are not built in are taken as they are: their definitions may come later in the list. */
function importObject(store: Store, registry: Registry, { plural, object }: ImportedObject): void {
  const { group, version } = parseApiVersion(object.apiVersion);
  const kind = registry.find(group, version, plural);
  const resource = kind?.storageKey ?? (group === "" ? plural : `${group}/${plural}`);
  // JSON, as it came from a server.
  const copy = cloneJson(object) as unknown as JsonObject;
  const taken = kind === undefined ? (copy as unknown as KubeObject) : kind.decode(copy, []).object;
  if (kind?.storageApiVersion !== undefined) taken.apiVersion = kind.storageApiVersion;
  const { namespace = "", name = "" } = taken.metadata;
  store.put({ resource, namespace, name }, taken);
}

function groupsOf(kinds: readonly KindStrategy[]): string[] {
  return [...new Set(kinds.map((kind) => kind.group))];
}

function failHard(error: unknown): void {
  // Thrown outside any request: the process ends, and the state of the file is the truth after its restart.
  setImmediate(() => {
    throw error;
  });
}
