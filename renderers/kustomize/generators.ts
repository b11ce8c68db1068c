// ConfigMaps and Secrets from literals, env files and files.

import { isUtf8 } from "node:buffer";
import { baseNameOf } from "../paths.ts";
import { idKey, type ResourceId } from "./identity.ts";
import type { GeneratorEntry, GeneratorOptions } from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { cloneNode, ensureMap, isMapNode, type NodeMap, Scalar, setField, stringNode, textOf } from "./node.ts";
import { type BuildStep, type GeneratorBehavior, Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { nodeKey } from "./share.ts";

export type GeneratedKind = "ConfigMap" | "Secret";

interface Pair {
  readonly key: string;
  readonly bytes: Buffer;
}

/** Builds the object that a generator entry describes. Throws `render-generator-data`. */
export function generate(kind: GeneratedKind, entry: GeneratorEntry, loader: Loader, file: string): Resource {
  const name = entry.name ?? "";
  if (name === "") throw loader.fault("render-generator-data", "", `a ${kind} generator has no name`);
  const node: NodeMap = new Map([
    ["apiVersion", stringNode("v1")],
    ["kind", stringNode(kind)],
  ]);
  const metadata = ensureMap(node, "metadata");
  metadata.set("name", stringNode(name));
  if (entry.namespace) metadata.set("namespace", stringNode(entry.namespace));
  if (kind === "Secret") node.set("type", stringNode(entry.type || "Opaque"));
  addPairs(node, kind, readPairs(entry, loader, name));
  const { options } = entry;
  addMetadata(node, "labels", options?.labels);
  addMetadata(node, "annotations", options?.annotations);
  if (options?.immutable === true) node.set("immutable", new Scalar("!!bool", "true"));
  const resource = new Resource(node, { file });
  resource.behavior = behaviorOf(entry.behavior);
  resource.needsHash = options?.disableNameSuffixHash !== true;
  return resource;
}

function behaviorOf(text: string | undefined): GeneratorBehavior {
  return text === "create" || text === "replace" || text === "merge" ? text : "unspecified";
}

/** A generator's own options completed by those of the whole kustomization. */
export function mergeOptions(
  own: GeneratorOptions | undefined,
  all: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (all === undefined) return own;
  if (own === undefined) return all;
  return {
    labels: { ...all.labels, ...own.labels },
    annotations: { ...all.annotations, ...own.annotations },
    disableNameSuffixHash: all.disableNameSuffixHash === true || own.disableNameSuffixHash === true,
    immutable: all.immutable === true || own.immutable === true,
  };
}

/** Adds a generated object, or merges it into one that is there, as its behavior says. */
export function absorbGenerated(map: ResourceMap, generated: Resource, loader: Loader): void {
  const matches = findById(map, generated.currentId);
  const { behavior } = generated;
  const entry = generated.name;
  if (matches.length === 0) {
    if (behavior === "merge" || behavior === "replace") {
      const what = `the ${generated.kind} ${entry} is to ${behavior} an object that is not there`;
      throw loader.fault("render-generator-missing-base", entry, what);
    }
    map.append(generated);
    return;
  }
  const [old] = matches;
  if (matches.length > 1 || old === undefined) {
    const what = `the ${generated.kind} ${entry} matches ${matches.length} objects`;
    throw loader.fault("render-generator-exists", entry, what);
  }
  if (behavior !== "merge" && behavior !== "replace") {
    const what = `there is a ${generated.kind} ${entry} already; set behavior to merge or replace to change it`;
    throw loader.fault("render-generator-exists", entry, what);
  }
  const salt = map.options.keepStates ? `${behavior}\n${generated.needsHash}\n${nodeKey(generated.node)}` : "";
  map.edit(old, (own) => combine(own, generated, behavior), salt);
}

function findById(map: ResourceMap, id: ResourceId): readonly Resource[] {
  return map.findByAnyId(id).filter((resource) => resource.allIds.some((known) => idKey(known) === idKey(id)));
}

function combine(old: Resource, generated: Resource, behavior: "merge" | "replace"): void {
  const { name, namespace } = old;
  // cloneNode keeps the shape: a map stays a map.
  const node = cloneNode(generated.node) as NodeMap;
  for (const field of ["labels", "annotations"] as const) {
    const merged = new Map([...old.stringMap(field), ...generated.stringMap(field)]);
    const metadata = ensureMap(node, "metadata");
    if (merged.size > 0) metadata.set(field, new Map([...merged].map(([key, value]) => [key, stringNode(value)])));
  }
  if (behavior === "merge") {
    if (generated.kind === "Secret") encodeStringData(old.node);
    for (const field of ["data", "binaryData"]) {
      const before = old.node.get(field);
      const after = node.get(field);
      if (!isMapNode(before)) continue;
      node.set(field, new Map([...before, ...(isMapNode(after) ? after : [])]));
    }
  }
  old.node = node;
  if (behavior === "replace") old.step = generated.step;
  old.needsHash = old.needsHash && generated.needsHash;
  old.setName(name);
  old.setNamespace(namespace);
}

// As kustomize: text of a secret that is merged into counts as data.
function encodeStringData(node: NodeMap): void {
  const stringData = node.get("stringData");
  if (!isMapNode(stringData)) return;
  const data = ensureMap(node, "data");
  for (const [key, value] of stringData) data.set(key, stringNode(wrapBase64(Buffer.from(textOf(value) ?? ""))));
}

function addMetadata(node: NodeMap, field: string, pairs: Readonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(pairs ?? {});
  if (entries.length === 0) return;
  const target = ensureMap(ensureMap(node, "metadata"), field);
  for (const [key, value] of entries) setField(target, key, stringNode(value));
}

function addPairs(node: NodeMap, kind: GeneratedKind, pairs: readonly Pair[]): void {
  for (const { key, bytes } of pairs) {
    if (kind === "Secret") setField(ensureMap(node, "data"), key, stringNode(wrapBase64(bytes)));
    else if (isUtf8(bytes)) setField(ensureMap(node, "data"), key, stringNode(bytes.toString("utf8")));
    else setField(ensureMap(node, "binaryData"), key, stringNode(wrapBase64(bytes)));
  }
}

const BASE64_WIDTH = 70;

function wrapBase64(bytes: Buffer): string {
  const text = bytes.toString("base64");
  if (text.length <= BASE64_WIDTH) return text;
  let wrapped = "";
  for (let at = 0; at < text.length; at += BASE64_WIDTH) wrapped += `${text.slice(at, at + BASE64_WIDTH)}\n`;
  return wrapped;
}

function readPairs(entry: GeneratorEntry, loader: Loader, name: string): Pair[] {
  const pairs: Pair[] = [];
  const envs = [...(entry.envs ?? []), ...(entry.env ? [entry.env] : [])];
  for (const env of envs) pairs.push(...readEnvFile(env, loader));
  for (const literal of entry.literals ?? []) pairs.push(readLiteral(literal, loader));
  for (const file of entry.files ?? []) pairs.push(readFileEntry(file, loader));
  const seen = new Set<string>();
  for (const { key } of pairs) {
    if (seen.has(key)) throw loader.fault("render-generator-data", key, `${name} gets the key ${key} twice`);
    checkKey(key, loader);
    seen.add(key);
  }
  return pairs;
}

function checkKey(key: string, loader: Loader): void {
  const isPath = key === "." || key.startsWith("..");
  if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && !isPath) return;
  const what = `${JSON.stringify(key)} is no valid key; use letters, digits, -, _ and .`;
  throw loader.fault("render-generator-data", key, what);
}

