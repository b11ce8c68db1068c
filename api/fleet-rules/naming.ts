// Rules of names and labels in a scenario.
import { checkDnsLabel, checkLabelValue, checkQualifiedName } from "../../kube/names.ts";
import { validateClusterName } from "../admission/cluster.ts";
import type { FleetCluster, FleetNodePool } from "../fleet-clusters.ts";
import { membersOf, NAME_PLACEHOLDER, NAME_PLACEHOLDERS } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";

/** A node's name is a value of its label kubernetes.io/hostname. */
const LONGEST_NODE_NAME = 63;

/** Names that are none, that two clusters share, or that a pattern does not make unique. */
export function checkNames(scenario: Draft<FleetScenario>, report: Report): void {
  /** Where a name was first given. */
  const names = new Map<string, string>();
  for (const [index, entry] of present(scenario.clusters)) {
    const field = `clusters[${index}]`;
    checkForm(entry, field, report);
    checkTexts(entry, field, report);
    checkMembers(entry, field, names, report);
    for (const [place, each] of present(entry.places)) checkTexts(each, `${field}.places[${place}]`, report);
  }
  if (scenario.defaults !== undefined) checkTexts(scenario.defaults, "defaults", report);
  checkPools(scenario, report);
}

/** Either one cluster or a group of them. */
function checkForm(entry: Draft<FleetCluster>, field: string, report: Report): void {
  if (entry.name === undefined && entry.names === undefined)
    report(field, "needs name, or names and count for a group of clusters");
  if (entry.name === undefined) return;
  for (const key of ["names", "count", "places"] as const)
    if (entry[key] !== undefined) report(`${field}.${key}`, "is for groups of clusters; this one has a name");
}

function checkMembers(entry: Draft<FleetCluster>, field: string, names: Map<string, string>, report: Report): void {
  const isGroup = entry.name === undefined;
  const at = isGroup ? `${field}.names` : `${field}.name`;
  if (isGroup && entry.names !== undefined && !checkPattern(entry.names, at, report)) return;
  const own = new Set<string>();
  for (const { name } of membersOf(entry)) {
    const from = isGroup ? "makes " : "is ";
    if (own.has(name)) {
      report(at, `makes "${name}" more than once; a group of clusters needs {number} in its names`);
      return;
    }
    own.add(name);
    const taken = names.get(name);
    if (taken !== undefined) report(at, `${from}"${name}", which ${taken} is called already`);
    else names.set(name, field);
    const [refusal] = validateClusterName(name, at);
    if (refusal === undefined) continue;
    report(at, `${from}"${name}", which is no name of a cluster: ${refusal.words}`);
    // The others are not better.
    if (isGroup) return;
  }
}

function checkPattern(pattern: string, field: string, report: Report): boolean {
  let isGood = true;
  for (const [whole, word = ""] of pattern.matchAll(NAME_PLACEHOLDER)) {
    if (NAME_PLACEHOLDERS.some((known) => known === word)) continue;
    isGood = false;
    const meant = nearest(word, NAME_PLACEHOLDERS);
    const hint = meant === undefined ? `; there are ${NAME_PLACEHOLDERS.join(", ")}` : `. Did you mean {${meant}}?`;
    report(field, `there is no placeholder ${whole}${hint}`);
  }
  return isGood;
}

/** Labels and taints, and what becomes a label of nodes. */
function checkTexts(
  at: Pick<Draft<FleetCluster>, "region" | "zones" | "labels" | "taints">,
  field: string,
  report: Report,
): void {
  checkLabels(at.labels, `${field}.labels`, report);
  checkTaints(at.taints, `${field}.taints`, report);
  checkValue(at.region, `${field}.region`, report);
  const seen = new Set<string>();
  for (const [index, zone] of present(at.zones)) {
    checkValue(zone, `${field}.zones[${index}]`, report);
    if (seen.has(zone)) report(`${field}.zones[${index}]`, `"${zone}" is there already`);
    seen.add(zone);
  }
}

function checkPools({ defaults, clusters }: Draft<FleetScenario>, report: Report): void {
  const places: [string, Draft<FleetCluster>, readonly string[]][] = [];
  if (defaults !== undefined) places.push(["defaults", defaults, []]);
  for (const [index, entry] of present(clusters))
    places.push([`clusters[${index}]`, entry, membersOf(entry).map(({ name }) => name)]);
  for (const [field, entry, names] of places) {
    const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
    const seen = new Set<string>(entry.nodes === undefined ? [] : ["node"]);
    for (const [index, pool] of present(entry.nodePools)) {
      const at = `${field}.nodePools[${index}]`;
      checkPool(pool, at, seen, longest, report);
    }
  }
}

function checkPool(
  { name, count = 1, labels, taints, zone }: Draft<FleetNodePool>,
  field: string,
  seen: Set<string>,
  longestCluster: number,
  report: Report,
): void {
  checkLabels(labels, `${field}.labels`, report);
  checkTaints(taints, `${field}.taints`, report);
  checkValue(zone, `${field}.zone`, report);
  if (name === undefined) return;
  const [words] = checkDnsLabel(name);
  if (words !== undefined) report(`${field}.name`, `"${name}" is no name of a pool: ${words}`);
  if (seen.has(name))
    report(`${field}.name`, `"${name}" is the name of other nodes of the cluster already; each pool has its own`);
  seen.add(name);
  const length = longestCluster + name.length + 2 + String(Math.max(0, count - 1)).length;
  if (longestCluster > 0 && words === undefined && length > LONGEST_NODE_NAME)
    report(
      `${field}.name`,
      `makes names of nodes of ${length} characters; CLUSTER-POOL-N has at most ${LONGEST_NODE_NAME}`,
    );
}

function checkLabels(labels: Draft<Record<string, string>> | undefined, field: string, report: Report): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const words of checkQualifiedName(key)) report(`${field}[${key}]`, `"${key}" is no key of a label: ${words}`);
    checkValue(value, `${field}[${key}]`, report);
  }
}

function checkTaints(taints: Draft<FleetCluster>["taints"], field: string, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { key, value, effect }] of present(taints)) {
    const at = `${field}[${index}]`;
    for (const words of key === undefined ? [] : checkQualifiedName(key))
      report(`${at}.key`, `"${key}" is no key of a taint: ${words}`);
    checkValue(value, `${at}.value`, report);
    if (key === undefined || effect === undefined) continue;
    if (seen.has(`${key}:${effect}`)) report(at, `the taint ${key}:${effect} is there already`);
    seen.add(`${key}:${effect}`);
  }
}

function checkValue(value: string | undefined, field: string, report: Report): void {
  for (const words of value === undefined ? [] : checkLabelValue(value))
    report(field, `"${value}" cannot be the value of a label: ${words}`);
}
