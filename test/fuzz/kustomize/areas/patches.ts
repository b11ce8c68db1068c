// Strategic-merge and JSON patches on rich objects: by target, by identity, in every field that takes them.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { type Fields, type Kind, leaf, type Oddness, randomFields, randomKind } from "../support/schema-objects.ts";
import { PLAIN_STYLE, randomStyle, writeYaml, type YamlStyle, type YamlValue } from "../support/yaml-writer.ts";

export const patches: Area = { name: "patches", generate };

interface Target extends Kind {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly content: Fields;
}

const NAMES = ["one", "two", "three"];

function generate(random: Random): GeneratedKustomization {
  const odd: Oddness = { patch: false, irregular: random.chance(0.2) };
  const targets: Target[] = [];
  for (let index = 1 + random.below(3); index > 0; index--) {
    const kind = randomKind(random);
    const name = NAMES[index - 1]!;
    const namespace = random.chance(0.2) ? random.pick(["default", "space"]) : undefined;
    targets.push({ ...kind, name, namespace, content: randomFields(random, kind, odd) });
  }
  const files: Record<string, TreeFiles[string]> = {};
  files["base/objects.yaml"] = targets
    .map((target) => writeYaml(objectOf(target, random, odd), random, quietStyle(random)))
    .join("---\n");
  const base: Fields = { resources: ["objects.yaml"], ...decorations(random) };
  if (random.chance(0.2)) base["configMapGenerator"] = [{ name: "made", literals: ["a=b"] }];
  // Of other kinds kustomize hashes its own notation of the nodes, so that nobody is made another kind with these.
  const hasMade = base["configMapGenerator"] !== undefined;
  const allowKindChange = !hasMade;
  const made: Target = {
    apiVersion: "v1",
    kind: "ConfigMap",
    definition: undefined,
    name: "made",
    namespace: undefined,
    content: { data: { a: "b" } },
  };
  const all = hasMade ? [...targets, made] : targets;
  addPatches(base, "base", files, all, allowKindChange, random, odd);
  const hasOverlay = random.chance(0.5);
  files["base/kustomization.yaml"] = writeYaml(base, random, PLAIN_STYLE);
  if (!hasOverlay) return { path: "base", files };
  const overlay: Fields = { resources: ["../base"], ...decorations(random) };
  addPatches(overlay, "over", files, all, allowKindChange, random, odd);
  files["over/kustomization.yaml"] = writeYaml(overlay, random, PLAIN_STYLE);
  return { path: "over", files };
}

/** Comments that stand between a key and a flow list make kustomize print what it cannot read. */
function quietStyle(random: Random): YamlStyle {
  return { ...randomStyle(random), comments: 0 };
}

function decorations(random: Random): Fields {
  return {
    ...(random.chance(0.2) && { namePrefix: "p-" }),
    ...(random.chance(0.1) && { nameSuffix: "-s" }),
    ...(random.chance(0.1) && { namespace: "space" }),
    ...(random.chance(0.15) && { commonAnnotations: { note: random.pick(["5", "x"]) } }),
  };
}

function objectOf({ apiVersion, kind, name, namespace, content }: Target, random: Random, odd: Oddness): Fields {
  const metadata: Fields = { name, ...(namespace !== undefined && { namespace }) };
  if (random.chance(0.5)) metadata["labels"] = pairs(random, odd);
  if (random.chance(0.4)) metadata["annotations"] = pairs(random, odd);
  if (random.chance(0.3)) metadata["finalizers"] = random.list(3, () => random.pick(["a", "b", "c"]));
  return { apiVersion, kind, metadata, ...content };
}

function pairs(random: Random, odd: Oddness): YamlValue {
  if (odd.patch && random.chance(0.1)) return null;
  const made: Fields = {};
  for (const key of ["a", "b", "x.y/z"])
    if (random.chance(0.5)) made[key] = odd.patch ? leaf(random, odd) : random.pick(["v", "5", "yes"]);
  if (odd.patch && random.chance(0.08)) made["$patch"] = random.pick(["replace", "delete", "merge"]);
  return made;
}

