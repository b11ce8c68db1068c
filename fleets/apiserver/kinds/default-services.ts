// Defaults of Services, and what the server fills in beyond them: address families, cluster IPs, node ports.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { isExternallyAccessible, needsHealthCheckPort } from "./validate-services.ts";

function specOf(object: KubeObject | JsonObject): JsonObject {
  return (object["spec"] ?? {}) as JsonObject;
}

function portsOf(spec: JsonObject): JsonObject[] {
  return (spec["ports"] ?? []) as JsonObject[];
}

function isOneOf(value: unknown, ...values: readonly string[]): boolean {
  return values.includes(String(value));
}

function hasNodePorts(spec: JsonObject): boolean {
  if (spec["type"] === "LoadBalancer") return spec["allocateLoadBalancerNodePorts"] !== false;
  return spec["type"] === "NodePort";
}

export function fillService(service: JsonObject): void {
  const spec = specOf(service);
  spec["sessionAffinity"] ??= "None";
  if (spec["sessionAffinity"] === "None") delete spec["sessionAffinityConfig"];
  if (spec["sessionAffinity"] === "ClientIP") fillClientIp(spec);
  spec["type"] ??= "ClusterIP";
  for (const port of portsOf(spec)) {
    port["protocol"] ??= "TCP";
    const target = port["targetPort"];
    if (target === undefined || target === 0 || target === "") port["targetPort"] = port["port"];
  }
  const external = isOneOf(spec["type"], "NodePort", "LoadBalancer");
  if (isExternallyAccessible(spec)) spec["externalTrafficPolicy"] ??= "Cluster";
  if (external || spec["type"] === "ClusterIP") spec["internalTrafficPolicy"] ??= "Cluster";
  if (spec["type"] === "LoadBalancer") spec["allocateLoadBalancerNodePorts"] ??= true;
}

function fillClientIp(spec: JsonObject): void {
  const config = (spec["sessionAffinityConfig"] ?? {}) as JsonObject;
  const clientIp = { timeoutSeconds: 10800, ...(config["clientIP"] as JsonObject | undefined) };
  spec["sessionAffinityConfig"] = { ...config, clientIP: clientIp };
}

/** Families and the list form of the cluster IP, for a Service that is not an ExternalName. */
export function completeService(service: KubeObject): void {
  const spec = specOf(service);
  if (spec["type"] === "ExternalName") return;
  const headless = spec["clusterIP"] === "None";
  const given = (spec["clusterIPs"] ?? []) as string[];
  const address = spec["clusterIP"];
  if (given.length === 0 && typeof address === "string" && address !== "") spec["clusterIPs"] = [address];
  const selectorless = spec["selector"] === undefined || Object.keys(spec["selector"] as JsonObject).length === 0;
  if (spec["ipFamilies"] === undefined) {
    if (headless && selectorless && spec["ipFamilyPolicy"] === undefined) {
      spec["ipFamilies"] = ["IPv4", "IPv6"];
      spec["ipFamilyPolicy"] = "RequireDualStack";
      return;
    }
    const first = given[0] ?? address;
    spec["ipFamilies"] = [typeof first === "string" && first.includes(":") ? "IPv6" : "IPv4"];
  }
  spec["ipFamilyPolicy"] ??= "SingleStack";
}

/** Keeps what the server allocated when an update leaves it out, and drops what the new type has no use for. */
export function keepAllocatedValues(service: KubeObject, old: KubeObject): void {
  const spec = specOf(service);
  const before = specOf(old);
  const needsAddress = spec["type"] !== "ExternalName";
  const hadAddress = before["type"] !== "ExternalName";
  if (needsAddress && hadAddress) {
    if ((spec["clusterIP"] ?? "") === "") spec["clusterIP"] = before["clusterIP"];
    const addresses = spec["clusterIPs"] as string[] | undefined;
    if (addresses === undefined && spec["clusterIP"] === before["clusterIP"]) spec["clusterIPs"] = before["clusterIPs"];
    else if (addresses !== undefined && addresses[0] === before["clusterIP"]) {
      spec["clusterIPs"] = [String(spec["clusterIP"]), ...addresses.slice(1)];
    }
    spec["ipFamilies"] ??= before["ipFamilies"];
    spec["ipFamilyPolicy"] ??= before["ipFamilyPolicy"];
    for (const key of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) {
      if (spec[key] === undefined) delete spec[key];
    }
  }
  if (!needsAddress && hadAddress) dropAddresses(spec, before);
  if (hasNodePorts(spec) && hasNodePorts(before)) keepNodePorts(spec, before);
  if (!hasNodePorts(spec) && hasNodePorts(before)) dropNodePorts(spec, before);
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec)) {
    if (spec["externalTrafficPolicy"] === before["externalTrafficPolicy"]) delete spec["externalTrafficPolicy"];
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec)) {
    if (spec["healthCheckNodePort"] === before["healthCheckNodePort"]) delete spec["healthCheckNodePort"];
  } else if (needsHealthCheckPort(before) && (spec["healthCheckNodePort"] ?? 0) === 0) {
    spec["healthCheckNodePort"] = before["healthCheckNodePort"];
  }
  if (spec["type"] !== "LoadBalancer" && before["type"] === "LoadBalancer") {
    delete spec["allocateLoadBalancerNodePorts"];
  }
}

