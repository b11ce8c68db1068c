// The parts of a Service that its controllers look at, and what it selects.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import type { ClusterState } from "../../kernel/cluster-state.ts";
import { type Pod, podOf } from "../pod-object.ts";

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol: string;
  readonly appProtocol?: string;
}

interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly ipFamilies?: readonly string[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePort[];
  readonly publishNotReadyAddresses?: boolean;
  readonly trafficDistribution?: string;
  readonly loadBalancerClass?: string;
  readonly loadBalancerIP?: string;
}

export interface Service extends KubeObject {
  readonly spec: ServiceSpec;
}

/** A Service of the store, as its controllers read it. */
export function serviceOf(object: KubeObject): Service {
  // The server has checked and completed every Service that it holds.
  return (isObject(object["spec"]) ? object : { ...object, spec: {} }) as Service;
}

/** Whether the cluster keeps the addresses behind the Service: not when it has no selector, or is but another name. */
export function isFollowed({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && spec.selector !== undefined;
}

/** Whether the Service has no address of its own. */
export function isHeadless({ spec }: Service): boolean {
  return (spec.clusterIP ?? "") === "" || spec.clusterIP === "None";
}

/** Whether the Service's selector fits the labels. As Kubernetes: a Service without one selects nothing. */
export function selects({ spec }: Service, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (spec.selector === undefined) return false;
  for (const key in spec.selector) if (labels?.[key] !== spec.selector[key]) return false;
  return true;
}

/** The Pods that a Service may send to, by name: those with an address whose containers have not all ended. */
export function podsBehind(service: Service, state: ClusterState, withTerminating: boolean): Pod[] {
  const found: Pod[] = [];
  for (const object of state.list("pods", service.metadata.namespace)) {
    if (!selects(service, object.metadata.labels)) continue;
    const pod = podOf(object);
    const { phase, podIP = "", podIPs = [] } = pod.status;
    if (phase === "Succeeded" || phase === "Failed" || (podIP === "" && podIPs.length === 0)) continue;
    if (withTerminating || pod.metadata.deletionTimestamp === undefined) found.push(pod);
  }
  return found;
}

/** The port of a Pod that a port of the Service leads to; undefined when no container has one of that name. */
export function targetPort(pod: Pod, { targetPort: target, port, protocol }: ServicePort): number | undefined {
  if (typeof target !== "string") return target ?? port;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports = [] } of [...(pod.spec.containers ?? []), ...sidecars]) {
    const found = ports.find((each) => each.name === target && (each.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** The addresses of a Pod of one family. */
export function addressesOf({ status }: Pod, family: string): string[] {
  return (status.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip.includes(":") === (family === "IPv6"));
}

/** The host name of a Pod within the Service's domain. */
export function hostnameWithin({ metadata }: Service, pod: Pod): string | undefined {
  const { hostname = "", subdomain } = pod.spec;
  return hostname !== "" && subdomain === metadata.name ? hostname : undefined;
}

/** Refers to a Pod from an endpoint. */
export function podReference({ metadata }: Pod): Record<string, string> {
  const { namespace = "", name = "", uid = "" } = metadata;
  return { kind: "Pod", namespace, name, uid };
}