function readLiteral(literal: string, loader: Loader): Pair {
  const at = literal.indexOf("=");
  if (at <= 0) {
    throw loader.fault("render-generator-data", literal, `the literal ${JSON.stringify(literal)} must be key=value`);
  }
  const value = literal.slice(at + 1);
  const quoted = value.length >= 2 && /^["']$/.test(value[0]!) && value.endsWith(value[0]!);
  return { key: literal.slice(0, at), bytes: Buffer.from(quoted ? value.slice(1, -1) : value) };
}

function readFileEntry(entry: string, loader: Loader): Pair {
  const parts = entry.split("=");
  const [first = "", second] = parts;
  if (parts.length > 2) {
    throw loader.fault("render-generator-data", entry, `the file ${JSON.stringify(entry)} has more than one =`);
  }
  if (second === undefined) return { key: baseNameOf(first), bytes: Buffer.from(loader.load(first).bytes) };
  if (first === "" || second === "") {
    throw loader.fault("render-generator-data", entry, `the file ${JSON.stringify(entry)} must be path or key=path`);
  }
  return { key: first, bytes: Buffer.from(loader.load(second).bytes) };
}

function readEnvFile(entry: string, loader: Loader): Pair[] {
  const { path, bytes } = loader.load(entry);
  const buffer = Buffer.from(bytes);
  if (!isUtf8(buffer)) throw loader.fault("render-generator-data", entry, `${path} is not UTF-8`);
  const pairs: Pair[] = [];
  for (const [index, raw] of buffer.toString("utf8").split("\n").entries()) {
    let line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (index === 0 && line.startsWith("\ufeff")) line = line.slice(1);
    line = line.replace(/^\s+/, "");
    if (line === "" || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    const key = at < 0 ? line : line.slice(0, at);
    if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) {
      const what = `${path}:${index + 1}: ${JSON.stringify(key)} is no name of a variable`;
      throw loader.fault("render-generator-data", entry, what);
    }
    pairs.push({ key, bytes: Buffer.from(at < 0 ? "" : line.slice(at + 1)) });
  }
  return pairs;
}

/** What `buildMetadata` records of a generated object. */
export function generatorStep(kind: GeneratedKind, configuredIn: string): BuildStep {
  return { configuredIn, configuredBy: { apiVersion: "builtin", kind: `${kind}Generator` } };
}
