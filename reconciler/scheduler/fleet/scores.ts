// What the expressions of `placement.flaghoist.scores` say of clusters.

import type { Cluster } from "../../../api/cluster.ts";
import type { PlacementScore } from "../../../api/placement-extensions.ts";
import { type CompiledScore, compileScore } from "../../../api/score-expression.ts";
import type { ObjectReference } from "../../../api/work.ts";
import { JsonList, JsonMap, JsonObjectValue, type View, viewOfAny } from "../../../kube/cel/json-values.ts";
import { CelQuantity } from "../../../kube/cel/libraries/quantities.ts";
import { CelUint, fail, type Value } from "../../../kube/cel/values.ts";
import { tryParseQuantity } from "../../../kube/quantity.ts";
import { viewCluster } from "./cluster-view.ts";

/** One number about one cluster. */
export interface ClusterScore {
  /** Of the expression, or of the plugin. */
  readonly name: string;
  /** From 0 to 100. */
  readonly value: number;
  /** What the value is multiplied by. */
  readonly weight: number;
  /** Why the value counts as 0. */
  readonly error?: string;
}

/** The part of an object that expressions see as `resource`. */
export type ScoredResource = Pick<ObjectReference, "apiVersion" | "kind" | "namespace" | "name">;

/** Cost that all expressions of one placement may have for one cluster; a comparison costs about 1. */
const COST_LIMIT = 1_000;
const HIGHEST = 100;
const MAX_COMPILED = 1_000;

/**
 * The scores of a cluster, in the order of the placement. An expression that fails, or answers no number from 0 to 100,
 * counts 0 and says why.
 */
export function scoreCluster(
  scores: readonly PlacementScore[],
  cluster: Cluster,
  resource: ScoredResource,
): readonly ClusterScore[] {
  const variables = { cluster: clusterValue(cluster), resource: resourceValue(resource) };
  let cost = 0;
  return scores.map(({ expression, name, weight }, index) => {
    const entry = { name: name || `scores[${index}]`, weight: weight ?? 1 };
    const compiled = compiledScore(expression);
    if (typeof compiled === "string") return { ...entry, value: 0, error: compiled };
    const answer = compiled.program.evaluate(variables, { costLimit: COST_LIMIT - cost });
    cost += answer.cost;
    if ("error" in answer) return { ...entry, value: 0, error: answer.error };
    const value = numberOf(answer.value);
    if (value !== undefined && value >= 0 && value <= HIGHEST) return { ...entry, value };
    return { ...entry, value: 0, error: `is ${describe(answer.value)}, not a number from 0 to ${HIGHEST}` };
  });
}

/** What the scores of a cluster add to its preference. */
export function totalScore(scores: readonly ClusterScore[]): number {
  return scores.reduce((sum, { value, weight }) => sum + value * weight, 0);
}

/** Whether any of the expressions tells objects apart, so that its values cannot be shared between them. */
export function readResource(scores: readonly PlacementScore[]): boolean {
  return scores.some(({ expression }) => {
    const compiled = compiledScore(expression);
    return typeof compiled !== "string" && compiled.readsResource;
  });
}

const COMPILED = new Map<string, CompiledScore | string>();

function compiledScore(expression: string): CompiledScore | string {
  let compiled = COMPILED.get(expression);
  if (compiled === undefined) {
    if (COMPILED.size >= MAX_COMPILED) COMPILED.clear();
    compiled = compileScore(expression);
    COMPILED.set(expression, compiled);
  }
  return compiled;
}

function numberOf(value: Value): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  return value instanceof CelUint ? Number(value.value) : undefined;
}

function describe(value: Value): string {
  return String(numberOf(value) ?? (typeof value === "string" ? JSON.stringify(value) : "something else"));
}

const CLUSTERS = new WeakMap<Cluster, Value>();

function clusterValue(cluster: Cluster): Value {
  let value = CLUSTERS.get(cluster);
  if (value === undefined) {
    value = new JsonObjectValue({ ...viewCluster(cluster) }, CLUSTER_FIELDS);
    CLUSTERS.set(cluster, value);
  }
  return value;
}

function resourceValue({ apiVersion, kind, namespace = "", name }: ScoredResource): Value {
  return new JsonObjectValue(
    { apiVersion, kind, namespace, name },
    plainFields("apiVersion", "kind", "namespace", "name"),
  );
}

function viewQuantities(json: unknown): Value {
  return new JsonMap(json as Readonly<Record<string, unknown>>, (amount) => {
    const text = String(amount).trim();
    const quantity = tryParseQuantity(text);
    return quantity === undefined ? fail(`${JSON.stringify(text)} is not a quantity`) : new CelQuantity(quantity);
  });
}

function viewObjects(...names: readonly string[]): View {
  const fields = plainFields(...names);
  return (json) =>
    new JsonList(
      json as readonly unknown[],
      (item) => new JsonObjectValue(item as Readonly<Record<string, unknown>>, fields),
      "atomic",
      [],
    );
}

function plainFields(...names: readonly string[]): ReadonlyMap<string, { readonly name: string; readonly view: View }> {
  return new Map(names.map((name) => [name, { name, view: viewOfAny }]));
}

const CLUSTER_FIELDS = new Map<string, { readonly name: string; readonly view: View }>([
  ...plainFields("name", "labels", "annotations", "region", "provider", "zones"),
  ["taints", { name: "taints", view: viewObjects("key", "value", "effect") }],
  ["conditions", { name: "conditions", view: viewObjects("type", "status", "reason") }],
  ["allocatable", { name: "allocatable", view: viewQuantities }],
  ["allocated", { name: "allocated", view: viewQuantities }],
]);
