// When workloads are placed another time, from the command line. The descheduler's flags are Karmada's by their names.
import type { DeschedulerProfile, Profile } from "../controllers/context.ts";
import {
  booleanOption,
  type CommandOption,
  durationOption,
  type Invocation,
  stringOption,
  UsageError,
} from "./command.ts";

export const REBALANCE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  descheduler: { type: "boolean", help: "move replicas away from clusters that find no place for them" },
  "descheduling-interval": {
    type: "string",
    value: "DURATION",
    help: "with --descheduler: time between two looks at all workloads (default: 2m)",
  },
  "unschedulable-threshold": {
    type: "string",
    value: "DURATION",
    help: "with --descheduler: how long a Pod must have found no place (default: 5m)",
  },
  "cluster-health-damping": {
    type: "string",
    value: "DURATION",
    help: "how long a cluster must be ready, or not, before rescheduleOn: [ClusterHealth] follows (default: 1m)",
  },
};

/** As Karmada's --scheduler-estimator-timeout. */
const ANSWER_TIMEOUT_MS = 3_000;

/** Reads the options above. Throws a usage error. */
export function readRebalanceSettings(invocation: Invocation): Pick<Profile, "descheduler" | "clusterHealthDampingMs"> {
  return {
    descheduler: readDescheduler(invocation),
    clusterHealthDampingMs: durationOption(invocation, "cluster-health-damping", "1m"),
  };
}

function readDescheduler(invocation: Invocation): DeschedulerProfile | undefined {
  const intervalMs = durationOption(invocation, "descheduling-interval", "2m");
  const thresholdMs = durationOption(invocation, "unschedulable-threshold", "5m");
  if (!booleanOption(invocation, "descheduler")) {
    const idle = ["descheduling-interval", "unschedulable-threshold"].find(
      (name) => stringOption(invocation, name) !== undefined,
    );
    if (idle !== undefined) throw new UsageError(`--${idle} has no effect without --descheduler`);
    return undefined;
  }
  if (intervalMs < 1_000) throw new UsageError("--descheduling-interval takes at least 1s");
  return { intervalMs, thresholdMs, timeoutMs: ANSWER_TIMEOUT_MS };
}
