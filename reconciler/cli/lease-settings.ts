// How clusters that report for themselves are watched over, and how they report. The flags are Karmada's, with its defaults.
import type { Profile } from "../controllers/context.ts";
import { type CommandOption, durationOption, type Invocation, stringOption, UsageError } from "./command.ts";

/** For the control plane. */
export const MONITOR_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "cluster-monitor-period": {
    type: "string",
    value: "DURATION",
    help: "how often clusters in Pull mode are looked after (default: 5s)",
  },
  "cluster-monitor-grace-period": {
    type: "string",
    value: "DURATION",
    help: "how long the agent of a cluster may be silent before the cluster is Unknown (default: 40s)",
  },
  "cluster-startup-grace-period": {
    type: "string",
    value: "DURATION",
    help: "the same for one that has never reported, from its creation (default: 1m)",
  },
};

/** For agents. */
export const REPORT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "cluster-status-update-frequency": {
    type: "string",
    value: "DURATION",
    help: "how often the cluster is looked at (default: 10s)",
  },
  "cluster-failure-threshold": {
    type: "string",
    value: "DURATION",
    help: "how long the cluster must look bad to be not ready (default: 30s)",
  },
  "cluster-success-threshold": {
    type: "string",
    value: "DURATION",
    help: "how long it must look good to be ready again (default: 30s)",
  },
  "cluster-lease-duration": {
    type: "string",
    value: "DURATION",
    help: "for how long a sign of life holds (default: 40s)",
  },
  "cluster-lease-renew-interval-fraction": {
    type: "string",
    value: "FRACTION",
    help: "part of that time after which the next one is given (default: 0.25)",
  },
};

/** Reads MONITOR_OPTIONS. Throws a usage error. */
export function readMonitorSettings(
  invocation: Invocation,
): Pick<Profile, "clusterMonitorPeriodMs" | "clusterLiveness"> {
  return {
    clusterMonitorPeriodMs: positiveDuration(invocation, "cluster-monitor-period", "5s"),
    clusterLiveness: {
      graceMs: positiveDuration(invocation, "cluster-monitor-grace-period", "40s"),
      startupGraceMs: positiveDuration(invocation, "cluster-startup-grace-period", "1m"),
    },
  };
}

/** Reads REPORT_OPTIONS. Throws a usage error. */
export function readReportSettings(
  invocation: Invocation,
): Pick<
  Profile,
  "clusterStatusIntervalMs" | "clusterThresholds" | "clusterLeaseDurationMs" | "clusterLeaseRenewFraction"
> {
  const text = stringOption(invocation, "cluster-lease-renew-interval-fraction") ?? "0.25";
  const fraction = Number(text);
  if (!(fraction > 0 && fraction < 1))
    throw new UsageError(`--cluster-lease-renew-interval-fraction takes a number between 0 and 1, not "${text}"`);
  return {
    clusterStatusIntervalMs: positiveDuration(invocation, "cluster-status-update-frequency", "10s"),
    clusterThresholds: {
      failureMs: durationOption(invocation, "cluster-failure-threshold", "30s"),
      successMs: durationOption(invocation, "cluster-success-threshold", "30s"),
    },
    clusterLeaseDurationMs: positiveDuration(invocation, "cluster-lease-duration", "40s"),
    clusterLeaseRenewFraction: fraction,
  };
}

function positiveDuration(invocation: Invocation, name: string, fallback: string): number {
  const ms = durationOption(invocation, name, fallback);
  if (ms <= 0) throw new UsageError(`--${name} takes a duration above 0`);
  return ms;
}
