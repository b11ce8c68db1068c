// What every part of one server shares.
import type { ApiRequest, ApiResponse, UserInfo } from "../../kube/client/transport.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Remotes } from "./aggregation/remotes.ts";
import type { Auditor } from "./audit/auditor.ts";
import type { Authorizer } from "./authorization/access.ts";
import type { Rbac } from "./authorization/rbac.ts";
import type { FrontProxyCredentials } from "./http/certificates.ts";
import type { JsonCaller } from "./http/json-call.ts";
import type { AdmissionPlugin } from "./registry/admission.ts";
import type { Identities } from "./registry/identities.ts";
import type { Registry } from "./registry/registry.ts";
import type { InFlightLimits } from "./request/limits.ts";
import type { ServerMetrics } from "./request/server-metrics.ts";
import type { Store } from "./storage/store.ts";
import type { ServiceAccountTokens, TokenVerdict } from "./tokens/service-account-tokens.ts";

/** One API surface: its objects, its kinds and its rules. */
export interface ServerContext {
  readonly name: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  /** What /version tells; ours when absent. */
  readonly gitVersion: (() => string | undefined) | undefined;
  /** Makes what tells new objects apart. */
  readonly identities: Identities;
  readonly logger: Logger;
  readonly admission: readonly AdmissionPlugin[];
  /** Calls webhooks. */
  readonly caller: JsonCaller;
  readonly authorizer: Authorizer;
  /** Undefined when access is not decided by roles. */
  readonly rbac: Rbac | undefined;
  /** Tokens of ServiceAccounts. */
  readonly tokens: ServiceAccountTokens;
  /** The user of a bearer token of any kind; undefined when it does not hold. */
  readonly checkToken: (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;
  /** As `checkToken`, for a token that is to hold for one of `audiences`. */
  readonly reviewToken: (token: string, audiences: readonly string[]) => Promise<TokenVerdict | undefined>;
  readonly metrics: ServerMetrics;
  readonly limits: InFlightLimits;
  /** Undefined when nobody audits. */
  readonly audit: Auditor | undefined;
  /** Whether each request over the network is a line of the log. */
  readonly logsRequests: boolean;
  /** Aborts when the server is about to close: requests are answered, and /readyz says not to send more. */
  readonly draining: AbortSignal;
  /** Aborts when the server closes; streams end then. */
  readonly closing: AbortSignal;
  /** Handlers of subresources that are not stored, by `group/plural/subresource` (`/pods/log`). */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** PEM of the authority that signed the listener's certificate; empty while there is none. */
  caPem: string;
  /** By which other servers know this one; undefined while there is no listener. */
  frontProxy: FrontProxyCredentials | undefined;
  /** Group-versions that other servers serve. */
  readonly remotes: Remotes;
}

/** A request for a subresource that the embedding program answers. */
export interface ConnectRequest {
  readonly request: ApiRequest;
  readonly user: UserInfo;
  readonly namespace: string | undefined;
  readonly name: string;
  /** The object that the path names; 404 was answered when there is none. */
  readonly object: KubeObject;
  /** The path after the subresource as it was sent, escapes and all: empty, or starting with `/`. */
  readonly rest: string;
  /** The query as it was sent, without its `?`; empty when there is none. */
  readonly query: string;
}

export type Connector = (request: ConnectRequest) => Promise<ApiResponse>;
