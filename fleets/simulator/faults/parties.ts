// Who a request to a cluster comes from, told by its credentials and, where those say little, by the program's name.
import type { Party } from "../../../api/fleet-faults.ts";
import { matchesPattern } from "../../../api/fleet-targets.ts";
import type { ApiRequest } from "../../../kube/client/transport.ts";

/** The name of whoever comes from another cluster of the fleet: `system:cluster:NAME`. */
const CLUSTER_USER = "system:cluster:";

const NODE_USER = "system:node:";
/** Namespaces of the accounts that joining makes for a control plane, and that Karmada's parts have. */
const CONTROL_PLANE_NAMESPACES = ["karmada-cluster", "karmada-system", "flaghoist-system"];
const SERVICE_ACCOUNT = "system:serviceaccount:";

/** The party of a request; `trusted` for callers in this process without credentials. */
export function partyOf(request: ApiRequest, trusted: Party = "control-plane"): Party {
  const { user, headers = {} } = request;
  if (user === undefined) return trusted;
  // Who acts for somebody else is cut off with them.
  const name = headers["impersonate-user"] ?? user.name;
  const groups = headers["impersonate-group"]?.split(", ") ?? user.groups;
  if (name.startsWith(NODE_USER) || groups.includes("system:nodes")) return "nodes";
  if (name.startsWith(CLUSTER_USER)) return `cluster:${name.slice(CLUSTER_USER.length)}`;
  const program = (headers["user-agent"] ?? "").split("/")[0] ?? "";
  const account = name.startsWith(SERVICE_ACCOUNT) ? name.slice(SERVICE_ACCOUNT.length) : undefined;
  if (program === "karmada-agent" || account?.endsWith("-agent") === true) return "agents";
  const namespace = account?.split(":")[0];
  if (namespace !== undefined && CONTROL_PLANE_NAMESPACES.includes(namespace)) return "control-plane";
  return program === "flaghoist" || program.startsWith("karmada-") ? "control-plane" : "users";
}

/** Whether a fault for these callers concerns a party; without callers it concerns everybody. */
export function concerns(callers: readonly Party[] | undefined, party: Party): boolean {
  return callers === undefined || callers.some((each) => matchesPattern(each, party));
}
