// Keeps bindings within the FederatedResourceQuotas of their namespace while they are written (scheduler.md, section 13).

import type { FederatedResourceQuota } from "../../../api/quota.ts";
import { bindingUsage, chargeQuota, isUsageChanged, type Usage, usageDifference } from "../../../api/quota-usage.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isConflict } from "../../../kube/client/status-error.ts";
import type { QuotaLedger } from "./quota-ledger.ts";

/** Karmada's reason of a refusal, which the scheduler finds again in the answer to its write. */
export const QUOTA_EXCEEDED = "QuotaExceeded";

const QUOTA_API = "policy.karmada.io/v1alpha1";
const ATTEMPTS = 5;

export interface BindingWrite {
  readonly binding: ResourceBinding;
  readonly old: ResourceBinding | undefined;
  readonly isDryRun: boolean;
}

/** Whether a write needs to be checked at all; the check itself reads the quotas. */
export function concernsQuota({ binding, old }: BindingWrite): boolean {
  return old === undefined ? (binding.spec.clusters ?? []).length > 0 : isUsageChanged(old, binding);
}

export class QuotaEnforcement {
  readonly #client: () => KubeClient;
  readonly #ledger: QuotaLedger;
  /** The last check of each namespace, which the next one waits for: both write the same quotas. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** `client` is asked for when the first write comes, because the store may be made after its admission. */
  constructor(client: () => KubeClient, ledger: QuotaLedger) {
    this.#client = client;
    this.#ledger = ledger;
  }

  /**
   * Charges the quotas of the namespace for the write. Answers Karmada's words when one of them has not enough left, and
   * then charges none. A write that is not stored after all stays charged until quotas are counted again. Throws what the
   * store throws.
   */
  async charge(write: BindingWrite): Promise<string | undefined> {
    const namespace = write.binding.metadata.namespace ?? "";
    const before = this.#turns.get(namespace);
    const turn = (before ?? Promise.resolve()).then(() => this.#chargeInTurn(namespace, write));
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(namespace, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(namespace) === settled) this.#turns.delete(namespace);
    }
  }

  async #chargeInTurn(namespace: string, { binding, old, isDryRun }: BindingWrite): Promise<string | undefined> {
    const usage = bindingUsage(binding);
    const difference = usageDifference(usage, this.#ledger.charged(binding, old));
    if (difference.size === 0) return undefined;
    const done = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      try {
        const exceeded = await this.#chargeAll(namespace, difference, isDryRun, done);
        if (exceeded === undefined && !isDryRun) this.#ledger.record(binding, old, usage);
        return exceeded;
      } catch (error) {
        // The count of somebody else came between.
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** `done` holds the quotas that an earlier attempt charged already. */
  async #chargeAll(
    namespace: string,
    difference: Usage,
    isDryRun: boolean,
    done: Set<string>,
  ): Promise<string | undefined> {
    const client = this.#client();
    const { items } = await client.list<FederatedResourceQuota>(QUOTA_API, "FederatedResourceQuota", { namespace });
    const charged: FederatedResourceQuota[] = [];
    for (const quota of items) {
      if (done.has(quota.metadata.name ?? "")) continue;
      const verdict = chargeQuota(quota, difference);
      if (verdict.outcome === "exceeded") return verdict.message;
      if (verdict.outcome === "untouched") continue;
      const { apiVersion = QUOTA_API, kind = "FederatedResourceQuota" } = quota;
      charged.push({ ...quota, apiVersion, kind, status: { ...quota.status, overallUsed: verdict.overallUsed } });
    }
    if (isDryRun) return undefined;
    for (const quota of charged) {
      await client.update(quota, { subresource: "status", fieldManager: "flaghoist" });
      done.add(quota.metadata.name ?? "");
    }
    return undefined;
  }
}
