// What all control loops share: the store, its cache, time, and the profile they run under.

import { DEFAULT_FEATURE_GATES, type FeatureGates } from "../../api/feature-gates.ts";
import type { Thresholds } from "../../fleets/cluster-health.ts";
import type { LivenessTimes } from "../../fleets/cluster-liveness.ts";
import type { RequestRate } from "../../fleets/member-transport.ts";
import { InformerSet, type ScopeOf } from "../../kube/client/informer-set.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { DEFAULT_EVICTION_LIMITER, type EvictionLimiter } from "../failover/eviction-pace.ts";
import type { SafeFailover } from "../failover/failover-modes.ts";
import { DEFAULT_SCHEDULER_NAME } from "../scheduler/occasion.ts";
import { DEFAULT_HEALTH_DAMPING_MS } from "../scheduler/relocation/follow-clusters.ts";
import type { DeletionLimits } from "../works/mass-deletion.ts";
import { FailoverMetrics } from "./clusters/failover-metrics.ts";
import { EventRecorder } from "./events.ts";
import { type EstimatorProfile, NO_ESTIMATORS } from "./scheduling/estimator-profile.ts";
import { SchedulerMetrics } from "./scheduling/scheduler-metrics.ts";
import { UrgentWork } from "./urgent-work.ts";

/** A scheduling plugin of the user: an ES module. */
export interface PluginModuleSettings {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** How long one call may take. */
  readonly timeoutMs: number;
  readonly args: Readonly<Record<string, unknown>>;
  /** What its scores are multiplied by. */
  readonly weight: number;
}

/** How bindings are scheduled, beside the feature gates. */
export interface SchedulingProfile {
  /** Bindings that ask for another scheduler are left alone. */
  readonly schedulerName: string;
  /** Workloads also go to chosen clusters that get none of their replicas, with 0. */
  readonly emptyWorkloadPropagation: boolean;
  /** Built-in filters and scores that are switched off, by Karmada's names. */
  readonly disabledPlugins: readonly string[];
  readonly pluginModules: readonly PluginModuleSettings[];
}

export const DEFAULT_SCHEDULING: SchedulingProfile = {
  schedulerName: DEFAULT_SCHEDULER_NAME,
  emptyWorkloadPropagation: false,
  disabledPlugins: [],
  pluginModules: [],
};

/** Taking back replicas that cannot run where they were put. */
export interface DeschedulerProfile {
  readonly intervalMs: number;
  /** How long a replica must have been unschedulable. */
  readonly thresholdMs: number;
  /** Longest wait for one cluster's answer. */
  readonly timeoutMs: number;
}

/** How a control plane behaves; the defaults are Karmada's. */
export interface Profile {
  readonly clusterStatusIntervalMs: number;
  readonly clusterThresholds: Thresholds;
  /** A cluster that does not answer its health end point within this counts as not reachable. */
  readonly clusterProbeTimeoutMs: number;
  /** How often clusters that report for themselves are looked after. Karmada's --cluster-monitor-period. */
  readonly clusterMonitorPeriodMs: number;
  /** How long such a cluster may be silent. */
  readonly clusterLiveness: LivenessTimes;
  /** Whether nodes and capacity are told. Karmada's --enable-cluster-resource-modeling. */
  readonly clusterResourceModeling: boolean;
  /** How long a kind that is no longer in use may still be written in a member: it may come back at once. */
  readonly memberRightsKeptMs: number;
  /** In agents: how long a Lease holds. Karmada's --cluster-lease-duration. */
  readonly clusterLeaseDurationMs: number;
  /** The part of that time after which it is renewed. Karmada's --cluster-lease-renew-interval-fraction. */
  readonly clusterLeaseRenewFraction: number;
  /** Taints drive workloads out: Karmada's gate Failover, --enable-taint-manager and --enable-no-execute-taint-eviction. */
  readonly failover: boolean;
  /** What failover does beyond Karmada, with a guard. Undefined: nothing. */
  readonly safeFailover: SafeFailover | undefined;
  /** With failover and no guard: a cluster that stays not ready this long is given up. Undefined: never by itself. */
  readonly unreachableTaintAfterMs: number | undefined;
  readonly gracefulEvictionTimeoutMs: number;
  /** Evictions a second of each of three workers; Karmada's --resource-eviction-rate. 0: one in half an hour. */
  readonly evictionRate: number;
  /** How Karmada's queues of evictions limit themselves beside that; not with `safeFailover`. */
  readonly evictionLimiter: EvictionLimiter;
  /** How copies leave where the policy does not say; Karmada's --no-execute-taint-eviction-purge-mode. */
  readonly evictionPurgeMode: "Directly" | "Gracefully";
  /** Regular expressions, anchored, of namespaces that are never propagated. */
  readonly skippedNamespaces: readonly string[];
  /** `group`, `group/version` or `group/version/Kind`, never propagated. */
  readonly skippedApis: readonly string[];
  /** `flaghoist` adds what kubectl, Flux and Argo CD need to call a template ready. */
  readonly compatibility: "karmada" | "flaghoist";
  /** Metadata that members do not get, as `readMetadataStripping` reads it; undefined: `compatibility` decides. */
  readonly strippedMetadata: readonly string[] | undefined;
  readonly featureGates: FeatureGates;
  readonly scheduling: SchedulingProfile;
  /** Undefined: replicas stay where they were put, as with Karmada when its descheduler is not installed. */
  readonly descheduler: DeschedulerProfile | undefined;
  readonly estimators: EstimatorProfile;
  /** For placements with `rescheduleOn: [ClusterHealth]`: how long a cluster must have been ready, or not, to count. */
  readonly clusterHealthDampingMs: number;
  /** Karmada's --allow-no-execute-taint-policy: whether ClusterTaintPolicies may drive workloads out. */
  readonly allowNoExecuteTaintPolicy: boolean;
  /** Karmada's --federated-resource-quota-sync-period: how often bindings are counted anew; 0: never by the clock. */
  readonly quotaRecountMs: number;
  /** Within this time every member is asked once for every copy what our manifest would change; 0: never. */
  readonly driftCheckIntervalMs: number;
  /** How much may be deleted in a cluster without a person's word; undefined: everything, as with Karmada. */
  readonly deletionLimits: DeletionLimits | undefined;
  /** Requests that each member gets; undefined: `compatibility` decides. Karmada's --cluster-api-qps and -burst. */
  readonly memberRate: RequestRate | "unlimited" | undefined;
  /** Whether admission keeps whoever registers an agent by `karmadactl register` to the roles of that agent. */
  readonly keepsRoleGenerators: boolean;
}

