// Gateway API: what the gateways of each cluster make of one Gateway or route.

import type { AggregatedStatusItem } from "../../../api/work.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { type Fields, fieldsAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregating, type Report, sumOf } from "./rules/aggregation.ts";
import { agreedConditions, verdictsOf } from "./rules/agreed-conditions.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { conditionsOf } from "./rules/conditions.ts";
import { objectsAtPath, textAtPath } from "./rules/field-paths.ts";
import { hasObserved, isCurrentWith } from "./rules/kstatus.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const GROUP = "gateway.networking.k8s.io";
/** The definition of a Gateway allows no more. */
const MAX_ADDRESSES = 16;

const GATEWAY: KindRules = {
  interpretHealth: isCurrentWith("Accepted", "Programmed"),
  getDependencies: certificatesOf,
  reflectStatus: reflectingWithGenerations(["conditions", "addresses", "listeners"]),
  aggregateStatus: aggregating((report) => ({
    conditions: agreedConditions(report, ["Accepted", "Programmed"]),
    addresses: addressesOf(report),
    listeners: partsOf(report, "listeners", (listener) => textAtPath(listener, "name")).map(({ first, within }) => ({
      ...first,
      attachedRoutes: sumOf(within.members, "attachedRoutes"),
      conditions: agreedConditions(within, verdictsOf(within)),
    })),
  })),
};

const GATEWAY_CLASS: KindRules = {
  interpretHealth: isCurrentWith("Accepted"),
  reflectStatus: reflectingWithGenerations(["conditions", "supportedFeatures"]),
  aggregateStatus: aggregatingAgreement({
    decisive: ["Accepted"],
    awaiting: "reconciling",
    agreed: ["supportedFeatures"],
  }),
};

const ROUTE: KindRules = {
  interpretHealth: isRouteHealthy,
  reflectStatus: reflectingWithGenerations(["parents"]),
  aggregateStatus: aggregating((report) => ({
    parents: partsOf(report, "parents", keyOfParent).map(({ first, within }) => ({
      ...first,
      conditions: agreedConditions(within, verdictsOf(within)),
    })),
  })),
};

export const GATEWAY_API_RULES: RulesByKind = {
  [`${GROUP}/v1/Gateway`]: GATEWAY,
  [`${GROUP}/v1beta1/Gateway`]: GATEWAY,
  [`${GROUP}/v1/GatewayClass`]: GATEWAY_CLASS,
  [`${GROUP}/v1beta1/GatewayClass`]: GATEWAY_CLASS,
  [`${GROUP}/v1/HTTPRoute`]: ROUTE,
  [`${GROUP}/v1beta1/HTTPRoute`]: ROUTE,
  [`${GROUP}/v1/GRPCRoute`]: ROUTE,
  [`${GROUP}/v1alpha2/GRPCRoute`]: ROUTE,
  [`${GROUP}/v1/TLSRoute`]: ROUTE,
  [`${GROUP}/v1alpha3/TLSRoute`]: ROUTE,
  [`${GROUP}/v1alpha2/TLSRoute`]: ROUTE,
  [`${GROUP}/v1alpha2/TCPRoute`]: ROUTE,
  [`${GROUP}/v1alpha2/UDPRoute`]: ROUTE,
};

/** At least one gateway has seen the route as it is, and none of those refuses it. */
function isRouteHealthy(object: KubeObject): boolean {
  const generation = object.metadata.generation ?? 0;
  const current = objectsAtPath(object, "status", "parents").filter(
    (parent) => conditionsOf(parent).length > 0 && hasObserved(parent, generation),
  );
  return (
    current.length > 0 &&
    current.every((parent) =>
      conditionsOf(parent).every(({ type, status }) => !ROUTE_VERDICTS.includes(String(type)) || status === "True"),
    )
  );
}

const ROUTE_VERDICTS: readonly string[] = ["Accepted", "ResolvedRefs", "Programmed"];

/** A part of a status that every cluster has under the same key. */
interface Part {
  /** The part as the first cluster has it. */
  readonly first: Fields;
  /** The same part in all clusters, as if it were the whole status. */
  readonly within: Report;
}

function partsOf(report: Report, list: string, keyOf: (part: Fields) => string): readonly Part[] {
  const first = new Map<string, Fields>();
  const byCluster = report.members.map(({ clusterName, status }) => {
    const parts = new Map(objectsAtPath(status, list).map((part) => [keyOf(part), part]));
    for (const [key, part] of parts) if (!first.has(key)) first.set(key, part);
    return { clusterName, status, parts };
  });
  const old = new Map(objectsAtPath(report.old, list).map((part) => [keyOf(part), part]));
  return [...first].map(([key, part]) => {
    const members = byCluster.flatMap(({ clusterName, status, parts }) => {
      const own = parts.get(key);
      const { generation, resourceTemplateGeneration } = status;
      return own === undefined ? [] : [{ clusterName, status: { ...own, generation, resourceTemplateGeneration } }];
    });
    // A gateway that a cluster does not have says nothing there, ever.
    const having = new Set(members.map(({ clusterName }) => clusterName));
    const items: readonly AggregatedStatusItem[] = report.items.filter(({ clusterName }) => having.has(clusterName));
    return { first: part, within: { ...report, old: old.get(key) ?? {}, items, members } };
  });
}

function keyOfParent(parent: Fields): string {
  const { group, kind, namespace, name, sectionName, port } = fieldsAt(parent, "parentRef");
  return JSON.stringify([group, kind, namespace, name, sectionName, port, parent["controllerName"]]);
}

/** The addresses of all clusters, each once. */
function addressesOf({ members }: Report): readonly Fields[] {
  const addresses = new Map<string, Fields>();
  for (const { status } of members) {
    for (const address of objectsAtPath(status, "addresses")) {
      addresses.set(JSON.stringify([address["type"], address["value"]]), address);
    }
  }
  return [...addresses.values()].slice(0, MAX_ADDRESSES);
}

/** The certificates of its listeners. Routes and their Services come by policies of their own, as with an Ingress. */
function certificatesOf(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const listener of objectsAtPath(object, "spec", "listeners")) {
    if (!isObject(listener["tls"])) continue;
    for (const certificate of objectsAtPath(listener, "tls", "certificateRefs")) {
      const group = textAtPath(certificate, "group");
      const kind = textAtPath(certificate, "kind") || "Secret";
      if (group !== "" || kind !== "Secret") continue;
      references.add(kind, textAtPath(certificate, "name"), "v1", textAtPath(certificate, "namespace"));
    }
  }
  return references.list();
}
