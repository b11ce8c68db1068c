// What admission is shown of a connection: the options object of the subresource.
import type { GroupVersionKind, JsonObject } from "../../../kube/object.ts";
import type { Exchange } from "../request/exchange.ts";

/** Options objects by `group/plural/subresource`; their flags are read as booleans, the rest as text. */
const OPTIONS: Readonly<Record<string, { readonly kind: string; readonly flags: readonly string[] }>> = {
  "/pods/exec": { kind: "PodExecOptions", flags: ["stdin", "stdout", "stderr", "tty"] },
  "/pods/attach": { kind: "PodAttachOptions", flags: ["stdin", "stdout", "stderr", "tty"] },
  "/pods/portforward": { kind: "PodPortForwardOptions", flags: [] },
  "/pods/proxy": { kind: "PodProxyOptions", flags: [] },
  "/services/proxy": { kind: "ServiceProxyOptions", flags: [] },
  "/nodes/proxy": { kind: "NodeProxyOptions", flags: [] },
  "cluster.karmada.io/clusters/proxy": { kind: "ClusterProxyOptions", flags: [] },
};

/** The options of a connection, read from its path and query. */
export function connectOptions(exchange: Exchange): { readonly kind: GroupVersionKind; readonly object: JsonObject } {
  const { kind, target, query } = exchange;
  const known = OPTIONS[`${kind.group}/${kind.plural}/${target.subresource ?? ""}`];
  const gvk = { group: kind.group, version: kind.version, kind: known?.kind ?? kind.kind };
  const object: { [field: string]: JsonObject[string] } = {};
  for (const flag of known?.flags ?? []) {
    const value = query.get(flag);
    if (value !== undefined) object[flag] = value !== "false" && value !== "0";
  }
  if (known?.kind.endsWith("ProxyOptions") === true && target.rest !== "") object["path"] = target.rest;
  if (known?.kind === "PodPortForwardOptions") {
    const ports = query
      .getAll("ports")
      .flatMap((each) => each.split(","))
      .map(Number);
    if (ports.length > 0) object["ports"] = ports;
  }
  const command = query.getAll("command");
  if (command.length > 0) object["command"] = [...command];
  const container = query.get("container");
  if (container !== undefined) object["container"] = container;
  return { kind: gvk, object };
}
