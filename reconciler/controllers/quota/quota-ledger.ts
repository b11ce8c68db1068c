// What was charged to quotas for writes that may not be stored yet.
import { bindingUsage, type Usage } from "../../../api/quota-usage.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import type { Clock } from "../../../runtime/clock.ts";

interface Charge {
  /** Of the binding that the write starts from; undefined for a new one. */
  readonly version: string | undefined;
  readonly usage: Usage;
  readonly atMs: number;
}

/** Longer than any write takes to be stored or to fail. */
const FORGET_AFTER_MS = 60_000;

/**
 * A write is charged when it is admitted, and stored or lost afterwards. The ledger knows the charges in between, so that a
 * write that is tried again is not charged twice, and a recount misses none that is on its way.
 */
export class QuotaLedger {
  readonly #clock: Clock;
  /** By namespace, then by name of the binding. */
  readonly #charges = new Map<string, Map<string, Charge>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the quotas have already been charged for the binding as it was before the write. */
  charged(binding: ResourceBinding, old: ResourceBinding | undefined): Usage {
    const charge = this.#charges.get(binding.metadata.namespace ?? "")?.get(binding.metadata.name ?? "");
    const isPending = charge !== undefined && charge.version === old?.metadata.resourceVersion && this.#isFresh(charge);
    if (isPending) return charge.usage;
    return old === undefined ? new Map() : bindingUsage(old);
  }

  record(binding: ResourceBinding, old: ResourceBinding | undefined, usage: Usage): void {
    const { namespace = "", name = "" } = binding.metadata;
    const charges = this.#charges.get(namespace) ?? new Map<string, Charge>();
    this.#charges.set(namespace, charges);
    charges.set(name, { version: old?.metadata.resourceVersion, usage, atMs: this.#clock.now() });
  }

  /**
   * What a stored binding takes, or what its pending write was charged. Forgets a charge that has been stored or lost.
   */
  usageOf(binding: ResourceBinding): Usage {
    const { namespace = "", name = "", resourceVersion = "" } = binding.metadata;
    const charges = this.#charges.get(namespace);
    const charge = charges?.get(name);
    if (charge === undefined) return bindingUsage(binding);
    if (this.#isFresh(charge) && !isBefore(charge.version, resourceVersion)) return charge.usage;
    charges?.delete(name);
    return bindingUsage(binding);
  }

  /** What was charged for new bindings that are not stored yet; `isStored` by name. */
  newUsages(namespace: string, isStored: (name: string) => boolean): Usage[] {
    const charges = this.#charges.get(namespace);
    const usages: Usage[] = [];
    for (const [name, charge] of charges ?? []) {
      if (isStored(name)) continue;
      if (charge.version === undefined && this.#isFresh(charge)) usages.push(charge.usage);
      else charges?.delete(name);
    }
    if (charges?.size === 0) this.#charges.delete(namespace);
    return usages;
  }

  #isFresh(charge: Charge): boolean {
    return this.#clock.now() - charge.atMs < FORGET_AFTER_MS;
  }
}

/** Of two resource versions, which count up; no version stands before every other. */
function isBefore(version: string | undefined, other: string): boolean {
  if (version === undefined) return true;
  return version.length === other.length ? version < other : version.length < other.length;
}
