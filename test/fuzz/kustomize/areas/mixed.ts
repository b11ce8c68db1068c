// Whole repositories: bases, overlays and components that use every field of the kustomization file together.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { type GeneratedObject, type NamePool, randomObjects } from "../support/objects.ts";
import { PLAIN_STYLE, randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";
import { addFault } from "./mixed-faults.ts";
import { addFields, addRootFields } from "./mixed-fields.ts";

export const mixed: Area = { name: "mixed", generate };

/** What is known of an object where a kustomization sees it. */
export interface KnownObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** As its file or generator names it. */
  readonly name: string;
  /** With the prefixes and suffixes so far, without a hash. */
  readonly current: string;
  /** As its file or generator has it. */
  readonly namespace: string | undefined;
  readonly currentNamespace: string | undefined;
  readonly clusterScoped: boolean;
}

/** One directory while it is made. */
export interface Directory {
  readonly path: string;
  readonly isComponent: boolean;
  readonly fields: Record<string, YamlValue | undefined>;
  /** What its transformers work on. */
  readonly objects: readonly KnownObject[];
  /** Other directories that build on it. */
  users: number;
}

export interface Repository {
  readonly random: Random;
  readonly pool: NamePool;
  readonly files: Record<string, TreeFiles[string]>;
  /** Counts up, for names of variables and files that must not meet. */
  counter: number;
  /** How many of the pool's variables are defined. */
  variables: number;
}

const UNRENAMED = ["CustomResourceDefinition", "APIService", "Namespace"];

function generate(random: Random): GeneratedKustomization {
  const names = ["app", "web", "db", "conf", "cache"].slice(0, 3 + random.below(3));
  const pool = { names, namespaces: ["one", "two", "default"], variables: random.chance(0.3) ? ["V1", "V2"] : [] };
  const repository: Repository = { random, pool, files: {}, counter: 0, variables: 0 };
  const levels: Directory[][] = [];
  const depth = 1 + random.below(4);
  for (let level = 0; level < depth; level++) {
    const below = levels.flat();
    const width = level === depth - 1 ? 1 : 1 + random.below(level === 0 ? 2 : 3);
    levels.push(Array.from({ length: width }, (_, index) => makeDirectory(repository, level, index, below)));
  }
  const top = levels.at(-1)![0]!;
  addRootFields(top, repository);
  for (const directory of levels.flat()) writeDirectory(directory, repository);
  const args = random.chance(0.15)
    ? random.pick([
        ["--reorder", "none"],
        ["--load-restrictor", "LoadRestrictionsNone"],
      ])
    : undefined;
  const made = { path: top.path, files: repository.files, ...(args && { args }) };
  return random.chance(0.12) ? addFault(made, random) : made;
}

