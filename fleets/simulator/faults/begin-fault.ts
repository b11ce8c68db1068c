// What each fault does to the clusters that it strikes, and how that is taken back.

import type { LastingFault } from "../../../api/fleet-fault-windows.ts";
import type { Fault, FaultOf, Party } from "../../../api/fleet-faults.ts";
import { targetNodes } from "../../../api/fleet-targets.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { nodeResources } from "../cluster-facts.ts";
import type { Disturbance } from "../kernel/disturbances.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { Impairment } from "./impairment.ts";
import { concerns } from "./parties.ts";

/** Takes back exactly what a fault did. */
export type Undo = () => void;

/** What a fault strikes. */
export interface Strike {
  /** The clusters of its target, each with the nodes that are concerned. */
  readonly targets: readonly { readonly cluster: SimulatedCluster; readonly nodes: readonly string[] }[];
  /** All clusters of the fleet. */
  readonly fleet: readonly SimulatedCluster[];
}

/** Begins a fault that lasts. */
export function beginFault(fault: LastingFault, strike: Strike): Undo {
  const undos = strike.targets.flatMap(({ cluster, nodes }) => beginIn(fault, cluster, nodes));
  if (fault.type === "partition") undos.push(...beginWayBack(fault, strike));
  return () => {
    for (const undo of undos.reverse()) undo();
  };
}

/** Does what is over at once; an upgrade begins, and the returned function gives it up. Answers what went wrong. */
export async function doAtOnce(
  fault: Exclude<Fault, LastingFault>,
  strike: Strike,
  id: string,
): Promise<string | Undo> {
  const undos: Undo[] = [];
  for (const { cluster } of strike.targets) {
    switch (fault.type) {
      case "backup":
        cluster.machine.backUp(fault.name ?? id);
        break;
      case "restore":
        if (!(await cluster.machine.restore(fault.backup)))
          return `cluster ${cluster.name} has no backup${fault.backup === undefined ? "" : ` ${fault.backup}`}`;
        break;
      case "revision-reset":
        await cluster.machine.resetRevisions();
        break;
      case "upgrade":
        undos.push(beginUpgrade(fault, cluster));
        break;
    }
  }
  return () => {
    for (const undo of undos.reverse()) undo();
  };
}

function beginIn(fault: LastingFault, cluster: SimulatedCluster, nodes: readonly string[]): Undo[] {
  const { link, disturbances } = cluster;
  const disturb = (make: (node: string) => Disturbance): Undo[] => [disturbances.begin(nodes.map(make))];
  switch (fault.type) {
    case "node-down":
      return disturb((node) => ({ kind: "node-down", node }));
    case "capacity-shrink":
      for (const { object } of cluster.server.state.list("nodes"))
        disturbances.rememberWhole(object.metadata.name ?? "", nodeResources(object));
      return disturb((node) => ({ kind: "loss", node, by: fault.by }));
    case "slow-disk": {
      const { factor, target } = fault;
      if (target.nodes === undefined && target.zone === undefined)
        return [disturbances.begin([{ kind: "slow-disk", factor }])];
      return disturb((node) => ({ kind: "slow-disk", node, factor }));
    }
    case "crash-loop":
    case "image-pull-failure": {
      const how = fault.type === "crash-loop" ? "crashes" : "pull-fails";
      return [disturbances.begin(fault.images.map((pattern) => ({ kind: "image", pattern, fault: how })))];
    }
    case "clock-skew":
      return [cluster.controlPlaneClock.begin(parseDuration(fault.by))];
    case "outage":
      return beginOutage(fault, cluster, nodes);
    default: {
      const cutOff = fault.type === "unhealthy" || fault.type === "api-group-missing" ? [] : cutOffNodes(fault, nodes);
      const impairment = impairmentOf(fault);
      return [
        ...(impairment === undefined ? [] : [link.begin(impairment)]),
        ...(cutOff.length === 0 ? [] : [disturbances.begin(cutOff)]),
      ];
    }
  }
}

