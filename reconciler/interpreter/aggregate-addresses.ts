// Native rules: the addresses that load balancers gave to Services and Ingresses, put together.

import type { AggregatedStatusItem } from "../../api/work.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { reportedStatuses } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt, objectsAt, optionalFieldsAt, present, textAt } from "./field-access.ts";
import { ADDRESS_OF_INGRESS, ADDRESS_OF_SERVICE, encodeAddress, encodePort } from "./load-balancer.ts";

export function aggregateService(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  if (textAt(fieldsAt(object, "spec"), "type") !== "LoadBalancer") return object;
  return withAddresses(object, loadBalancerOf(items, ADDRESS_OF_SERVICE));
}

export function aggregateIngress(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  return withAddresses(object, loadBalancerOf(items, ADDRESS_OF_INGRESS));
}

// As Karmada: the status says so even when there is no address yet.
function withAddresses(object: KubeObject, loadBalancer: Fields): KubeObject {
  const status = { loadBalancer };
  return equalJson(optionalFieldsAt(object, "status"), status) ? object : { ...object, status };
}

/**
 * Every address once, with the ports of all its entries; ordered, so that equal answers are written once. Of an entry only
 * what the kind knows is kept.
 */
function loadBalancerOf(items: readonly AggregatedStatusItem[], identity: readonly string[]): Fields {
  const byAddress = new Map<string, { readonly address: Fields; readonly ports: Fields[] }>();
  for (const { status } of reportedStatuses(items)) {
    for (const entry of objectsAt(fieldsAt(status, "loadBalancer"), "ingress")) {
      const address = encodeAddress(entry, identity);
      const key = JSON.stringify(identity.map((field) => address[field] ?? null));
      const ports = objectsAt(entry, "ports").map(encodePort);
      const known = byAddress.get(key);
      if (known === undefined) byAddress.set(key, { address, ports });
      else known.ports.push(...ports);
    }
  }
  if (byAddress.size === 0) return {};
  const ingress = [...byAddress.values()].map(({ address, ports }) =>
    present({ ...address, ports: ports.length === 0 ? undefined : mergePorts(ports) }),
  );
  return { ingress: ingress.sort((a, b) => compareEntries(a, b, identity)) };
}

function mergePorts(ports: readonly Fields[]): readonly Fields[] {
  const distinct = new Map(ports.map((port) => [JSON.stringify(portKey(port)), port]));
  return [...distinct.values()].sort((a, b) => {
    const [portA, protocolA, errorA] = portKey(a);
    const [portB, protocolB, errorB] = portKey(b);
    return portA - portB || compareText(protocolA, protocolB) || compareOptional(errorA, errorB, "absent first");
  });
}

function portKey(port: Fields): readonly [number, string, string | null] {
  return [
    integerAt(port, "port"),
    textAt(port, "protocol"),
    port["error"] === undefined ? null : textAt(port, "error"),
  ];
}

/** Entries with a host name come before those with only an address, and those that say their mode before those that do not. */
function compareEntries(a: Fields, b: Fields, identity: readonly string[]): number {
  for (const field of identity) {
    const left = a[field] === undefined ? null : textAt(a, field);
    const right = b[field] === undefined ? null : textAt(b, field);
    const order = compareOptional(left, right, field === "ip" ? "absent first" : "absent last");
    if (order !== 0) return order;
  }
  return 0;
}

function compareOptional(a: string | null, b: string | null, absent: "absent first" | "absent last"): number {
  if (a === b) return 0;
  if (a !== null && b !== null) return compareText(a, b);
  return (a === null) === (absent === "absent first") ? -1 : 1;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
