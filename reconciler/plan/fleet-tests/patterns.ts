// What the words of a fleet test fit: patterns, clusters, objects.
import type { Cluster } from "../../../api/cluster.ts";
import type { TestedClusters, TestedObjects } from "../../../api/fleet-test.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { zonesOf } from "../possible-losses.ts";

/** Whether a text fits a pattern in which `*` stands for anything; in time that grows with both lengths, not beyond. */
export function fitsPattern(text: string, pattern: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}

export function isPattern(text: string | undefined): boolean {
  return text?.includes("*") === true;
}

export function selectsCluster(
  { names, provider, region, zone, labels }: TestedClusters,
  { metadata, spec }: Cluster,
): boolean {
  const isOneOf = (wanted: TestedClusters["names"], found: readonly string[]): boolean =>
    wanted === undefined || (typeof wanted === "string" ? [wanted] : wanted).some((one) => found.includes(one));
  return (
    isOneOf(names, [metadata.name ?? ""]) &&
    isOneOf(provider, spec.provider === undefined ? [] : [spec.provider]) &&
    isOneOf(region, spec.region === undefined ? [] : [spec.region]) &&
    isOneOf(zone, zonesOf(spec)) &&
    hasLabels(metadata.labels, labels)
  );
}

export function selectsObject(
  { apiVersion, kind, namespace, name, labels }: TestedObjects,
  object: KubeObject,
): boolean {
  return (
    object.kind === kind &&
    (apiVersion === undefined || object.apiVersion === apiVersion) &&
    (namespace === undefined || fitsPattern(object.metadata.namespace ?? "", namespace)) &&
    (name === undefined || fitsPattern(object.metadata.name ?? "", name)) &&
    hasLabels(object.metadata.labels, labels)
  );
}

function hasLabels(
  found: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).every(([key, value]) => found?.[key] === value);
}

/** `region eu`, `provider aye or bee with label tier=gold`, `any cluster`. */
export function clustersText({ names, provider, region, zone, labels = {} }: TestedClusters): string {
  const list = (wanted: string | readonly string[]): string =>
    typeof wanted === "string" ? wanted : wanted.join(" or ");
  const parts = [
    ...(names === undefined ? [] : [list(names)]),
    ...(provider === undefined ? [] : [`provider ${list(provider)}`]),
    ...(region === undefined ? [] : [`region ${list(region)}`]),
    ...(zone === undefined ? [] : [`zone ${list(zone)}`]),
    ...Object.entries(labels).map(([key, value]) => `label ${key}=${value}`),
  ];
  return parts.length === 0 ? "any cluster" : parts.join(", ");
}

/** `Deployment shop/web`, `any Deployment in shop with label app=web`. */
export function objectsText({ kind, namespace, name, labels = {} }: TestedObjects): string {
  const marks = Object.entries(labels).map(([key, value]) => ` with label ${key}=${value}`);
  if (name !== undefined) return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}${marks.join("")}`;
  return `${kind}${namespace === undefined ? "" : ` in namespace ${namespace}`}${marks.join("")}`;
}