type LinkFault = Exclude<
  LastingFault,
  {
    type: "node-down" | "capacity-shrink" | "slow-disk" | "crash-loop" | "image-pull-failure" | "clock-skew" | "outage";
  }
>;

function impairmentOf(fault: LinkFault): Impairment | undefined {
  const callers = "callers" in fault ? fault.callers : undefined;
  switch (fault.type) {
    case "down":
      return { kind: "refuse", callers };
    case "hang":
      return { kind: "hang", callers };
    case "slow":
      return { kind: "delay", latency: fault.latency ?? { fixed: "2s" }, callers };
    case "errors":
      return { kind: "fail", percent: fault.percent ?? 100, status: fault.status ?? 500, callers };
    case "throttle":
      return {
        kind: "throttle",
        percent: fault.percent ?? 100,
        retryAfterMs: parseDuration(fault.retryAfter ?? "1s"),
        callers,
      };
    case "unhealthy":
      return { kind: "unready", check: fault.check ?? "etcd" };
    case "expired-credentials":
      return { kind: "unauthorized", callers };
    case "watch-drop":
      return {
        kind: "watch-limit",
        intervalMs: parseDuration(fault.interval ?? "30s"),
        ending: fault.ending ?? "reset",
        callers,
      };
    case "api-group-missing":
      return { kind: "group-missing", group: fault.group, version: fault.version };
    case "partition": {
      const outsiders = fault.from.filter((party) => party !== "nodes");
      if (outsiders.length === 0) return undefined;
      return { kind: fault.mode === "reject" ? "refuse" : "drop", callers: outsiders, bothWays: true };
    }
  }
}

/** Kubelets that do not get through: only where a fault names them, for what is within a cluster goes on otherwise. */
function cutOffNodes(fault: LinkFault, nodes: readonly string[]): Disturbance[] {
  const isSilent = ["down", "hang", "expired-credentials", "partition"].includes(fault.type);
  const parties: readonly Party[] =
    fault.type === "partition" ? fault.from : ("callers" in fault && fault.callers) || [];
  return isSilent && parties.includes("nodes") ? nodes.map((node) => ({ kind: "node-cut-off", node })) : [];
}

/** What is parted from a cluster is not reached from there either. */
function beginWayBack(fault: FaultOf<"partition">, { targets, fleet }: Strike): Undo[] {
  const callers = targets.map(({ cluster }): Party => `cluster:${cluster.name}`);
  const kind = fault.mode === "reject" ? "refuse" : "drop";
  return fleet
    .filter(({ name }) => concerns(fault.from, `cluster:${name}`))
    .map(({ name, link }) => link.begin({ kind, callers: callers.filter((caller) => caller !== `cluster:${name}`) }));
}

function beginOutage(fault: FaultOf<"outage">, cluster: SimulatedCluster, nodes: readonly string[]): Undo[] {
  const { zone } = fault.target;
  const isEverywhere = zone === undefined || cluster.facts.zones.every((each) => each === zone);
  if (!isEverywhere) return [cluster.disturbances.begin(nodes.map((node) => ({ kind: "node-down", node })))];
  return [cluster.link.begin({ kind: "refuse", reason: "no route to host", bothWays: true }), cluster.machine.halt()];
}

function beginUpgrade(fault: FaultOf<"upgrade">, cluster: SimulatedCluster): Undo {
  cluster.setKubernetesVersion(fault.to);
  // The server is another process now.
  cluster.link.cut();
  const plan = {
    to: fault.to,
    nodePauseMs: parseDuration(fault.nodePause ?? "60s"),
    drainTimeoutMs: parseDuration(fault.drainTimeout ?? "10m"),
    maxUnavailable: fault.maxUnavailable ?? 1,
  };
  return cluster.disturbances.begin([{ kind: "upgrade", plan }]);
}

/** The nodes of a cluster that a fault concerns, in the order of the cluster. */
export function concernedNodes(fault: Fault, cluster: SimulatedCluster): string[] {
  return targetNodes(fault.target, cluster.facts).map(({ name }) => name);
}
