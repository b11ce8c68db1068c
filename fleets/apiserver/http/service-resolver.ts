// From a Service, as webhooks and API services name one, to an address that can be connected to.
import { randomInt } from "node:crypto";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { Store } from "../storage/store.ts";

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  /** 443 when absent. */
  readonly port?: number | undefined;
}

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  /** What the certificate must be valid for: `name.namespace.svc`. */
  readonly serverName: string;
}

const SERVICES = "services";
const ENDPOINTS = "endpoints";
const SLICES = "discovery.k8s.io/endpointslices";
const SERVICE_LABEL = "kubernetes.io/service-name";
const DEFAULT_PORT = 443;

interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * An address of the Service: its external name; a ready endpoint of its slices or of its Endpoints, any of several; its
 * cluster address when nobody keeps endpoints for it, for stores beside a network that routes such addresses.
 * Throws an `Error` in the words of the reference when there is none.
 */
export function resolveService(store: Store, reference: ServiceReference): ServiceAddress {
  const { namespace, name, port = DEFAULT_PORT } = reference;
  const serverName = `${name}.${namespace}.svc`;
  const service = store.get({ resource: SERVICES, namespace, name })?.object;
  if (service === undefined) throw new Error(`services ${JSON.stringify(name)} not found`);
  const spec = recordOf(service["spec"]);
  if (spec["type"] === "ExternalName") return { host: String(spec["externalName"]), port, serverName };

  const servicePort = listOf(spec["ports"]).find((each) => each["port"] === port);
  if (servicePort === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const portName = String(servicePort["name"] ?? "");
  const targets = endpointsOf(store, namespace, name, portName);
  if (targets !== undefined) {
    const target = targets[targets.length > 1 ? randomInt(targets.length) : 0];
    if (target === undefined) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
    return { ...target, serverName };
  }
  const address = spec["clusterIP"];
  if (typeof address !== "string" || address === "" || address === "None") {
    throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  return { host: address, port, serverName };
}

/** The ready endpoints of one port; undefined when nothing in the store tells of endpoints. */
function endpointsOf(store: Store, namespace: string, name: string, portName: string): Target[] | undefined {
  const slices = store
    .list(SLICES, namespace)
    .map(({ object }) => object)
    .filter((slice) => slice.metadata.labels?.[SERVICE_LABEL] === name);
  if (slices.length > 0) return slices.flatMap((slice) => sliceTargets(slice, portName));
  const endpoints = store.get({ resource: ENDPOINTS, namespace, name })?.object;
  if (endpoints === undefined) return undefined;
  return listOf(endpoints["subsets"]).flatMap((subset) => {
    const port = portNamed(listOf(subset["ports"]), portName);
    return port === undefined
      ? []
      : listOf(subset["addresses"]).map((address) => ({ host: String(address["ip"]), port }));
  });
}

function sliceTargets(slice: KubeObject, portName: string): Target[] {
  const port = portNamed(listOf(slice["ports"]), portName);
  if (port === undefined) return [];
  return listOf(slice["endpoints"])
    .filter((endpoint) => recordOf(endpoint["conditions"])["ready"] !== false)
    .flatMap((endpoint) => (Array.isArray(endpoint["addresses"]) ? endpoint["addresses"] : []))
    .map((address) => ({ host: String(address), port }));
}

function portNamed(ports: readonly Record<string, unknown>[], name: string): number | undefined {
  const found = ports.find((each) => String(each["name"] ?? "") === name)?.["port"];
  return typeof found === "number" ? found : undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
