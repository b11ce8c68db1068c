// Starts every control loop of a control plane over one store, in the order in which they need each other.
import type { Cluster } from "../../api/cluster.ts";
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import type { Fleet } from "../../fleets/fleet.ts";
import { formatApiVersion } from "../../kube/object.ts";
import { Turn } from "../../runtime/turn.ts";
import type { PolicyIndex } from "../policies/policy-index.ts";
import type { DecisionHistory } from "../scheduler/explanation/decision-history.ts";
import { BINDING_API_VERSION } from "../works/binding.ts";
import { WORK_API_VERSION } from "../works/work.ts";
import { SIGNING_REQUEST_KIND, startAgentRegistration } from "./clusters/agent-registration.ts";
import { startApplicationFailoverController } from "./clusters/application-failover.ts";
import { startBlastRadiusController } from "./clusters/blast-radius.ts";
import { CLUSTER_API } from "./clusters/cluster-object.ts";
import { startClusterController } from "./clusters/clusters.ts";
import { startConditionTaintController } from "./clusters/condition-taints.ts";
import { startFailoverController } from "./clusters/failover.ts";
import { LEASE_KIND, startLeaseMonitor } from "./clusters/lease-monitor.ts";
import { KindsOfWorks, startMemberRightsController } from "./clusters/member-rights.ts";
import { REMEDY_KIND, startRemedyController } from "./clusters/remedies.ts";
import { startTaintPolicyController, TAINT_POLICY_KIND } from "./clusters/taint-policies.ts";
import { startUnifiedAuthController } from "./clusters/unified-auth.ts";
import type { Controller, ControllerContext } from "./context.ts";
import { CUSTOMIZATION_KIND, startCustomizations } from "./interpretation/customizations.ts";
import { Interpretation } from "./interpretation/interpretation.ts";
import { WEBHOOK_CONFIGURATION_KIND, WebhookProvider } from "./interpretation/webhooks/webhook-provider.ts";
import { type Reporters, type ReporterTools, startReporters } from "./pull-requests/reporters.ts";
import { startQuotaStatusController } from "./quota/federated-resource-quota.ts";
import { QUOTA_KIND, startQuotaWorkController } from "./quota/federated-resource-quota-works.ts";
import type { QuotaLedger } from "./quota/quota-ledger.ts";
import { QuotaWorks } from "./quota/quota-works.ts";
import { BindingWriter } from "./scheduling/binding-writer.ts";
import { startBindingController } from "./scheduling/bindings.ts";
import { startDescheduler } from "./scheduling/descheduler.ts";
import { type Estimators, startEstimators } from "./scheduling/estimators.ts";
import { FleetState } from "./scheduling/fleet-state.ts";
import { startPluginInput } from "./scheduling/plugin-input.ts";
import { startRelocationController } from "./scheduling/relocation.ts";
import { startAssumedWorkloads, startMemories } from "./scheduling/start-memories.ts";
import { REBALANCER_KIND, startWorkloadRebalancerController } from "./scheduling/workload-rebalancer.ts";
import { ArtifactStore } from "./sync/artifacts.ts";
import { GITOPS_API, type GitFetcher, startGitRepositoryController } from "./sync/git-repository.ts";
import { startSyncController } from "./sync/sync.ts";
import type { SyncRenderer } from "./sync/sync-apply.ts";
import { startDependencyController } from "./templates/dependencies.ts";
import { startNamespaceController } from "./templates/namespaces.ts";
import { startPolicyController } from "./templates/policies.ts";
import { startPolicyAdvisor } from "./templates/policy-advisor.ts";
import { startPreemptionController } from "./templates/preemption.ts";
import { TemplateIndex } from "./templates/template-index.ts";
import { TemplateWatch } from "./templates/template-watch.ts";
import { startTemplateController, watchPolicies } from "./templates/templates.ts";
import { startAppliedKinds } from "./works/applied-kinds.ts";
import { startBindingStatusController } from "./works/binding-status.ts";
import { startDeletionGuard } from "./works/deletion-guard.ts";
import { startDriftEvents } from "./works/drift-events.ts";
import { DriftJournal } from "./works/drift-journal.ts";
import { observeDrift } from "./works/drift-metrics.ts";
import { startExecutionController } from "./works/execution.ts";
import { startLeftOverController } from "./works/left-over.ts";
import { WorkIndex } from "./works/work-index.ts";
import { startWorkController } from "./works/works.ts";

