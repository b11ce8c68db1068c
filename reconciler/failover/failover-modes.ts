// The ways in which a control plane may fail over.

import type { BlastRadiusSettings } from "./blast-radius.ts";

/**
 * `safe`: ours, with a guard. `karmada`: taints with effect NoExecute drive workloads out, and nothing else does. `off`:
 * nothing is moved because of a cluster.
 */
export const FAILOVER_MODES = ["safe", "karmada", "off"] as const;
export type FailoverMode = (typeof FAILOVER_MODES)[number];

/** What failover does beyond Karmada. */
export interface SafeFailover {
  readonly guard: BlastRadiusSettings;
  /** The greatest share of a workload, from 0 to 1, that may leave clusters that answer at the same time. */
  readonly workloadShare: number;
  /** How long clusters must have been well again before what failover moved returns; undefined: it does not. */
  readonly failBackSeconds: number | undefined;
}

export const DEFAULT_SAFE_FAILOVER: SafeFailover = {
  guard: { unreachableAfterMs: 60_000, fleetShare: 0.5, windowMs: 600_000, settleMs: 60_000 },
  workloadShare: 0.5,
  failBackSeconds: 300,
};

/** How often workloads are evicted, which is not limited where the guard limits how many clusters are given up. */
const SAFE_EVICTION_RATE = Number.POSITIVE_INFINITY;

/** The settings of a control plane that go with a mode; flags may change single ones. */
export function failoverSettings(mode: FailoverMode): {
  readonly failover: boolean;
  readonly safeFailover: SafeFailover | undefined;
  readonly evictionRate: number;
} {
  switch (mode) {
    case "safe":
      return { failover: true, safeFailover: DEFAULT_SAFE_FAILOVER, evictionRate: SAFE_EVICTION_RATE };
    case "karmada":
      return { failover: true, safeFailover: undefined, evictionRate: 0.5 };
    case "off":
      return { failover: false, safeFailover: undefined, evictionRate: 0.5 };
  }
}
