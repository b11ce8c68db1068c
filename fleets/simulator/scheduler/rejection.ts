// Why a node, or every node, is not for a Pod.

/** The parts of kube-scheduler that reject, by their names there. */
export type Plugin =
  | "NodeUnschedulable"
  | "NodeName"
  | "TaintToleration"
  | "NodeAffinity"
  | "NodePorts"
  | "NodeResourcesFit"
  | "VolumeRestrictions"
  | "NodeVolumeLimits"
  | "VolumeBinding"
  | "VolumeZone"
  | "PodTopologySpread"
  | "InterPodAffinity";

/** Why a plugin refuses a node. */
export interface Rejection {
  readonly plugin: Plugin;
  /** As users read them: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** Whether removing Pods from the node may help. */
  readonly preemptible: boolean;
}

/** A refusal for one reason. `preemptible`: fewer Pods on the node may help. */
export function reject(plugin: Plugin, reason: string, preemptible = false): Rejection {
  return { plugin, reasons: [reason], preemptible };
}
