// The parts of a Pod that controllers look at, and what they ask of it.
import { isObject, type KubeObject } from "../../../kube/object.ts";

/** `status.phase`; empty before there is one. */
type PodPhase = "" | "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

/** An entry of `status.conditions`. */
interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string | null;
}

/** An entry of `status.containerStatuses`. */
export interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: { readonly exitCode: number; readonly finishedAt?: string | null };
  };
}

/** `spec` of a Pod. */
interface PodSpec {
  readonly nodeName?: string;
  readonly restartPolicy?: string;
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly priorityClassName?: string;
  readonly activeDeadlineSeconds?: number;
  readonly overhead?: Readonly<Record<string, string>>;
  readonly initContainers?: readonly PodContainer[];
  readonly containers?: readonly PodContainer[];
}

/** An entry of `spec.containers`. */
interface PodContainer {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
}

/** `status` of a Pod. */
interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly qosClass?: string;
  readonly conditions?: readonly PodCondition[];
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
}

/** A Pod of the store; see `podOf`. */
export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status: PodStatus;
}

/** A Pod of the store, as controllers read it. */
export function podOf(object: KubeObject): Pod {
  // The server has checked and completed every Pod that it holds; only a status may be absent.
  return (isObject(object["status"]) ? object : { ...object, status: {} }) as Pod;
}

/** The Pod's phase; empty for a Pod that is not created yet. */
export function podPhase(pod: KubeObject): PodPhase {
  const status = pod["status"] as { readonly phase?: PodPhase } | undefined;
  return status?.phase ?? "";
}

/** Whether all containers of the Pod have ended for good. */
export function isTerminal(pod: KubeObject): boolean {
  const phase = podPhase(pod);
  return phase === "Succeeded" || phase === "Failed";
}

/** Whether the Pod has been told to go. */
export function isBeingDeleted(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether the Pod still counts as one that runs or will run. */
export function isActive(pod: KubeObject): boolean {
  return !isTerminal(pod) && !isBeingDeleted(pod);
}

/** Whether the Pod is on its way out and its containers have not all ended. */
export function isTerminating(pod: KubeObject): boolean {
  return !isTerminal(pod) && isBeingDeleted(pod);
}

/** The condition of a type; undefined when the Pod has none. */
export function podCondition(pod: KubeObject, type: string): PodCondition | undefined {
  // The server has checked the shape of every Pod that it holds.
  const { conditions } = (pod["status"] ?? {}) as PodStatus;
  return conditions?.find((condition) => condition.type === type);
}

/** Whether the Pod's condition Ready is true. */
export function isReady(pod: KubeObject): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}
