// What admission and the quotas allow, from the command line. The flags are Karmada's by their names.
import type { Profile } from "../controllers/context.ts";
import { booleanOption, type CommandOption, durationOption, type Invocation } from "./command.ts";

export const ADMISSION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "allow-no-execute-taint-policy": {
    type: "boolean",
    help: "let ClusterTaintPolicies set taints that drive workloads out of clusters",
  },
  "federated-resource-quota-sync-period": {
    type: "string",
    value: "DURATION",
    help: "with the gate FederatedQuotaEnforcement: time between two counts of what bindings take (default: 5m; 0s: never)",
  },
};

/** Reads the options above. Throws a usage error. */
export function readAdmissionSettings(
  invocation: Invocation,
): Pick<Profile, "allowNoExecuteTaintPolicy" | "quotaRecountMs"> {
  return {
    allowNoExecuteTaintPolicy: booleanOption(invocation, "allow-no-execute-taint-policy"),
    quotaRecountMs: durationOption(invocation, "federated-resource-quota-sync-period", "5m"),
  };
}
