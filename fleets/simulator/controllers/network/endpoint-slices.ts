// The EndpointSlices that a Service should have, with as few writes as may be.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { controllerRef } from "../controller-refs.ts";
import { isReady, type Pod } from "../pod-object.ts";
import { addressesOf, hostnameWithin, isHeadless, podReference, type Service, targetPort } from "./service-object.ts";

/** Value of `MANAGED_BY` of the slices that are ours. */
export const SLICE_MANAGER = "endpointslice-controller.k8s.io";
export const SERVICE_NAME = "kubernetes.io/service-name";
/** Label: who writes a slice. */
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const HEADLESS = "service.kubernetes.io/headless";
const MOST_PER_SLICE = 100;
const ZONE_LABEL = "topology.kubernetes.io/zone";

interface EndpointPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly hostname?: string;
  readonly targetRef: Readonly<Record<string, string>>;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hints?: unknown;
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly endpoints: readonly Endpoint[] | null;
  readonly ports: readonly EndpointPort[] | null;
}

interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
  /** Whether a Pod was left out because its node is not known. */
  readonly isIncomplete: boolean;
}

/** What to write so that the slices tell of all Pods of a Service. `nodeOf` answers undefined for a node that is not there. */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  existing: readonly EndpointSlice[],
  nodeOf: (name: string) => KubeObject | undefined,
): SlicePlan {
  const families = service.spec.ipFamilies ?? ["IPv4"];
  const plans = families.map((family) => {
    const own = existing.filter(({ addressType }) => addressType === family);
    return planFamily(service, pods, own, family, nodeOf);
  });
  const strange = existing.filter(({ addressType }) => !families.includes(addressType));
  return {
    create: plans.flatMap(({ create }) => create),
    update: plans.flatMap(({ update }) => update),
    remove: [...plans.flatMap(({ remove }) => remove), ...strange],
    isIncomplete: plans.some(({ isIncomplete }) => isIncomplete),
  };
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Map<string, Endpoint>;
}

function planFamily(
  service: Service,
  pods: readonly Pod[],
  existing: readonly EndpointSlice[],
  family: string,
  nodeOf: (name: string) => KubeObject | undefined,
): SlicePlan {
  const groups = new Map<string, Group>();
  let isIncomplete = false;
  for (const pod of pods) {
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() };
    groups.set(key, group);
    const node = nodeOf(pod.spec.nodeName ?? "");
    if (node === undefined && service.spec.publishNotReadyAddresses !== true) {
      isIncomplete = true;
      continue;
    }
    const endpoint = endpointOf(service, pod, node, family);
    if (endpoint.addresses.length > 0) group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  const byPorts = Map.groupBy(existing, ({ ports }) => JSON.stringify([...(ports ?? [])].sort(byPort)));
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const [key, group] of groups) {
    const plan = planGroup(service, group, byPorts.get(key) ?? [], family);
    create.push(...plan.create);
    update.push(...plan.update);
    remove.push(...plan.remove);
  }
  for (const [key, slices] of byPorts) if (!groups.has(key)) remove.push(...slices);
  if (existing.length === remove.length && create.length === 0) {
    // A Service always has a slice, if only an empty one.
    const empty = newSlice(service, family, [], []);
    const [only] = remove;
    if (only !== undefined && remove.length === 1 && isSameSlice(only, empty)) remove.length = 0;
    else create.push(empty);
  }
  // A slice that is to go becomes one that is to come.
  while (create.length > 0 && remove.length > 0) {
    const [slice, old] = [create.pop()!, remove.shift()!];
    const { annotations, ...metadata } = old.metadata;
    update.push({
      ...slice,
      metadata: { ...metadata, labels: slice.metadata.labels ?? {}, ...(annotations && { annotations }) },
    });
  }
  return { create, update, remove, isIncomplete };
}

