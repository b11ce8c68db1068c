// The legacy Endpoints object of a Service. Pure.
import { isReady, type Pod } from "../pod-object.ts";
import { addressesOf, hostnameWithin, podReference, type Service, targetPort } from "./service-object.ts";

/** Endpoints have no more addresses than these, ready ones first. */
const MOST_ADDRESSES = 1_000;

interface Address {
  readonly ip: string;
  readonly hostname?: string;
  readonly nodeName: string;
  readonly targetRef: Readonly<Record<string, string>>;
}

interface Port {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

interface Subset {
  readonly addresses?: readonly Address[];
  readonly notReadyAddresses?: readonly Address[];
  readonly ports?: readonly Port[];
}

/** The addresses of a Service's Pods, those with the same ports together; and whether some had to be left out. */
export function subsetsOf(
  service: Service,
  pods: readonly Pod[],
): { readonly subsets: Subset[]; readonly isTruncated: boolean } {
  const groups = new Map<string, { readonly ports: readonly Port[]; ready: Address[]; notReady: Address[] }>();
  for (const pod of pods) {
    const address = addressOf(service, pod);
    const ports = portsOf(service, pod);
    // Only a headless Service may have no ports at all.
    const isBare = (service.spec.ports?.length ?? 0) === 0 && service.spec.clusterIP === "None";
    if (address === undefined || (ports.length === 0 && !isBare)) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    const isServed = service.spec.publishNotReadyAddresses === true || isReady(pod);
    (isServed ? group.ready : group.notReady).push(address);
  }
  let room = MOST_ADDRESSES;
  const take = (addresses: Address[]): Address[] => {
    const taken = addresses.sort(byAddress).slice(0, room);
    room -= taken.length;
    return taken;
  };
  const all = [...groups.values()];
  const total = all.reduce((sum, { ready, notReady }) => sum + ready.length + notReady.length, 0);
  const ready = all.map((group) => take(group.ready));
  const notReady = all.map((group) => take(group.notReady));
  const subsets = all.map(({ ports }, index) => ({
    ...(ready[index]?.length ? { addresses: ready[index] } : {}),
    ...(notReady[index]?.length ? { notReadyAddresses: notReady[index] } : {}),
    ...(ports.length === 0 ? {} : { ports }),
  }));
  return { subsets, isTruncated: total > MOST_ADDRESSES };
}

function addressOf(service: Service, pod: Pod): Address | undefined {
  const ip = addressesOf(pod, service.spec.ipFamilies?.[0] ?? "IPv4")[0];
  if (ip === undefined) return undefined;
  const hostname = hostnameWithin(service, pod);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    nodeName: pod.spec.nodeName ?? "",
    targetRef: podReference(pod),
  };
}

function portsOf(service: Service, pod: Pod): Port[] {
  const ports: Port[] = [];
  for (const port of service.spec.ports ?? []) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    const { name = "", protocol, appProtocol } = port;
    ports.push({
      ...(name === "" ? {} : { name }),
      port: number,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    });
  }
  return ports;
}

function byAddress(a: Address, b: Address): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef["uid"] ?? "") < (b.targetRef["uid"] ?? "") ? -1 : 1;
}