function addPatches(
  fields: Fields,
  folder: string,
  files: Record<string, TreeFiles[string]>,
  targets: readonly Target[],
  allowKindChange: boolean,
  random: Random,
  odd: Oddness,
): void {
  const entries: Fields[] = [];
  const merges: string[] = [];
  const json: Fields[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const target = random.pick(targets);
    const roll = random.below(10);
    const isJson = roll < 4;
    const text = isJson ? operations(random, target) : mergePatch(random, target, odd);
    const file = `patch${entries.length}${merges.length}${json.length}.yaml`;
    const isFile = random.chance(0.5);
    if (isFile) files[`${folder}/${file}`] = text;
    const source: Fields = isFile ? { path: file } : { patch: text };
    if (roll === 9) merges.push(isFile ? file : text);
    else if (roll === 0)
      json.push({ target: { kind: target.kind, name: random.chance(0.8) ? target.name : ".*" }, ...source });
    else if (isJson || random.chance(0.4))
      entries.push({ ...source, target: selector(random, target), ...options(random, isJson, allowKindChange) });
    else entries.push({ ...source, ...options(random, isJson, allowKindChange) });
  }
  if (entries.length > 0) fields["patches"] = entries;
  if (merges.length > 0) fields["patchesStrategicMerge"] = merges;
  if (json.length > 0) fields["patchesJson6902"] = json;
}

function options(random: Random, isJson: boolean, allowKindChange: boolean): Fields {
  if (isJson || random.chance(0.85)) return {};
  return { options: { allowNameChange: random.chance(0.5), allowKindChange: allowKindChange && random.chance(0.3) } };
}

function selector(random: Random, target: Target): Fields {
  return random.pick<Fields>([
    { kind: target.kind },
    { kind: target.kind, name: target.name },
    { name: `${target.name.slice(0, 1)}.*` },
    { labelSelector: "a in (v, 5)" },
    { annotationSelector: "a" },
    { version: "v1.*", namespace: target.namespace ?? "default" },
    {},
  ]);
}

function mergePatch(random: Random, target: Target, odd: Oddness): string {
  const own: Oddness = { patch: true, irregular: odd.irregular };
  const content = randomFields(random, target, own);
  const root = objectOf({ ...target, content }, random, own);
  if (random.chance(0.04)) root["$patch"] = random.pick(["delete", "replace", "merge"]);
  return writeYaml(root, random, quietStyle(random));
}

function operations(random: Random, target: Target): string {
  const list = Array.from({ length: 1 + random.below(3) }, () => operation(random, target));
  return random.chance(0.4) ? JSON.stringify(list.map(plain)) : writeYaml(list, random, quietStyle(random));
}

// JSON has no other ways to write a scalar.
function plain(value: YamlValue | undefined): unknown {
  if (Array.isArray(value)) return (value as readonly YamlValue[]).map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("text" in value && typeof value.text === "string" && Object.keys(value).length === 1) return value.text;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item as YamlValue)]));
}

const NO_PATCH: Oddness = { patch: false, irregular: false };

function operation(random: Random, target: Target): Fields {
  const path = pointer(random, target);
  const value = (): YamlValue =>
    random.chance(0.7)
      ? leaf(random, NO_PATCH)
      : random.pick<YamlValue>([{ k: [1, { l: null }] }, [], {}, ["x", 1.5], { a: "b", $patch: "delete" }]);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { op: "add", path: random.chance(0.15) ? `${path}/new` : path, value: value() };
    case 2:
    case 3:
      return { op: "replace", path, value: value() };
    case 4:
      return { op: "remove", path };
    case 5:
      return { op: "copy", from: path, path: "/copied" };
    case 6:
      return { op: "move", from: path, path: random.chance(0.7) ? "/moved" : pointer(random, target) };
    default:
      return { op: "test", path, value: random.chance(0.95) ? valueAt(path, target) : value() };
  }
}

/** A path that mostly exists. */
function pointer(random: Random, target: Target): string {
  const odd = [
    "/metadata/annotations",
    "/metadata/annotations/a",
    "/metadata/labels",
    "/metadata/labels/x.y~1z",
    "/none",
  ];
  if (random.chance(0.06)) return random.pick(odd);
  let path = "";
  let at: YamlValue | undefined = target.content;
  while (typeof at === "object" && at !== null && !("text" in at)) {
    const keys: string[] = Array.isArray(at) ? at.map((_, index) => String(index)) : Object.keys(at);
    if (keys.length === 0 || (path !== "" && random.chance(0.2))) break;
    const key = random.pick(keys);
    const isList = Array.isArray(at);
    const odds = isList && random.chance(0.08) ? random.pick(["-", "-1", String(keys.length), "x"]) : key;
    path += `/${odds.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (odds !== key) break;
    at = (at as Record<string, YamlValue | undefined>)[key];
  }
  return path === "" ? "/kind" : path;
}

function valueAt(path: string, target: Target): YamlValue {
  let at: unknown = target.content;
  for (const part of path.split("/").slice(1))
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[part] : undefined;
  // Within a list a null makes the comparison crash.
  return JSON.stringify(at ?? 1).includes("null") ? "none" : ((at ?? 1) as YamlValue);
}