function makeDirectory(repository: Repository, level: number, index: number, below: readonly Directory[]): Directory {
  const { random } = repository;
  const path = level === 0 ? `bases/b${index}` : `overlays/l${level}-${index}`;
  const resources: string[] = [];
  const objects: KnownObject[] = [];
  if (level === 0 || random.chance(0.4)) addResources(path, resources, objects, repository);
  for (let i = 0; level > 0 && i < 1 + random.below(2); i++) {
    // The level below first: all that is made shall be part of the build.
    const unused = below.filter(({ users }) => users === 0);
    const child = unused.length > 0 ? unused.at(-1)! : random.pick(below);
    const entry = `../../${child.path}`;
    if (resources.includes(entry)) continue;
    const seen = seenFrom(child);
    if (seen.some((object) => objects.some((other) => sameId(object, other)))) continue;
    resources.push(entry);
    objects.push(...seen);
    child.users++;
  }
  if (level > 0 && random.chance(0.25)) addComponent(resources, objects, repository);
  const components = resources.filter((entry) => entry.startsWith("../../components/"));
  const fields: Record<string, YamlValue | undefined> = {
    ...(random.chance(0.6) && { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" }),
    [random.chance(0.05) ? "bases" : "resources"]: resources.filter((entry) => !components.includes(entry)),
    ...(components.length > 0 && { components }),
  };
  const directory = { path, isComponent: false, fields, objects, users: 0 };
  addFields(directory, repository);
  return directory;
}

function addResources(path: string, resources: string[], objects: KnownObject[], repository: Repository): void {
  const { random, pool, files } = repository;
  const made = randomObjects(random, pool, 1 + random.below(6)).filter(
    (object) => !objects.some((other) => sameId(knownObject(object), other)),
  );
  const style = randomStyle(random);
  const texts = made.map(({ value }) => writeYaml(value, random, style));
  const name = (): string => `f${repository.counter++}.yaml`;
  if (texts.length > 1 && random.chance(0.12)) {
    const file = name();
    files[`${path}/${file}`] = writeYaml(
      { apiVersion: "v1", kind: "List", items: made.map(({ value }) => value) },
      random,
      style,
    );
    resources.push(file);
  } else {
    for (let rest = texts; rest.length > 0; ) {
      const count = 1 + random.below(rest.length);
      const file = name();
      const separator = random.pick(["---\n", "---\n", "--- # next\n", "---\n---\n", "---\n# only a comment\n---\n"]);
      const start = random.pick(["", "", "---\n", "# first\n"]);
      const text = start + rest.slice(0, count).join(separator);
      files[`${path}/${file}`] = random.chance(0.05) ? text.replaceAll("\n", "\r\n") : text;
      resources.push(random.chance(0.1) ? `./${file}` : file);
      rest = rest.slice(count);
    }
  }
  objects.push(...made.map(knownObject));
}

function knownObject({ apiVersion, kind, name, namespace, clusterScoped }: GeneratedObject): KnownObject {
  return { apiVersion, kind, name, current: name, namespace, currentNamespace: namespace, clusterScoped };
}

/** A component works on the objects of its user, and may bring some. */
function addComponent(resources: string[], objects: KnownObject[], repository: Repository): void {
  const { random } = repository;
  const path = `components/c${repository.counter++}`;
  const own: string[] = [];
  const seen = [...objects];
  if (random.chance(0.3)) addResources(path, own, seen, repository);
  objects.splice(0, objects.length, ...seen);
  const fields: Record<string, YamlValue | undefined> = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    ...(own.length > 0 && { resources: own }),
  };
  const directory: Directory = { path, isComponent: true, fields, objects: seen, users: 1 };
  addFields(directory, repository);
  writeDirectory(directory, repository);
  const renamed = seenFrom(directory);
  objects.splice(0, objects.length, ...renamed);
  resources.push(`../../${path}`);
}

/** The objects of a directory as its users see them. */
export function seenFrom({ fields, objects }: Directory): KnownObject[] {
  const prefix = typeof fields["namePrefix"] === "string" ? fields["namePrefix"] : "";
  const suffix = typeof fields["nameSuffix"] === "string" ? fields["nameSuffix"] : "";
  const namespace = typeof fields["namespace"] === "string" ? fields["namespace"] : undefined;
  return objects.map((object) => ({
    ...object,
    current: UNRENAMED.includes(object.kind) ? object.current : `${prefix}${object.current}${suffix}`,
    currentNamespace: object.clusterScoped ? undefined : (namespace ?? object.currentNamespace),
  }));
}

function sameId(a: KnownObject, b: KnownObject): boolean {
  const effective = (object: { readonly currentNamespace: string | undefined }): string =>
    object.currentNamespace ?? "default";
  return a.apiVersion === b.apiVersion && a.kind === b.kind && a.current === b.current && effective(a) === effective(b);
}

function writeDirectory({ path, fields }: Directory, { random, files }: Repository): void {
  const name = random.chance(0.9) ? "kustomization.yaml" : random.pick(["kustomization.yml", "Kustomization"]);
  files[`${path}/${name}`] = writeYaml(fields, random, random.chance(0.7) ? PLAIN_STYLE : randomStyle(random));
}