export const DEFAULT_PROFILE: Profile = {
  clusterStatusIntervalMs: 10_000,
  clusterThresholds: { failureMs: 30_000, successMs: 30_000 },
  clusterProbeTimeoutMs: 5_000,
  clusterMonitorPeriodMs: 5_000,
  clusterLeaseDurationMs: 40_000,
  clusterLeaseRenewFraction: 0.25,
  clusterLiveness: { graceMs: 40_000, startupGraceMs: 60_000 },
  clusterResourceModeling: true,
  memberRightsKeptMs: 60_000,
  failover: false,
  safeFailover: undefined,
  unreachableTaintAfterMs: undefined,
  gracefulEvictionTimeoutMs: 600_000,
  evictionRate: 0.5,
  evictionLimiter: DEFAULT_EVICTION_LIMITER,
  evictionPurgeMode: "Gracefully",
  skippedNamespaces: ["kube-.*"],
  skippedApis: [],
  compatibility: "flaghoist",
  strippedMetadata: undefined,
  featureGates: DEFAULT_FEATURE_GATES,
  scheduling: DEFAULT_SCHEDULING,
  descheduler: undefined,
  estimators: NO_ESTIMATORS,
  clusterHealthDampingMs: DEFAULT_HEALTH_DAMPING_MS,
  allowNoExecuteTaintPolicy: false,
  quotaRecountMs: 300_000,
  driftCheckIntervalMs: 3_600_000,
  deletionLimits: undefined,
  memberRate: undefined,
  keepsRoleGenerators: false,
};

/** Where clusters that report for themselves renew their Leases. */
export const LEASE_NAMESPACE = "karmada-cluster";

export interface ControllerContext {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly events: EventRecorder;
  /** What other loops wait for. */
  readonly urgent: UrgentWork;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly profile: Profile;
  /** The cluster that this process is the agent of; undefined: it is the control plane. */
  readonly agentOf: string | undefined;
  readonly schedulerMetrics: SchedulerMetrics;
  /** For figures of loops. */
  readonly metrics: Metrics;
  readonly failoverMetrics: FailoverMetrics;
  /** A new UUID; injected so that tests can repeat. */
  readonly newUuid: () => string;
}

/** A control loop that was started. */
export interface Controller {
  stop(): Promise<void>;
}

/** Leases of other programs are many and renewed all the time: only those of clusters are watched. */
const controlPlaneScope: ScopeOf = (_apiVersion, kind) => (kind === "Lease" ? { namespace: LEASE_NAMESPACE } : {});

export function createContext(options: {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly profile?: Partial<Profile>;
  /** Where figures are kept for those who read them. */
  readonly metrics?: Metrics;
  readonly newUuid: () => string;
  readonly agentOf?: string | undefined;
  /** The part of a kind's objects that is watched; absent: all. */
  readonly scopeOf?: ScopeOf | undefined;
}): ControllerContext {
  const { client, clock, logger, newUuid, metrics = new Metrics() } = options;
  const urgent = new UrgentWork(clock);
  return {
    metrics,
    client,
    clock,
    logger,
    newUuid,
    agentOf: options.agentOf,
    informers: new InformerSet(client, clock, logger, options.scopeOf ?? controlPlaneScope),
    events: new EventRecorder(client, clock, logger, () => urgent.passed()),
    urgent,
    schedulerMetrics: new SchedulerMetrics(metrics),
    failoverMetrics: new FailoverMetrics(metrics),
    profile: { ...DEFAULT_PROFILE, ...options.profile },
  };
}
