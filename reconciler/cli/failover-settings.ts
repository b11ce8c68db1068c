// Whether and how workloads leave clusters that fail, from the command line. Flags that Karmada has are its own by name.
import type { FeatureGates } from "../../api/feature-gates.ts";
import { parseDuration } from "../../runtime/duration.ts";
import type { Profile } from "../controllers/context.ts";
import { DEFAULT_EVICTION_LIMITER, type EvictionLimiter } from "../failover/eviction-pace.ts";
import { FAILOVER_MODES, type FailoverMode, failoverSettings, type SafeFailover } from "../failover/failover-modes.ts";
import { type CommandOption, durationOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const FAILOVER_OPTIONS: Readonly<Record<string, CommandOption>> = {
  failover: {
    type: "string",
    value: "MODE",
    bare: "safe",
    help: "safe: give up clusters that do not answer, unless most vanish together, and return later; karmada: NoExecute taints alone evict; off (default: safe for a new store, as it was for others)",
  },
  "enable-no-execute-taint-eviction": {
    type: "boolean",
    help: "with the gate Failover: NoExecute taints drive workloads out that do not tolerate them",
  },
  "enable-taint-manager": { type: "boolean", help: "look at NoExecute taints at all (default: true)" },
  "no-execute-taint-eviction-purge-mode": {
    type: "string",
    value: "MODE",
    help: "Gracefully (default), or Directly: the old copy goes before there is a new one",
  },
  "resource-eviction-rate": {
    type: "string",
    value: "N",
    help: "evictions a second of each of three workers (default: 0.5; not limited with --failover safe)",
  },
  "rate-limiter-base-delay": {
    type: "string",
    value: "DURATION",
    help: "without the guard: how long a failed eviction waits, twice as long each time (default: 5ms)",
  },
  "rate-limiter-max-delay": {
    type: "string",
    value: "DURATION",
    help: "without the guard: the longest such wait (default: 1000s)",
  },
  "rate-limiter-qps": {
    type: "string",
    value: "N",
    help: "without the guard: evictions a second after those of the bucket, whatever the rate (default: 10)",
  },
  "rate-limiter-bucket-size": {
    type: "string",
    value: "N",
    help: "without the guard: evictions that --rate-limiter-qps does not slow down (default: 100)",
  },
  "graceful-eviction-timeout": {
    type: "string",
    value: "DURATION",
    help: "how long old copies wait for new ones; with --failover safe those of clusters wait on (default: 10m)",
  },
  "failover-after": {
    type: "string",
    value: "DURATION",
    help: "with --failover safe: how long a cluster must have been not ready before it is given up (default: 1m)",
  },
  "failover-max-share": {
    type: "string",
    value: "PERCENT",
    help: "with --failover safe: greatest share of the fleet that may be given up at once (default: 50%)",
  },
  "failover-window": {
    type: "string",
    value: "DURATION",
    help: "with --failover safe: what is given up within this time counts as at once (default: 10m)",
  },
  "failover-max-workload-share": {
    type: "string",
    value: "PERCENT",
    help: "with --failover safe: greatest share of a workload's replicas that leave answering clusters at once (default: 50%)",
  },
  "fail-back-after": {
    type: "string",
    value: "DURATION|never",
    help: "with --failover safe: how long clusters must be well before what was moved returns (default: 5m)",
  },
  "cluster-status-update-frequency": { type: "string", value: "DURATION", help: "time between looks (default: 10s)" },
  "cluster-failure-threshold": {
    type: "string",
    value: "DURATION",
    help: "how long a cluster must look bad before it is not ready (default: 30s)",
  },
  "cluster-success-threshold": {
    type: "string",
    value: "DURATION",
    help: "how long a cluster must look good before it is ready again (default: 30s)",
  },
};

/** Options that mean nothing without the guard. */
const SAFE_ONLY = [
  "failover-after",
  "failover-max-share",
  "failover-window",
  "failover-max-workload-share",
  "fail-back-after",
] as const;

export interface FailoverChoice {
  /** What was asked for; undefined: as the store was installed. */
  readonly mode: FailoverMode | undefined;
  /** The settings that go with a mode. */
  settingsFor(mode: FailoverMode): FailoverSettings;
}

export type FailoverSettings = Pick<
  Profile,
  | "failover"
  | "safeFailover"
  | "evictionRate"
  | "evictionLimiter"
  | "evictionPurgeMode"
  | "gracefulEvictionTimeoutMs"
  | "clusterStatusIntervalMs"
  | "clusterThresholds"
>;

/** Reads the options above. Throws a usage error. */
export function readFailoverSettings(
  invocation: Invocation,
  { compatibility, featureGates }: Pick<Profile, "compatibility" | "featureGates">,
): FailoverChoice {
  const mode = modeOption(invocation, compatibility, featureGates);
  const evicts = switchOption(invocation, "enable-no-execute-taint-eviction");
  if (mode === "off" && stringOption(invocation, "failover") === "off" && evicts === true)
    throw new UsageError("--failover off and --enable-no-execute-taint-eviction contradict each other");
  const idle = SAFE_ONLY.find((name) => stringOption(invocation, name) !== undefined);
  if (idle !== undefined && mode !== "safe" && mode !== undefined)
    throw new UsageError(`--${idle} has no effect with --failover ${mode}`);
  const rate = rateOption(invocation);
  const common = {
    evictionLimiter: limiterOptions(invocation),
    evictionPurgeMode: purgeModeOption(invocation),
    gracefulEvictionTimeoutMs: durationOption(invocation, "graceful-eviction-timeout", "10m"),
    clusterStatusIntervalMs: intervalOption(invocation),
    clusterThresholds: {
      failureMs: durationOption(invocation, "cluster-failure-threshold", "30s"),
      successMs: durationOption(invocation, "cluster-success-threshold", "30s"),
    },
  };
  const safe = safeOptions(invocation);
  const isOff = switchOption(invocation, "enable-taint-manager") === false || evicts === false;
  return {
    mode,
    settingsFor: (chosen) => {
      const settings = failoverSettings(chosen);
      return {
        failover: settings.failover && !isOff,
        safeFailover: settings.safeFailover === undefined || isOff ? undefined : safe(settings.safeFailover),
        evictionRate: rate ?? settings.evictionRate,
        ...common,
      };
    },
  };
}

function modeOption(
  invocation: Invocation,
  compatibility: Profile["compatibility"],
  gates: FeatureGates,
): FailoverMode | undefined {
  const text = stringOption(invocation, "failover");
  if (text !== undefined) {
    const mode = FAILOVER_MODES.find((one) => one === text);
    if (mode === undefined) throw new UsageError(`--failover takes ${FAILOVER_MODES.join(", ")}, not "${text}"`);
    return mode;
  }
  const evicts = switchOption(invocation, "enable-no-execute-taint-eviction");
  // Whoever names Karmada's own switches gets what they do there.
  if (evicts === true || gates.Failover) return evicts === true && gates.Failover ? "karmada" : "off";
  return compatibility === "karmada" ? "off" : undefined;
}

function switchOption(invocation: Invocation, name: string): boolean | undefined {
  const value = invocation.values[name];
  return typeof value === "boolean" ? value : undefined;
}

function rateOption(invocation: Invocation): number | undefined {
  const text = stringOption(invocation, "resource-eviction-rate");
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (text.trim() === "" || !Number.isFinite(rate) || rate < 0)
    throw new UsageError(`--resource-eviction-rate takes a number from 0 on, not "${text}"`);
  return rate;
}

/** As Karmada: a value that is not above 0 stands for the default. */
function limiterOptions(invocation: Invocation): EvictionLimiter {
  const { baseDelayMs, maxDelayMs, qps, burst } = DEFAULT_EVICTION_LIMITER;
  return {
    baseDelayMs: durationOption(invocation, "rate-limiter-base-delay", "5ms") || baseDelayMs,
    maxDelayMs: durationOption(invocation, "rate-limiter-max-delay", "1000s") || maxDelayMs,
    qps: wholeOption(invocation, "rate-limiter-qps") ?? qps,
    burst: wholeOption(invocation, "rate-limiter-bucket-size") ?? burst,
  };
}

function wholeOption(invocation: Invocation, name: string): number | undefined {
  const text = stringOption(invocation, name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,9}$/.test(text)) throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  return Number(text) > 0 ? Number(text) : undefined;
}