/** Loops decide from what is cached, so these kinds must be known whole before the first decision. */
const FIRST_KINDS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["v1", "Namespace"],
  ["scheduling.k8s.io/v1", "PriorityClass"],
  ["cluster.karmada.io/v1alpha1", "Cluster"],
  LEASE_KIND,
  SIGNING_REQUEST_KIND,
  ["policy.karmada.io/v1alpha1", "PropagationPolicy"],
  ["policy.karmada.io/v1alpha1", "ClusterPropagationPolicy"],
  ["policy.karmada.io/v1alpha1", "OverridePolicy"],
  ["policy.karmada.io/v1alpha1", "ClusterOverridePolicy"],
  [BINDING_API_VERSION, "ResourceBinding"],
  [BINDING_API_VERSION, "ClusterResourceBinding"],
  [WORK_API_VERSION, "Work"],
  CUSTOMIZATION_KIND,
  QUOTA_KIND,
  REBALANCER_KIND,
  REMEDY_KIND,
  TAINT_POLICY_KIND,
  WEBHOOK_CONFIGURATION_KIND,
  [GITOPS_API, "GitRepository"],
  [GITOPS_API, "Sync"],
];

const REPORTER_KIND = [GITOPS_API, "Reporter"] as const;

export interface ManagerOptions {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly fetcher: GitFetcher;
  readonly renderer: SyncRenderer;
  /** What admission has charged to quotas for writes on their way. */
  readonly ledger: QuotaLedger;
  /** What Reporters need; absent: nothing is done for them. */
  readonly reporters?: ReporterTools | undefined;
}

export interface Manager extends Controller {
  readonly journal: DriftJournal;
  readonly artifacts: ArtifactStore;
  readonly estimators: Pick<Estimators, "port" | "hasRemote">;
  /** The last scheduling decisions with what was seen then. */
  readonly decisions: DecisionHistory;
  /** What a listener of webhooks asks; undefined where nothing is done for Reporters. */
  readonly webhookRoutes: Reporters["routes"] | undefined;
  /** The propagation policies there are. */
  readonly policies: PolicyIndex;
  /** The Clusters there are. */
  clusters(): Iterable<Cluster>;
  /** The customizations there are. */
  customizations(): Iterable<ResourceInterpreterCustomization>;
}

