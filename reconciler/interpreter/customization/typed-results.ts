// What scripts answer about replicas, components and dependencies, read as the types of Karmada: unknown fields are
// ignored, empty ones left out, wrong types refused.
import type { Toleration } from "../../../api/cluster.ts";
import type { LabelSelector } from "../../../api/schema.ts";
import type {
  Component,
  ComponentReplicaRequirements,
  NodeClaim,
  NodeSelector,
  ReplicaRequirements,
} from "../../../api/work.ts";
import { isObject } from "../../../kube/object.ts";
import { formatQuantity, quantityFromJson } from "../../../kube/quantity.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { present } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import { resultMalformed } from "./errors.ts";

type Table = Readonly<Record<string, unknown>>;

const SMALLEST_INT32 = -2_147_483_648;
const LARGEST_INT32 = 2_147_483_647;

export function readRequirements(value: unknown, path: string): ReplicaRequirements {
  const namespace = optionalText(tableOf(value, path), "namespace", path);
  return { ...readNeeds(value, path), ...(namespace === undefined ? {} : { namespace }) };
}

function readNeeds(value: unknown, path: string): ComponentReplicaRequirements {
  const table = tableOf(value, path);
  return present({
    nodeClaim: optional(table, "nodeClaim", path, readNodeClaim),
    resourceRequest: optional(table, "resourceRequest", path, readQuantities),
    priorityClassName: optionalText(table, "priorityClassName", path),
  });
}

export function readComponents(value: unknown): Component[] {
  return listOf(value, "components").map((item, index) => {
    const path = `components[${index}]`;
    const table = tableOf(item, path);
    const replicaRequirements = optional(table, "replicaRequirements", path, readNeeds);
    return {
      name: optionalText(table, "name", path) ?? "",
      replicas: int32Of(field(table, "replicas") ?? 0, `${path}.replicas`),
      ...(replicaRequirements === undefined ? {} : { replicaRequirements }),
    };
  });
}

export function readDependencies(value: unknown): Dependency[] {
  return listOf(value, "dependencies").map((item, index) => {
    const path = `dependencies[${index}]`;
    const table = tableOf(item, path);
    const labelSelector = optional(table, "labelSelector", path, readLabelSelector);
    const namespace = optionalText(table, "namespace", path);
    const name = optionalText(table, "name", path);
    return {
      apiVersion: optionalText(table, "apiVersion", path) ?? "",
      kind: optionalText(table, "kind", path) ?? "",
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  });
}

function readNodeClaim(value: unknown, path: string): NodeClaim {
  const table = tableOf(value, path);
  return present({
    hardNodeAffinity: optional(table, "hardNodeAffinity", path, readNodeSelector),
    nodeSelector: optional(table, "nodeSelector", path, readTexts),
    tolerations: optionalList(table, "tolerations", path, readToleration),
  });
}

function readNodeSelector(value: unknown, path: string): NodeSelector {
  const table = tableOf(value, path);
  const terms = optionalList(table, "nodeSelectorTerms", path, (term, at) => {
    const fields = tableOf(term, at);
    return present({
      matchExpressions: optionalList(fields, "matchExpressions", at, readRequirement),
      matchFields: optionalList(fields, "matchFields", at, readRequirement),
    });
  });
  return { nodeSelectorTerms: terms ?? [] };
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: string[];
}

function readRequirement(value: unknown, path: string): Requirement {
  const table = tableOf(value, path);
  const values = optionalList(table, "values", path, textOf);
  return {
    key: optionalText(table, "key", path) ?? "",
    operator: optionalText(table, "operator", path) ?? "",
    ...(values === undefined ? {} : { values }),
  };
}

function readToleration(value: unknown, path: string): Toleration {
  const table = tableOf(value, path);
  const seconds = field(table, "tolerationSeconds");
  const toleration = present({
    key: optionalText(table, "key", path),
    operator: optionalText(table, "operator", path),
    value: optionalText(table, "value", path),
    effect: optionalText(table, "effect", path),
    tolerationSeconds: seconds === undefined ? undefined : integerOf(seconds, `${path}.tolerationSeconds`),
  });
  // Operators and effects that do not exist tolerate nothing; whoever compares them says so.
  return toleration as Toleration;
}

function readLabelSelector(value: unknown, path: string): LabelSelector {
  const table = tableOf(value, path);
  const selector = present({
    matchLabels: optional(table, "matchLabels", path, readTexts),
    matchExpressions: optionalList(table, "matchExpressions", path, readRequirement),
  });
  // Operators are looked at where the selector is checked.
  return selector as LabelSelector;
}

function readTexts(value: unknown, path: string): Record<string, string> {
  return mapValues(tableOf(value, path), (text, key) => textOf(text, `${path}[${JSON.stringify(key)}]`));
}

function readQuantities(value: unknown, path: string): Record<string, string> {
  return mapValues(tableOf(value, path), (amount, key) => {
    const at = `${path}[${JSON.stringify(key)}]`;
    if (typeof amount !== "string" && typeof amount !== "number") throw wrong(at, "a quantity", amount);
    try {
      return formatQuantity(quantityFromJson(amount));
    } catch (error) {
      throw resultMalformed(`${at} is no quantity: ${messageOf(error)}`);
    }
  });
}

function mapValues(table: Table, convert: (value: unknown, key: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => [key, convert(value, key)]),
  );
}

/** As programs in Go read JSON: the name as it is, or else in other capitals. */
function field(table: Table, name: string): unknown {
  const value = table[name] ?? undefined;
  if (value !== undefined) return value;
  const lower = name.toLowerCase();
  const other = Object.keys(table).find((key) => key.toLowerCase() === lower);
  return other === undefined ? undefined : (table[other] ?? undefined);
}

function optional<T>(table: Table, name: string, path: string, read: (value: unknown, at: string) => T): T | undefined {
  const value = field(table, name);
  return value === undefined ? undefined : read(value, `${path}.${name}`);
}

/** Undefined when absent or empty. */
function optionalList<T>(
  table: Table,
  name: string,
  path: string,
  read: (value: unknown, at: string) => T,
): T[] | undefined {
  const value = field(table, name);
  if (value === undefined) return undefined;
  const items = listOf(value, `${path}.${name}`);
  return items.length === 0 ? undefined : items.map((item, index) => read(item, `${path}.${name}[${index}]`));
}

/** Undefined when absent or empty. */
function optionalText(table: Table, name: string, path: string): string | undefined {
  const value = field(table, name);
  const text = value === undefined ? "" : textOf(value, `${path}.${name}`);
  return text === "" ? undefined : text;
}

function tableOf(value: unknown, path: string): Table {
  if (!isObject(value)) throw wrong(path, "a table with named fields", value);
  return value;
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, "a list", value);
  return value;
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, "a text", value);
  return value;
}

function integerOf(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw wrong(path, "an integer", value);
  return value;
}

function int32Of(value: unknown, path: string): number {
  const integer = integerOf(value, path);
  if (integer < SMALLEST_INT32 || integer > LARGEST_INT32) throw wrong(path, "an integer of 32 bits", value);
  return integer;
}

function wrong(path: string, wanted: string, value: unknown): Error {
  return resultMalformed(`the script returned ${describeResult(value)} as ${path}, not ${wanted}`);
}

/** `the number 2.5`, `a list`: what a script returned, without its content. */
export function describeResult(value: unknown): string {
  if (value === undefined || value === null) return "nil";
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return "a text";
  if (Array.isArray(value)) return value.length === 0 ? "an empty table" : "a list";
  return "a table with named fields";
}
