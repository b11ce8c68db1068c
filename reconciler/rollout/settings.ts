// How a rollout goes, read from `placement.flaghoist.rollout`: with defaults, in milliseconds.
import type { ClusterAffinity } from "../../api/policy.ts";
import type { Rollout } from "../../api/rollout.ts";
import { isDuration, parseDuration } from "../../runtime/duration.ts";

/** A number of clusters, or a percentage. */
export type CountOrPercent = number | string;

export interface WaveSettings {
  readonly name: string;
  readonly clusterAffinity: ClusterAffinity | undefined;
  readonly partition: CountOrPercent | undefined;
  readonly maxConcurrency: CountOrPercent | undefined;
  readonly minSuccessMs: number;
}

export interface RolloutSettings {
  /** In their order; the last one takes all clusters that the others have not. */
  readonly waves: readonly WaveSettings[];
  readonly maxConcurrency: CountOrPercent | undefined;
  readonly maxFailures: CountOrPercent;
  /** Infinite for None. */
  readonly progressDeadlineMs: number;
  readonly skipUnavailableMs: number;
  readonly returns: boolean;
  readonly paused: boolean;
}

const DEFAULT_DEADLINE_MS = 600_000;
const DEFAULT_SKIP_MS = 300_000;

export function readRolloutSettings(rollout: Rollout): RolloutSettings {
  const minSuccessMs = milliseconds(rollout.minSuccessTime, 0);
  const waves = (rollout.waves ?? []).map((wave, index) => ({
    name: wave.name || String(index + 1),
    clusterAffinity: wave.clusterAffinity,
    partition: wave.partition,
    maxConcurrency: wave.maxConcurrency,
    minSuccessMs: milliseconds(wave.minSuccessTime, minSuccessMs),
  }));
  const rest: WaveSettings = {
    name: waves.length === 0 ? "all" : "rest",
    clusterAffinity: undefined,
    partition: undefined,
    maxConcurrency: undefined,
    minSuccessMs,
  };
  return {
    waves: [...waves, rest],
    maxConcurrency: rollout.maxConcurrency,
    maxFailures: rollout.maxFailures ?? 0,
    progressDeadlineMs: milliseconds(rollout.progressDeadline, DEFAULT_DEADLINE_MS),
    skipUnavailableMs: milliseconds(rollout.skipUnavailableAfter, DEFAULT_SKIP_MS),
    returns: rollout.onFailure !== "Stop",
    paused: rollout.paused === true,
  };
}

function milliseconds(text: string | undefined, fallback: number): number {
  if (text === "None") return Number.POSITIVE_INFINITY;
  return text !== undefined && isDuration(text) ? parseDuration(text) : fallback;
}

/** A count as it is; a percentage of `total`, rounded down. */
export function countOf(value: CountOrPercent, total: number): number {
  return typeof value === "number" ? value : Math.floor((Number.parseInt(value, 10) * total) / 100);
}
