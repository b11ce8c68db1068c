// Table rows of Services, Ingresses and their kin.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { ageOf } from "./age.ts";
import { labelsText, listOf, NONE, part, selectorText, textOf, UNSET } from "./cell-values.ts";

type Cells = (object: KubeObject, nowMs: number) => readonly unknown[];

function age(object: KubeObject, nowMs: number): string {
  return ageOf(object.metadata.creationTimestamp, nowMs);
}

function ingressAddresses(object: KubeObject): string[] {
  const ingress = listOf(part(part(object, "status"), "loadBalancer")["ingress"]);
  return [...new Set(ingress.map((entry) => textOf(entry["ip"], textOf(entry["hostname"]))))].filter(
    (text) => text !== "",
  );
}

function externalIp(service: KubeObject): string {
  const spec = part(service, "spec");
  const external = (spec["externalIPs"] ?? []) as string[];
  switch (spec["type"]) {
    case "ExternalName":
      return textOf(spec["externalName"]);
    case "LoadBalancer": {
      const all = [...ingressAddresses(service).sort(), ...external];
      return all.length === 0 ? "<pending>" : all.join(",");
    }
    default:
      return external.length === 0 ? NONE : external.join(",");
  }
}

function portsText(ports: readonly JsonObject[]): string {
  if (ports.length === 0) return NONE;
  return ports
    .map((port) => {
      const node = port["nodePort"] === undefined || port["nodePort"] === 0 ? "" : `:${port["nodePort"]}`;
      return `${port["port"]}${node}/${port["protocol"]}`;
    })
    .join(",");
}

function serviceCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const addresses = (spec["clusterIPs"] ?? []) as string[];
  return [
    object.metadata.name,
    textOf(spec["type"]),
    addresses[0] ?? textOf(spec["clusterIP"], NONE),
    externalIp(object),
    portsText(listOf(spec["ports"])),
    age(object, nowMs),
    labelsText(spec["selector"]),
  ];
}

const SHOWN_ENDPOINTS = 3;

function shortened(texts: readonly string[], empty: string): string {
  if (texts.length === 0) return empty;
  const shown = texts.slice(0, SHOWN_ENDPOINTS).join(",");
  return texts.length > SHOWN_ENDPOINTS ? `${shown} + ${texts.length - SHOWN_ENDPOINTS} more...` : shown;
}

function endpointsCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const texts: string[] = [];
  for (const subset of listOf(object["subsets"])) {
    const ports = listOf(subset["ports"]);
    const addresses = listOf(subset["addresses"]).map((address) => textOf(address["ip"]));
    if (ports.length === 0) texts.push(...addresses);
    for (const port of ports) texts.push(...addresses.map((ip) => joinHostPort(ip, String(port["port"]))));
  }
  return [object.metadata.name, shortened(texts, NONE), age(object, nowMs)];
}

function joinHostPort(host: string, port: string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function endpointSliceCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const ports = listOf(object["ports"]).map((port) => textOf(port["port"], textOf(port["name"], "*")));
  const addresses = listOf(object["endpoints"]).flatMap((endpoint) => (endpoint["addresses"] ?? []) as string[]);
  return [
    object.metadata.name,
    textOf(object["addressType"]),
    object["ports"] === undefined || object["ports"] === null ? UNSET : shortened(ports, UNSET),
    object["endpoints"] === undefined || object["endpoints"] === null ? UNSET : shortened(addresses, UNSET),
    age(object, nowMs),
  ];
}

function ingressCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const rules = listOf(spec["rules"]);
  const hosts = rules.map((rule) => textOf(rule["host"])).filter((host) => host !== "");
  return [
    object.metadata.name,
    textOf(spec["ingressClassName"], NONE),
    hosts.length === 0 ? "*" : shortened(hosts, "*"),
    ingressAddresses(object).join(","),
    listOf(spec["tls"]).length > 0 ? "80, 443" : "80",
    age(object, nowMs),
  ];
}

function ingressClassCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const parameters = part(spec, "parameters");
  const group = textOf(parameters["apiGroup"]);
  const kind = `${textOf(parameters["kind"])}${group === "" ? "" : `.${group}`}`;
  return [
    object.metadata.name,
    textOf(spec["controller"]),
    spec["parameters"] === undefined ? NONE : `${kind}/${textOf(parameters["name"])}`,
    age(object, nowMs),
  ];
}

function networkPolicyCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, selectorText(part(object, "spec")["podSelector"]), age(object, nowMs)];
}

/** Rows by the key of the kind's rules. */
export const NETWORK_CELLS: Readonly<Record<string, Cells>> = {
  "/v1/Service": serviceCells,
  "/v1/Endpoints": endpointsCells,
  "discovery.k8s.io/v1/EndpointSlice": endpointSliceCells,
  "networking.k8s.io/v1/Ingress": ingressCells,
  "networking.k8s.io/v1/IngressClass": ingressClassCells,
  "networking.k8s.io/v1/NetworkPolicy": networkPolicyCells,
};
