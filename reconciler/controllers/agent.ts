// Starts the loops of an agent: what the control plane's own do for a cluster that it may ask, done from beside it.
import type { Fleet } from "../../fleets/fleet.ts";
import type { ScopeOf } from "../../kube/client/informer-set.ts";
import { formatApiVersion } from "../../kube/object.ts";
import { executionNamespace } from "../works/naming.ts";
import { WORK_API_VERSION } from "../works/work.ts";
import { CLUSTER_API } from "./clusters/cluster-object.ts";
import { startClusterReport } from "./clusters/report-cluster.ts";
import type { Controller, ControllerContext } from "./context.ts";
import { CUSTOMIZATION_KIND, startCustomizations } from "./interpretation/customizations.ts";
import { Interpretation } from "./interpretation/interpretation.ts";
import { WEBHOOK_CONFIGURATION_KIND, WebhookProvider } from "./interpretation/webhooks/webhook-provider.ts";
import { startAppliedKinds } from "./works/applied-kinds.ts";
import { startDeletionGuard } from "./works/deletion-guard.ts";
import { startDriftEvents } from "./works/drift-events.ts";
import { DriftJournal } from "./works/drift-journal.ts";
import { startExecutionController } from "./works/execution.ts";
import { startLeftOverController } from "./works/left-over.ts";

/** What an agent reads of the control plane: its own Cluster, its own Works, and what is about no cluster. */
export function agentScope(cluster: string): ScopeOf {
  return (_apiVersion, kind) => {
    if (kind === "Cluster") return { fieldSelector: `metadata.name=${cluster}` };
    if (kind === "Work") return { namespace: executionNamespace(cluster) };
    return {};
  };
}

/** Starts them, as soon as the control plane has answered once. `context.agentOf` names the cluster. */
export async function startAgentLoops(context: ControllerContext, fleet: Fleet): Promise<Controller> {
  const { agentOf: name, informers, profile, client } = context;
  if (name === undefined) throw new Error("the context is that of a control plane");
  const kinds = [[CLUSTER_API, "Cluster"], [WORK_API_VERSION, "Work"], CUSTOMIZATION_KIND, WEBHOOK_CONFIGURATION_KIND];
  for (const [apiVersion = "", kind = ""] of kinds) informers.of(apiVersion, kind);
  await informers.synced();

  const customizations = startCustomizations(context);
  const webhooks = new WebhookProvider(context);
  const interpretation = new Interpretation({
    compatibility: profile.compatibility,
    hasStatus: ({ group, version, kind }) =>
      client.mapper.known(formatApiVersion(group, version), kind)?.subresources.includes("status") === true,
    customization: customizations,
    webhook: webhooks,
  });
  const journal = new DriftJournal();
  const { deletionLimits } = profile;
  const guard = deletionLimits && startDeletionGuard(context, deletionLimits);
  const controllers: Controller[] = [
    startClusterReport(context, fleet, name),
    ...(guard === undefined ? [] : [guard]),
    startExecutionController({ context, fleet, interpretation, journal, guard }),
    startLeftOverController(context, fleet),
    startAppliedKinds({ context, fleet }),
    startDriftEvents(context, journal),
  ];
  return {
    stop: async () => {
      await Promise.all(controllers.map((controller) => controller.stop()));
      webhooks.close();
      await customizations.stop();
      await context.events.flush();
      await informers.stop();
    },
  };
}