function dropAddresses(spec: JsonObject, before: JsonObject): void {
  if (spec["clusterIP"] === before["clusterIP"]) {
    delete spec["clusterIP"];
    delete spec["clusterIPs"];
  }
  delete spec["ipFamilies"];
  delete spec["ipFamilyPolicy"];
  delete spec["internalTrafficPolicy"];
}

function portKey(port: JsonObject): string {
  return `${port["protocol"]}/${port["port"]}`;
}

function keepNodePorts(spec: JsonObject, before: JsonObject): void {
  const used = new Set(portsOf(spec).map((port) => port["nodePort"]));
  const known = new Map(portsOf(before).map((port) => [portKey(port), port["nodePort"]]));
  for (const port of portsOf(spec)) {
    const nodePort = known.get(portKey(port));
    if (port["nodePort"] === undefined && nodePort !== undefined && !used.has(nodePort)) port["nodePort"] = nodePort;
  }
}

function dropNodePorts(spec: JsonObject, before: JsonObject): void {
  const allocated = new Set(portsOf(before).map((port) => port["nodePort"]));
  for (const port of portsOf(spec)) if (allocated.has(port["nodePort"])) delete port["nodePort"];
}

// The range 10.96.0.0/12 and the ports 30000-32767, as a default installation has them.
const ADDRESS_BASE = (10 << 24) | (96 << 16);
const ADDRESS_COUNT = 1 << 20;
const PORT_BASE = 30000;
const PORT_COUNT = 2768;

/** Chooses a cluster IP and node ports that no other Service has. The choice follows from the name, for repeatability. */
export function allocateServiceValues(
  service: KubeObject,
  old: KubeObject | undefined,
  others: () => Iterable<KubeObject>,
): void {
  const spec = specOf(service);
  const needsAddress = spec["type"] !== "ExternalName" && (spec["clusterIP"] ?? "") === "";
  const openPorts = hasNodePorts(spec) ? portsOf(spec).filter((port) => (port["nodePort"] ?? 0) === 0) : [];
  const needsCheck = needsHealthCheckPort(spec) && (spec["healthCheckNodePort"] ?? 0) === 0;
  if (!needsAddress && openPorts.length === 0 && !needsCheck) return;
  const self = old?.metadata.uid ?? service.metadata.uid;
  const takenAddresses = new Set<unknown>();
  const takenPorts = new Set<unknown>(portsOf(spec).map((port) => port["nodePort"]));
  for (const other of others()) {
    if (other.metadata.uid === self) continue;
    takenAddresses.add(specOf(other)["clusterIP"]);
    for (const port of portsOf(specOf(other))) takenPorts.add(port["nodePort"]);
    takenPorts.add(specOf(other)["healthCheckNodePort"]);
  }
  const seed = hash(`${service.metadata.namespace}/${service.metadata.name}`);
  if (needsAddress) {
    const address = firstFree(seed, 2, ADDRESS_COUNT - 1, (value) => formatAddress(value), takenAddresses);
    spec["clusterIP"] = address;
    spec["clusterIPs"] = [address];
  }
  for (const port of openPorts) {
    const nodePort = firstFree(seed, 0, PORT_COUNT, (value) => PORT_BASE + value, takenPorts);
    takenPorts.add(nodePort);
    port["nodePort"] = nodePort;
  }
  if (needsCheck) {
    spec["healthCheckNodePort"] = firstFree(seed, 0, PORT_COUNT, (value) => PORT_BASE + value, takenPorts);
  }
}

function firstFree<T>(seed: number, from: number, to: number, make: (value: number) => T, taken: Set<unknown>): T {
  const count = to - from;
  for (let step = 0; step < count; step++) {
    const value = make(from + ((seed + step) % count));
    if (!taken.has(value)) return value;
  }
  throw new Error("no free value is left in the range");
}

function formatAddress(offset: number): string {
  const value = ADDRESS_BASE + offset;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