export async function startManager(options: ManagerOptions): Promise<Manager> {
  const { context, fleet } = options;
  // These follow the lists while they are read, which is in turns.
  const index = new WorkIndex(context);
  const quotaWorks = new QuotaWorks(context);
  const kindsOfWorks = new KindsOfWorks(context);
  const kinds = [...FIRST_KINDS, ...(options.reporters === undefined ? [] : [REPORTER_KIND])];
  for (const [apiVersion, kind] of kinds) context.informers.of(apiVersion, kind);
  await context.informers.synced();

  const customizations = startCustomizations(context);
  const webhooks = new WebhookProvider(context);
  const { compatibility } = context.profile;
  const { mapper } = context.client;
  const interpretation = new Interpretation({
    compatibility,
    hasStatus: ({ group, version, kind }) =>
      mapper.known(formatApiVersion(group, version), kind)?.subresources.includes("status") === true,
    customization: customizations,
    webhook: webhooks,
  });
  const journal = new DriftJournal();
  observeDrift(context, journal);
  const artifacts = new ArtifactStore();
  const templates = new TemplateWatch(context);
  const fleetState = new FleetState(context);
  const plugins = await startPluginInput(context, fleetState);
  const assumed = startAssumedWorkloads(context);
  const estimators = await startEstimators({
    context,
    fleet,
    fleetState,
    assumedIn: (cluster) => assumed?.optionsFor().assumedWorkloads?.get(cluster) ?? [],
  });
  const inputs = [...(plugins === undefined ? [] : [plugins]), ...estimators.inputs];
  const writer = new BindingWriter(context, fleetState, inputs, startMemories(context, assumed));
  const policies = watchPolicies(context);

  const { failover, safeFailover } = context.profile;
  const guard = failover && safeFailover ? startBlastRadiusController(context, fleet, safeFailover) : undefined;

  const { deletionLimits } = context.profile;
  const deletionGuard = deletionLimits && startDeletionGuard(context, deletionLimits);

  const templateIndex = new TemplateIndex(templates);
  const templateController = startTemplateController({ context, templates, policies, interpretation, writer });
  const preemption = startPreemptionController(context, templates, policies);
  const advisor = startPolicyAdvisor(context, templates, templateIndex, policies);
  const { descheduler } = context.profile;
  const { unschedulable } = estimators;
  const starts: readonly (() => Controller)[] = [
    () => templateController,
    () => preemption,
    () => advisor,
    () => startPolicyController({ context, index: templateIndex, templates: templateController, preemption, advisor }),
    () => startBindingController(context, fleetState, writer),
    () => startWorkController({ context, templates, fleet: fleetState, interpretation, index }),
    () => startNamespaceController(context, templates),
    () => startDependencyController(context, templates, interpretation),
    () => startMemberRightsController(context, fleet, kindsOfWorks),
    () => startClusterController(context, fleet),
    () => startLeaseMonitor(context),
    () => startConditionTaintController(context),
    ...(guard === undefined ? [] : [() => guard]),
    () => startFailoverController(context, fleetState, writer, { guard, works: index }),
    () => startRemedyController(context),
    () => startUnifiedAuthController(context),
    () => startAgentRegistration(context),
    () => startWorkloadRebalancerController(context),
    () => startQuotaWorkController(context, quotaWorks),
    () => startQuotaStatusController(context, quotaWorks, options.ledger),
    () => startRelocationController(context, fleetState, writer, { works: index }),
    () => startApplicationFailoverController(context, interpretation, writer),
    ...(context.profile.failover || context.profile.featureGates.Failover
      ? [() => startTaintPolicyController(context)]
      : []),
    ...(deletionGuard === undefined ? [] : [() => deletionGuard]),
    () => startExecutionController({ context, fleet, interpretation, journal, guard: deletionGuard }),
    () => startLeftOverController(context, fleet),
    () => startAppliedKinds({ context, fleet, use: kindsOfWorks }),
    () => startBindingStatusController({ context, templates, interpretation, index }),
    () => estimators,
    ...(descheduler === undefined || unschedulable === undefined
      ? []
      : [() => startDescheduler(context, unschedulable, descheduler)]),
    () => startDriftEvents(context, journal),
  ];
  // Each takes in all that there is.
  const controllers: Controller[] = [];
  const turn = new Turn();
  for (const start of starts) {
    if (turn.isOver) await turn.next();
    controllers.push(start());
  }
  const gitRepositories = startGitRepositoryController(context, options.fetcher, artifacts);
  controllers.push(gitRepositories, startSyncController({ context, renderer: options.renderer, artifacts, policies }));
  const reporters =
    options.reporters && startReporters(context, options.reporters, { interpretation, repositories: gitRepositories });
  if (reporters !== undefined) controllers.push(reporters);
  await templates.start();
  // Stopped queues take nothing, so this may come late.
  void templates.synced().then(() => templateController.sweep());

  return {
    journal,
    artifacts,
    policies,
    webhookRoutes: reporters?.routes,
    clusters: () => context.informers.of<Cluster>(CLUSTER_API, "Cluster").all(),
    customizations: () => context.informers.of<ResourceInterpreterCustomization>(...CUSTOMIZATION_KIND).all(),
    decisions: fleetState.decisions,
    estimators,
    stop: async () => {
      templates.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      webhooks.close();
      await plugins?.stop();
      await customizations.stop();
      await context.events.flush();
      await context.informers.stop();
    },
  };
}
