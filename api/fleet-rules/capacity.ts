// Rules of what nodes have, and of the links to their clusters.
import { checkQualifiedName } from "../../kube/names.ts";
import {
  compareQuantities,
  equalQuantities,
  parseQuantity,
  type Quantity,
  quantitySign,
  roundQuantityUp,
  tryParseQuantity,
} from "../../kube/quantity.ts";
import { parseDuration } from "../../runtime/duration.ts";
import type { FleetNetwork, FleetNodePool } from "../fleet-clusters.ts";
import { DEFAULT_NODE_RESOURCES } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";

const NATIVE = ["cpu", "memory", "pods", "ephemeral-storage"];
/** Less memory than any node has: whoever writes `memory: 64` has forgotten the unit. */
const LEAST_BYTES = parseQuantity("16Mi");
const BYTES = ["memory", "ephemeral-storage"];

/** Nodes that cannot be, links that lose more than everything. */
export function checkCapacities(scenario: Draft<FleetScenario>, report: Report): void {
  const entries = [...present(scenario.clusters)].map(([index, entry]) => [`clusters[${index}]`, entry] as const);
  for (const [field, { nodePools, network }] of [["defaults", scenario.defaults ?? {}] as const, ...entries]) {
    for (const [index, pool] of present(nodePools)) checkPool(pool, `${field}.nodePools[${index}]`, report);
    if (network !== undefined) checkNetwork(network, `${field}.network`, report);
  }
  for (const [index, { metrics }] of present(scenario.behaviours)) {
    for (const [name, metric] of Object.entries(metrics ?? {}))
      checkMetric(metric, `behaviours[${index}].metrics.${name}`, report);
  }
}

function checkPool(pool: Draft<FleetNodePool>, field: string, report: Report): void {
  const capacity = readAmounts(pool.resources ?? {}, `${field}.resources`, report);
  const allocatable = readAmounts(pool.allocatable ?? {}, `${field}.allocatable`, report);
  for (const [name, amount] of allocatable) {
    const text = DEFAULT_NODE_RESOURCES[name];
    const whole = capacity.get(name) ?? (text === undefined ? undefined : parseQuantity(text));
    const at = keyed(`${field}.allocatable`, name);
    if (whole === undefined) {
      if (pool.resources?.[name] === undefined) report(at, "is more than the node has: resources does not name it");
    } else if (compareQuantities(amount, whole) > 0)
      report(
        at,
        `${shown(pool.allocatable?.[name])} is more than the node has: resources.${name} is ${shown(pool.resources?.[name] ?? text)}`,
      );
  }
}

/** Those that make sense, by name. */
function readAmounts(
  amounts: Readonly<Record<string, string | number | undefined>>,
  field: string,
  report: Report,
): Map<string, Quantity> {
  const read = new Map<string, Quantity>();
  for (const [name, amount] of Object.entries(amounts)) {
    if (amount === undefined) continue;
    const at = keyed(field, name);
    const nameWords = resourceNameProblem(name);
    if (nameWords !== undefined) report(at, nameWords);
    const words = amountProblem(name, amount);
    if (words !== undefined) report(at, words);
    else if (nameWords === undefined) read.set(name, parseQuantity(String(amount)));
  }
  return read;
}

function resourceNameProblem(name: string): string | undefined {
  if (NATIVE.includes(name)) return undefined;
  if (/^hugepages-\d+[KMG]i$/.test(name)) return undefined;
  const [words] = checkQualifiedName(name);
  if (words !== undefined) return `"${name}" is no name of a resource: ${words}`;
  if (name.includes("/")) return undefined;
  // A device is not a misspelt processor.
  const meant = name.length > 3 ? nearest(name, NATIVE) : undefined;
  return `there is no resource "${name}"${meant === undefined ? "; names of devices have a domain, such as nvidia.com/gpu" : `. Did you mean ${meant}?`}`;
}

function amountProblem(name: string, amount: string | number): string | undefined {
  const quantity = tryParseQuantity(String(amount).trim());
  if (quantity === undefined || String(amount).trim() !== String(amount))
    return `${shown(amount)} is no quantity such as 500m, 8 or 64Gi`;
  if (quantitySign(quantity) < 0) return `${shown(amount)} is negative; a node cannot have less than nothing`;
  const isWhole = equalQuantities(quantity, roundQuantityUp(quantity, 0));
  if (name === "pods") {
    if (quantitySign(quantity) === 0) return "is 0: nothing could run there; take the pool away, or taint its nodes";
    if (!isWhole) return `${shown(amount)} is no whole number of pods`;
    return undefined;
  }
  if ((name === "cpu" || name === "memory") && quantitySign(quantity) === 0)
    return `is 0: a node without ${name} cannot run`;
  if (BYTES.includes(name) && quantitySign(quantity) > 0 && compareQuantities(quantity, LEAST_BYTES) < 0)
    return `${shown(amount)} is less than any node has (it counts bytes). Did you mean ${Number.isInteger(Number(amount)) ? `${amount}Gi` : "Gi"}?`;
  if (name.includes("/") && !isWhole) return `${shown(amount)} is no whole number; devices are not divided`;
  return undefined;
}

function checkMetric(
  metric: Draft<NonNullable<NonNullable<FleetScenario["behaviours"]>[number]["metrics"]>[string]> | undefined,
  field: string,
  report: Report,
): void {
  if (metric === undefined) return;
  if (typeof metric !== "object") {
    checkUsage(metric, field, report);
    return;
  }
  let last = "0";
  for (const [index, { at, value }] of present(metric)) {
    if (value !== undefined) checkUsage(value, `${field}[${index}].value`, report);
    if (at === undefined) continue;
    if (parseDuration(at) < parseDuration(last))
      report(`${field}[${index}].at`, `${at} comes after ${last} in the list`);
    last = at;
  }
}

function checkUsage(amount: string | number, field: string, report: Report): void {
  const quantity = tryParseQuantity(String(amount));
  if (quantity === undefined) report(field, `${shown(amount)} is no quantity such as 250m or 64Mi`);
  else if (quantitySign(quantity) < 0) report(field, `${shown(amount)} is negative`);
}

function checkNetwork({ latency, loss }: Draft<FleetNetwork>, field: string, report: Report): void {
  if (loss === 1)
    report(`${field}.loss`, "is 1: nothing ever arrives; a fault of type hang or partition can end again");
  if (latency === undefined) return;
  const { fixed, min, max, p50, p99 } = latency;
  const given = [fixed !== undefined, min !== undefined || max !== undefined, p50 !== undefined || p99 !== undefined];
  if (given.filter((each) => each).length !== 1)
    report(`${field}.latency`, "takes fixed, or min and max, or p50 and p99");
  for (const [low, high, words] of [
    [min, max, "min"],
    [p50, p99, "p50"],
  ] as const) {
    if (low !== undefined && high !== undefined && parseDuration(low) > parseDuration(high))
      report(`${field}.latency.${words}`, `${low} is more than ${words === "min" ? "max" : "p99"} ${high}`);
  }
}

function keyed(field: string, name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? `${field}.${name}` : `${field}[${name}]`;
}

function shown(amount: string | number | undefined): string {
  return JSON.stringify(amount ?? "");
}
