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

export interface Rejection {
  readonly plugin: Plugin;
  /** As users read them: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** Whether removing Pods from the node may help. */
  readonly preemptible: boolean;
}

export function reject(plugin: Plugin, reason: string, preemptible = false): Rejection {
  return { plugin, reasons: [reason], preemptible };
}
