// Random objects of built-in kinds, and patches for them, made along the lists that strategic merges know.
import table from "../../../../renderers/kustomize/patches/merge-keys.table.json" with { type: "json" };
import type { Random } from "../../../../runtime/random.ts";
import { RawYaml, type YamlValue } from "./yaml-writer.ts";

interface TableField {
  readonly ref?: string;
  readonly items?: string;
  readonly strategy?: string;
  readonly keys?: readonly string[];
}

export type Fields = Record<string, YamlValue | undefined>;

/** How far what is made may be from what people write. */
export interface Oddness {
  /** A patch: nulls and directives. */
  readonly patch: boolean;
  /** Lists whose elements lack keys or have equal ones. */
  readonly irregular: boolean;
}

const definitions = table.definitions as Readonly<Record<string, Readonly<Record<string, TableField>>>>;
const kinds: readonly (readonly [string, string])[] = Object.entries(table.kinds).filter(
  ([kind]) => !kind.startsWith("kustomize.config.k8s.io/") && !kind.endsWith("List"),
);
const COMMON = ["apps/v1 Deployment", "v1 Service", "v1 Pod", "batch/v1beta1 CronJob", "apps/v1 StatefulSet"];

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Name of its definition; undefined for kinds that no schema knows. */
  readonly definition: string | undefined;
}

export function randomKind(random: Random): Kind {
  if (random.chance(0.15)) {
    return random.pick([
      { apiVersion: "example.com/v1", kind: "Widget", definition: undefined },
      { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", definition: undefined },
      { apiVersion: "v1", kind: "ConfigMap", definition: undefined },
    ]);
  }
  const common = random.pick(COMMON);
  const [name, definition] = random.chance(0.6)
    ? (kinds.find(([kind]) => kind === common) ?? kinds[0]!)
    : random.pick(kinds);
  const [apiVersion = "", kind = ""] = name.split(" ");
  return { apiVersion, kind, definition };
}

/** Fields of an object beside its apiVersion, kind and metadata. */
export function randomFields(random: Random, kind: Kind, odd: Oddness): Fields {
  const fields = kind.definition === undefined ? {} : ofDefinition(random, kind.definition, odd, 0);
  const { metadata: _, ...rest } = fields;
  if (Object.keys(rest).length === 0 || random.chance(0.3)) Object.assign(rest, { spec: freeMap(random, odd, 0) });
  return rest;
}

function ofDefinition(random: Random, name: string, odd: Oddness, depth: number): Fields {
  const fields: Fields = {};
  for (const [key, field] of Object.entries(definitions[name] ?? {})) {
    if (!random.chance(depth < 3 ? 0.75 : 0.35)) continue;
    if (odd.patch && random.chance(0.04)) fields[key] = null;
    else if (field.ref !== undefined) fields[key] = depth > 8 ? {} : ofDefinition(random, field.ref, odd, depth + 1);
    else fields[key] = listOf(random, field, odd, depth);
  }
  for (const key of ["alpha", "beta"]) if (random.chance(0.25)) fields[key] = leaf(random, odd);
  if (random.chance(0.1)) fields["free"] = freeMap(random, odd, depth);
  if (odd.patch && depth > 0 && random.chance(0.04)) fields["$patch"] = directive(random);
  return fields;
}

function listOf(random: Random, field: TableField, odd: Oddness, depth: number): YamlValue {
  const keys = field.keys ?? [];
  if (field.strategy?.includes("merge") === true && keys.length === 0) {
    const words = random.list(4, () => random.pick<YamlValue>(["a", "b", "c", "d"]));
    // A list without anything else in it but a directive means something else.
    return odd.patch && random.chance(0.1)
      ? [{ $patch: random.pick(["replace", "delete", "merge"]) }, ...words]
      : words;
  }
  const used = new Set<string>();
  const items: YamlValue[] = [];
  for (let count = random.below(4); count > 0; count--) {
    const item: Fields =
      field.items === undefined || depth > 8 ? {} : ofDefinition(random, field.items, odd, depth + 2);
    if (field.items === undefined) Object.assign(item, { alpha: leaf(random, odd) });
    const values: string[] = [];
    for (const [index, key] of keys.entries()) {
      const isMissing = odd.irregular && random.chance(index === 0 ? 0.05 : 0.4);
      const value = key.toLowerCase().includes("port") ? random.pick([80, 81, 443]) : random.pick(["a", "b", "c"]);
      delete item[key];
      if (!isMissing) item[key] = value;
      values.push(isMissing ? "" : String(value));
    }
    const id = values.join(",");
    if (used.has(id) && !odd.irregular) continue;
    used.add(id);
    if (odd.patch && keys.length > 0 && random.chance(0.08))
      item["$patch"] = random.pick(["delete", "replace", "merge"]);
    items.push(item);
  }
  if (odd.patch && random.chance(0.05)) items.splice(random.below(items.length + 1), 0, { $patch: directive(random) });
  if (odd.irregular && keys.length > 0 && random.chance(0.05)) items.push({});
  return items;
}

function directive(random: Random): string {
  return random.chance(0.02) ? "odd" : random.pick(["replace", "delete", "merge"]);
}

function freeMap(random: Random, odd: Oddness, depth: number): Fields {
  const map: Fields = {};
  for (const key of ["alpha", "beta", "gamma", "items"]) {
    if (random.chance(0.5)) continue;
    const roll = random.below(10);
    // The same name is always of the same shape, or a map would meet a list too often.
    if (key === "gamma" && depth < 4) map[key] = roll === 0 ? {} : freeMap(random, odd, depth + 1);
    else if (key === "items") map[key] = random.list(3, () => (roll < 4 ? leaf(random, odd) : freeMap(random, odd, 4)));
    else map[key] = leaf(random, odd);
  }
  if (odd.patch && random.chance(0.08)) map["$patch"] = directive(random);
  if (random.chance(0.06)) {
    // An object inside an object is merged by its own kind.
    const inner = { containers: listOf(random, { strategy: "merge", keys: ["name"] }, odd, 6) };
    map["object"] = { apiVersion: "v1", kind: "Pod", spec: inner };
  }
  return map;
}

const LEAVES: readonly YamlValue[] = [
  ...["x", "two words", "a: b", "5", "true", "yes", "", "line\nline\n", "é", "1.50", "-", "2020-01-02", "#x"],
  ...[0, 5, -3, 1.5, 1e21, 1e-7, 123456789, 9007199254740993n.toString()],
  true,
  false,
];
const RAW = ["0x1F", "0o17", "017", "1e3", "1_000", "2020-01-02", "yes", "~", "1.0", ".5", "9007199254740993"];

/** A scalar, written in one of many ways. */
export function leaf(random: Random, odd: Oddness): YamlValue {
  if (random.chance(odd.patch ? 0.15 : 0.05)) return random.chance(0.8) ? null : new RawYaml("~");
  return random.chance(0.25) ? new RawYaml(random.pick(RAW)) : random.pick(LEAVES);
}
