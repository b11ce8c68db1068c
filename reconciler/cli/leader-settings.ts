// Which of several processes over one store acts, from the command line. The flags are Karmada's by their names.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { DEFAULT_LEASE_TIMES, type LeaseTimes } from "../../kube/client/leader-election.ts";
import { type CommandOption, durationOption, type Invocation, stringOption, UsageError } from "./command.ts";

/** How a process becomes the one that acts. */
export interface LeaderSettings extends LeaseTimes {
  readonly identity: string;
  readonly namespace: string;
  readonly name: string;
}

export const LEADER_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "leader-elect": {
    type: "string",
    value: "BOOLEAN",
    help: "with --store: of several processes only the one that holds the lease acts (default: true)",
  },
  "leader-elect-resource-name": { type: "string", value: "NAME", help: "name of the Lease (default: flaghoist)" },
  "leader-elect-resource-namespace": {
    type: "string",
    value: "NAMESPACE",
    help: "namespace of the Lease (default: karmada-system)",
  },
  "leader-elect-lease-duration": {
    type: "string",
    value: "DURATION",
    help: "how long others wait for a leader that does not renew (default: 15s)",
  },
  "leader-elect-renew-deadline": {
    type: "string",
    value: "DURATION",
    help: "how long a leader that cannot renew goes on; less than the lease duration (default: 10s)",
  },
  "leader-elect-retry-period": { type: "string", value: "DURATION", help: "between two attempts (default: 2s)" },
};

/** Reads the options above; undefined: no election. Throws a usage error. */
export function readLeaderSettings(invocation: Invocation, hasStore: boolean): LeaderSettings | undefined {
  const given = Object.keys(LEADER_OPTIONS).find((name) => stringOption(invocation, name) !== undefined);
  if (!hasStore) {
    if (given !== undefined)
      throw new UsageError(`--${given} is for --store: one process at a time uses a data folder anyway`);
    return undefined;
  }
  const elect = stringOption(invocation, "leader-elect") ?? "true";
  if (elect !== "true" && elect !== "false") throw new UsageError(`--leader-elect takes true or false, not "${elect}"`);
  const seconds = (ms: number): string => `${ms / 1000}s`;
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = DEFAULT_LEASE_TIMES;
  const times: LeaseTimes = {
    leaseDurationMs: durationOption(invocation, "leader-elect-lease-duration", seconds(leaseDurationMs)),
    renewDeadlineMs: durationOption(invocation, "leader-elect-renew-deadline", seconds(renewDeadlineMs)),
    retryPeriodMs: durationOption(invocation, "leader-elect-retry-period", seconds(retryPeriodMs)),
  };
  if (times.leaseDurationMs <= times.renewDeadlineMs)
    throw new UsageError("--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline");
  if (times.leaseDurationMs < 1_000) throw new UsageError("--leader-elect-lease-duration takes at least 1s");
  // As client-go: an attempt must fit in with its jitter.
  if (times.renewDeadlineMs <= times.retryPeriodMs * 1.2)
    throw new UsageError("--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period");
  if (times.retryPeriodMs <= 0) throw new UsageError("--leader-elect-retry-period must be more than 0s");
  if (elect === "false") return undefined;
  return {
    ...times,
    identity: `${hostname()}_${randomUUID()}`,
    namespace: stringOption(invocation, "leader-elect-resource-namespace") ?? "karmada-system",
    name: stringOption(invocation, "leader-elect-resource-name") ?? "flaghoist",
  };
}