function planGroup(
  service: Service,
  { ports, endpoints }: Group,
  existing: readonly EndpointSlice[],
  family: string,
): Omit<SlicePlan, "isIncomplete"> {
  const wanted = new Map(endpoints);
  const labels = labelsOf(service);
  const changed: EndpointSlice[] = [];
  const unchanged: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const slice of existing) {
    const before = slice.endpoints ?? [];
    const kept = before.map((each) => wanted.get(endpointKey(each))).filter((each) => each !== undefined);
    for (const each of kept) wanted.delete(endpointKey(each));
    if (kept.length === 0 && before.length > 0) remove.push(slice);
    else if (!equalJson(kept, before) || !equalJson(slice.metadata.labels, labels))
      changed.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: kept });
    else unchanged.push(slice);
  }
  const left = [...wanted.values()];
  const fill = (slice: EndpointSlice): EndpointSlice => {
    const room = MOST_PER_SLICE - (slice.endpoints?.length ?? 0);
    return { ...slice, endpoints: [...(slice.endpoints ?? []), ...left.splice(0, room)] };
  };
  const update = changed.sort((a, b) => (b.endpoints?.length ?? 0) - (a.endpoints?.length ?? 0)).map(fill);
  const create: EndpointSlice[] = [];
  while (left.length > 0) {
    const fitting = left.length < MOST_PER_SLICE ? fullest(unchanged, left.length) : undefined;
    if (fitting === undefined) create.push(fill(newSlice(service, family, ports, [])));
    else {
      unchanged.splice(unchanged.indexOf(fitting), 1);
      update.push(fill({ ...fitting, metadata: { ...fitting.metadata, labels } }));
    }
  }
  return { create, update, remove };
}

/** The fullest slice that still takes so many more. */
function fullest(slices: readonly EndpointSlice[], more: number): EndpointSlice | undefined {
  const size = ({ endpoints }: EndpointSlice): number => endpoints?.length ?? 0;
  const fitting = slices.filter((slice) => size(slice) > 0 && size(slice) + more <= MOST_PER_SLICE);
  return fitting.sort((a, b) => size(b) - size(a))[0];
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec.ports ?? []) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    const { name = "", protocol, appProtocol } = port;
    ports.push({ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports.sort(byPort);
}

function byPort(a: EndpointPort, b: EndpointPort): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.port - b.port;
}

function endpointOf(service: Service, pod: Pod, node: KubeObject | undefined, family: string): Endpoint {
  const { publishNotReadyAddresses = false, trafficDistribution } = service.spec;
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = publishNotReadyAddresses || (serving && !terminating);
  const nodeName = pod.spec.nodeName ?? "";
  const zone = node?.metadata.labels?.[ZONE_LABEL] ?? "";
  const hostname = hostnameWithin(service, pod);
  const hints = ready ? hintsOf(trafficDistribution, zone, nodeName) : undefined;
  return {
    addresses: addressesOf(pod, family),
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: podReference(pod),
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === "" ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

function hintsOf(distribution: string | undefined, zone: string, nodeName: string): unknown {
  const near = distribution === "PreferClose" || distribution === "PreferSameZone";
  const isNode = distribution === "PreferSameNode" && nodeName !== "";
  const isZone = (near || distribution === "PreferSameNode") && zone !== "";
  if (!isNode && !isZone) return undefined;
  return {
    ...(isZone ? { forZones: [{ name: zone }] } : {}),
    ...(isNode ? { forNodes: [{ name: nodeName }] } : {}),
  };
}

/** What makes two endpoints the same one. */
function endpointKey({ addresses, hostname, targetRef }: Endpoint): string {
  return JSON.stringify([[...addresses].sort(), hostname, targetRef["namespace"], targetRef["name"], targetRef["uid"]]);
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [HEADLESS]: "" } : {}),
    [SERVICE_NAME]: service.metadata.name ?? "",
    [MANAGED_BY]: SLICE_MANAGER,
  };
}

function newSlice(
  service: Service,
  addressType: string,
  ports: readonly EndpointPort[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  const { name = "", namespace = "default" } = service.metadata;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: labelsOf(service),
      ownerReferences: [controllerRef(service)],
    },
    addressType,
    endpoints,
    ports,
  };
}

function isSameSlice(a: EndpointSlice, b: EndpointSlice): boolean {
  const essence = ({ addressType, endpoints, ports, metadata }: EndpointSlice): unknown => ({
    addressType,
    endpoints: endpoints ?? [],
    ports: ports ?? [],
    labels: metadata.labels,
  });
  return equalJson(essence(a), essence(b));
}
