// Native rules: the addresses that load balancers gave to Services and Ingresses, put together.

import type { AggregatedStatusItem } from "../../api/work.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { reportedStatuses, withStatus } from "./aggregation.ts";
import { type Fields, fieldsAt, integerAt, objectsAt, optionalFieldsAt, present, textAt } from "./field-access.ts";

export function aggregateService(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  if (textAt(fieldsAt(object, "spec"), "type") !== "LoadBalancer") return object;
  return withStatus(object, { loadBalancer: loadBalancerOf(items, ["hostname", "ip", "ipMode"]) });
}

export function aggregateIngress(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const status = { loadBalancer: loadBalancerOf(items, ["hostname", "ip"]) };
  return equalJson(optionalFieldsAt(object, "status"), status) ? object : { ...object, status };
}

/** Every address once, with the ports of all its entries; ordered, so that equal answers are written once. */
function loadBalancerOf(items: readonly AggregatedStatusItem[], identity: readonly string[]): Fields {
  const byAddress = new Map<string, { readonly entry: Fields; ports: Fields[] }>();
  for (const { status } of reportedStatuses(items)) {
    for (const entry of objectsAt(fieldsAt(status, "loadBalancer"), "ingress")) {
      const key = JSON.stringify(identity.map((field) => textAt(entry, field)));
      const known = byAddress.get(key);
      const ports = [...objectsAt(entry, "ports")];
      if (known === undefined) byAddress.set(key, { entry, ports });
      else known.ports.push(...ports);
    }
  }
  if (byAddress.size === 0) return {};
  const ingress = [...byAddress.values()].map(({ entry, ports }) =>
    present({ ...entry, ports: ports.length === 0 ? undefined : mergePorts(ports) }),
  );
  return { ingress: ingress.sort((a, b) => compareEntries(a, b, identity)) };
}

function mergePorts(ports: readonly Fields[]): readonly Fields[] {
  const distinct = new Map(ports.map((port) => [JSON.stringify(portKey(port)), port]));
  return [...distinct.values()].sort((a, b) => {
    const [portA, protocolA, errorA] = portKey(a);
    const [portB, protocolB, errorB] = portKey(b);
    return portA - portB || compareText(protocolA, protocolB) || compareText(errorA, errorB);
  });
}

function portKey(port: Fields): readonly [number, string, string] {
  return [integerAt(port, "port"), textAt(port, "protocol"), textAt(port, "error")];
}

function compareEntries(a: Fields, b: Fields, identity: readonly string[]): number {
  for (const field of identity) {
    const left = textAt(a, field);
    const right = textAt(b, field);
    if (left === right) continue;
    // Entries with a host name come before those with only an address.
    if (field === "hostname" && (left === "" || right === "")) return left === "" ? 1 : -1;
    return compareText(left, right);
  }
  return 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
