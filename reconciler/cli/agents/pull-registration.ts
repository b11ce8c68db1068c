// The Cluster object of a member in Pull mode, as its side of the fleet makes it.
import type { Cluster } from "../../../api/cluster.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isAlreadyExists, isForbidden } from "../../../kube/client/status-error.ts";
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "../command.ts";

const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const RETRY_MS = 500;

/** What is told of a cluster when it is registered; flags by Karmada's names. */
export const PLACE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "cluster-provider": { type: "string", value: "NAME", help: "such as aws; for spread constraints and selectors" },
  "cluster-region": { type: "string", value: "NAME", help: "such as eu-west" },
  "cluster-zones": { type: "string", value: "NAMES", help: "such as eu-west-1a,eu-west-1b" },
  "cluster-api-endpoint": {
    type: "string",
    value: "URL",
    help: "address of the cluster, for people who can reach it; the control plane uses it for clusters/NAME/proxy only",
  },
  label: { type: "string", multiple: true, value: "KEY=VALUE", help: "label of the Cluster object; may be repeated" },
};

/** The Cluster that the options describe; `id` is the UID of the member's namespace kube-system. */
export function pullCluster(invocation: Invocation, name: string, id: string): Cluster {
  const provider = stringOption(invocation, "cluster-provider");
  const region = stringOption(invocation, "cluster-region");
  const apiEndpoint = stringOption(invocation, "cluster-api-endpoint");
  const zones = stringOption(invocation, "cluster-zones")
    ?.split(",")
    .map((zone) => zone.trim())
    .filter((zone) => zone !== "");
  const given = invocation.values["label"];
  const labels = Array.isArray(given) ? given : typeof given === "string" ? [given] : [];
  return {
    apiVersion: CLUSTER_API,
    kind: "Cluster",
    metadata: { name, ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels.map(labelOf)) }) },
    spec: {
      syncMode: "Pull",
      ...(id === "" ? {} : { id }),
      ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
      ...(provider === undefined ? {} : { provider }),
      ...(region === undefined ? {} : { region }),
      ...(zones === undefined ? {} : { zones }),
    },
  };
}

function labelOf(pair: string): [string, string] {
  const equals = pair.indexOf("=");
  if (equals < 1) throw new UsageError(`--label takes KEY=VALUE, not "${pair}"`);
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** The UID of the member's namespace kube-system; empty for a cluster that has none. */
export async function clusterId(member: KubeClient, signal: AbortSignal): Promise<string> {
  const found = await member.find({ apiVersion: "v1", kind: "Namespace", name: "kube-system" }, signal);
  return found?.metadata.uid ?? "";
}

export interface RegistrationOptions {
  /** How long to wait for a right that the control plane is about to give. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Creates the Cluster unless it is there: the control plane's word on it stands. Throws `agent-refused` when the agent may
 * not, with the control plane's reason.
 */
export async function registerPullCluster(
  plane: KubeClient,
  cluster: Cluster,
  { timeoutMs, clock, signal }: RegistrationOptions,
): Promise<"created" | "found"> {
  const name = cluster.metadata.name ?? "";
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    try {
      const found = await plane.find<Cluster>({ apiVersion: CLUSTER_API, kind: "Cluster", name }, signal);
      if (found === undefined) {
        await plane.create(cluster, { fieldManager: "flaghoist-agent", signal });
        return "created";
      }
      if (found.spec.syncMode !== "Pull")
        throw new AppError(
          "agent-refused",
          `cluster ${name} is in ${found.spec.syncMode} mode: the control plane drives it itself`,
          {
            recovery: "stall",
          },
        );
      return "found";
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      if (!isForbidden(error)) throw error;
      if (clock.now() >= deadline)
        throw new AppError(
          "agent-refused",
          `the control plane does not register cluster ${name}: ${messageOf(error)}`,
          {
            recovery: "stall",
            cause: error,
          },
        );
      await sleep(clock, RETRY_MS, signal);
    }
  }
}
