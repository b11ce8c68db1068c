// The status of FederatedResourceQuotas: what their clusters report, and what bindings take (scheduler.md, section 13).
import type { ClusterQuotaStatus, FederatedResourceQuota, FederatedResourceQuotaStatus } from "../../../api/quota.ts";
import { usedInClusters } from "../../../api/quota-status.ts";
import { overallUsed, type Usage } from "../../../api/quota-usage.ts";
import type { ResourceBinding, Work } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, isObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { BINDING_API_VERSION } from "../../works/binding.ts";
import { clusterOfExecutionNamespace, EXECUTION_NAMESPACE_PREFIX } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { QUOTA_KIND } from "./federated-resource-quota-works.ts";
import type { QuotaLedger } from "./quota-ledger.ts";
import type { QuotaWorks } from "./quota-works.ts";

/** Bindings are counted behind the gate FederatedQuotaEnforcement; without it the clusters' own figures are added up. */
export function startQuotaStatusController(
  context: ControllerContext,
  quotaWorks: QuotaWorks,
  ledger: QuotaLedger,
): Controller {
  const { client, clock, logger, informers } = context;
  const { featureGates, quotaRecountMs } = context.profile;
  const isEnforced = featureGates.FederatedQuotaEnforcement;
  const quotas = informers.of<FederatedResourceQuota>(...QUOTA_KIND);
  const bindings = informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding");
  const queue = new WorkQueue(
    { name: "quota-status", clock, logger, workers: 2, minBackoffMs: 100, maxBackoffMs: 30_000 },
    step,
  );
  /** Quotas whose bindings are to be counted again. Else what admission charged stands. */
  const toCount = new Set<string>();

  quotas.subscribe((change) => {
    if (change.type === "deleted") return;
    const key = keyOf(change.object);
    if (change.type === "updated" && equalJson(change.previous.spec, change.object.spec)) return;
    if (change.type === "added" || !equalJson(change.previous.spec.overall, change.object.spec.overall))
      toCount.add(key);
    queue.add(key);
  });
  quotaWorks.subscribe((key) => queue.add(key));
  if (isEnforced) {
    bindings.subscribe((change) => {
      if (change.type === "deleted") countAgain(change.object.metadata.namespace);
    });
  }
  let timer = isEnforced && quotaRecountMs > 0 ? clock.after(quotaRecountMs, recount) : undefined;

  function recount(): void {
    timer = clock.after(quotaRecountMs, recount);
    countAgain(undefined);
  }

  /** Of one namespace, or of all. */
  function countAgain(namespace: string | undefined): void {
    for (const quota of quotas.all()) {
      if (namespace !== undefined && quota.metadata.namespace !== namespace) continue;
      toCount.add(keyOf(quota));
      queue.add(keyOf(quota));
    }
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const [namespace = "", name = ""] = key.split("/");
    const isCounted = toCount.delete(key) && isEnforced;
    // Karmada's reasons.
    const reason = isCounted ? "CollectOverallStatus" : "AggregateStatus";
    const quota = quotas.get(namespace, name);
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      const aggregatedStatus = clusterStatuses(quotaWorks.of(key));
      const status: FederatedResourceQuotaStatus = {
        ...quota.status,
        ...(aggregatedStatus.length > 0 ? { aggregatedStatus } : {}),
      };
      if (aggregatedStatus.length === 0) delete status.aggregatedStatus;
      if (!isEnforced) {
        status.overall = quota.spec.overall;
        status.overallUsed = usedInClusters(aggregatedStatus);
      } else if (isCounted) {
        status.overall = quota.spec.overall;
        status.overallUsed = overallUsed(await usagesIn(namespace), quota.spec.overall);
      }
      if (equalJson(status, quota.status ?? {})) return undefined;
      quotas.adopt(await client.update({ ...quota, status }, { subresource: "status", fieldManager: "flaghoist" }));
      const message = `Collect status of FederatedResourceQuota(${key}) succeed.`;
      context.events.record(subjectOf(quota), "Normal", `${reason}Succeed`, message);
    } catch (error) {
      if (isCounted) toCount.add(key);
      if (isNotFound(error)) return undefined;
      // Admission charged it in between.
      if (isConflict(error)) return { requeueAfterMs: 50 };
      context.events.record(subjectOf(quota), "Warning", `${reason}Failed`, messageOf(error));
      throw error;
    }
    return undefined;
  }

  async function usagesIn(namespace: string): Promise<Usage[]> {
    const turn = new Turn();
    const usages: Usage[] = [];
    for (const binding of bindings.all()) {
      if (binding.metadata.namespace === namespace) usages.push(ledger.usageOf(binding));
      if (turn.isOver) await turn.next();
    }
    const isStored = (name: string): boolean => bindings.get(namespace, name) !== undefined;
    return [...usages, ...ledger.newUsages(namespace, isStored)];
  }

  return {
    stop: async () => {
      timer?.cancel();
      await queue.stop();
    },
  };
}

/** What the clusters report of their ResourceQuotas, by name of the cluster. */
function clusterStatuses(works: readonly Work[]): ClusterQuotaStatus[] {
  return works
    .flatMap((work): ClusterQuotaStatus[] => {
      const isApplied = work.status?.conditions?.some(({ type, status }) => type === "Applied" && status === "True");
      const { namespace = "" } = work.metadata;
      const reported = work.status?.manifestStatuses?.[0]?.status;
      if (isApplied !== true || !namespace.startsWith(EXECUTION_NAMESPACE_PREFIX) || !isObject(reported)) return [];
      const clusterName = clusterOfExecutionNamespace(namespace);
      const { hard, used } = reported;
      return [
        {
          clusterName,
          ...(isObject(hard) ? { hard: hard as Amounts } : {}),
          ...(isObject(used) ? { used: used as Amounts } : {}),
        },
      ];
    })
    .sort((a, b) => (a.clusterName < b.clusterName ? -1 : 1));
}

/** As the API server of the cluster has checked them. */
type Amounts = Record<string, string | number>;

function keyOf({ metadata }: FederatedResourceQuota): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