function purgeModeOption(invocation: Invocation): Profile["evictionPurgeMode"] {
  const text = stringOption(invocation, "no-execute-taint-eviction-purge-mode") ?? "Gracefully";
  if (text !== "Gracefully" && text !== "Directly")
    throw new UsageError(`--no-execute-taint-eviction-purge-mode takes Gracefully or Directly, not "${text}"`);
  return text;
}

function intervalOption(invocation: Invocation): number {
  const intervalMs = durationOption(invocation, "cluster-status-update-frequency", "10s");
  if (intervalMs < 100) throw new UsageError("--cluster-status-update-frequency takes at least 100ms");
  return intervalMs;
}

function safeOptions(invocation: Invocation): (defaults: SafeFailover) => SafeFailover {
  const after = stringOption(invocation, "failover-after");
  const unreachableAfterMs = after === undefined ? undefined : durationOption(invocation, "failover-after", "1m");
  const fleetShare = shareOption(invocation, "failover-max-share");
  const window = stringOption(invocation, "failover-window");
  const windowMs = window === undefined ? undefined : durationOption(invocation, "failover-window", "10m");
  const workloadShare = shareOption(invocation, "failover-max-workload-share");
  const back = stringOption(invocation, "fail-back-after");
  if (back !== undefined && back !== "never") durationOption(invocation, "fail-back-after", "5m");
  return ({ guard, ...defaults }) => ({
    guard: {
      ...guard,
      ...(unreachableAfterMs === undefined ? {} : { unreachableAfterMs }),
      ...(fleetShare === undefined ? {} : { fleetShare }),
      ...(windowMs === undefined ? {} : { windowMs }),
    },
    workloadShare: workloadShare ?? defaults.workloadShare,
    failBackSeconds:
      back === undefined ? defaults.failBackSeconds : back === "never" ? undefined : parseDuration(back) / 1_000,
  });
}

function shareOption(invocation: Invocation, name: string): number | undefined {
  const text = stringOption(invocation, name);
  if (text === undefined) return undefined;
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent === undefined || Number(percent) > 100)
    throw new UsageError(`--${name} takes a share such as 50%, not "${text}"`);
  return Number(percent) / 100;
}
