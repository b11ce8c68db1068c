// ConfigMaps and Secrets from literals, env files and files.

import { isUtf8 } from "node:buffer";
import { baseNameOf } from "../../paths.ts";
import type { GeneratorEntry, GeneratorOptions } from "../kustomization/kustomization.ts";
import type { Loader } from "../loading/loader.ts";
import { idKey, type ResourceId } from "../resources/identity.ts";
import {
  cloneNode,
  ensureMap,
  isMapNode,
  type Node,
  type NodeMap,
  Scalar,
  setField,
  stringNode,
  textNode,
  textOf,
} from "../resources/node.ts";
import { readJsonText } from "../resources/reprint.ts";
import { type GeneratorBehavior, Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { nodeKey } from "../resources/share.ts";

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
  const result = new Resource(node, old.origin);
  for (const field of ["labels", "annotations"] as const) {
    result.setTexts(field, new Map([...old.stringMap(field), ...generated.stringMap(field)]));
  }
  if (behavior === "merge") {
    if (generated.kind === "Secret") encodeStringData(old.node);
    for (const field of ["data", "binaryData"]) {
      const merged = new Map([...textsOf(old.node.get(field)), ...textsOf(node.get(field))]);
      if (merged.size > 0) node.set(field, textMap(merged));
      else node.delete(field);
    }
  }
  old.node = node;
  if (behavior === "replace") old.step = generated.step;
  old.needsHash = old.needsHash && generated.needsHash;
  old.setName(name);
  old.setNamespace(namespace);
}

// As kustomize: whatever an object has as data counts as text when it is merged.
function textsOf(node: Node | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  if (isMapNode(node)) for (const [key, value] of node) texts.set(key, textOf(value) ?? "");
  return texts;
}

function textMap(texts: ReadonlyMap<string, string>): NodeMap {
  const map: NodeMap = new Map();
  for (const [key, text] of texts) setField(map, key, textNode(text));
  return map;
}

// As kustomize: text of a secret that is merged into counts as data.
function encodeStringData(node: NodeMap): void {
  const stringData = node.get("stringData");
  if (!isMapNode(stringData)) return;
  const data = ensureMap(node, "data");
  for (const [key, value] of stringData) data.set(key, textNode(wrapBase64(Buffer.from(textOf(value) ?? ""))));
}

// As kustomize: what a kustomization says of a generator goes through JSON that is read as YAML.
function addMetadata(node: NodeMap, field: string, pairs: Readonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(pairs ?? {});
  if (entries.length === 0) return;
  const target = ensureMap(ensureMap(node, "metadata"), field);
  for (const [key, value] of entries) setField(target, key, textNode(readJsonText(value)));
}

function addPairs(node: NodeMap, kind: GeneratedKind, pairs: readonly Pair[]): void {
  // As kustomize: a Secret has data even where it is empty, a ConfigMap does not.
  if (kind === "Secret") ensureMap(node, "data");
  for (const { key, bytes } of pairs) {
    if (kind === "Secret") setField(ensureMap(node, "data"), key, textNode(wrapBase64(bytes)));
    else if (isUtf8(bytes)) setField(ensureMap(node, "data"), key, textNode(bytes.toString("utf8")));
    else setField(ensureMap(node, "binaryData"), key, textNode(wrapBase64(bytes)));
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
  for (const literal of entry.literals ?? []) pairs.push(readLiteral(readJsonText(literal), loader));
  for (const file of entry.files ?? []) pairs.push(readFileEntry(file, loader));
  const seen = new Set<string>();
  for (const { key } of pairs) {
    if (seen.has(key)) throw loader.fault("render-generator-data", key, `${name} gets the key ${key} twice`);
    seen.add(key);
  }
  return pairs;
}

function readLiteral(literal: string, loader: Loader): Pair {
  const at = literal.indexOf("=");
  if (at <= 0) {
    throw loader.fault("render-generator-data", literal, "a literal must be key=value");
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
  if (second === undefined)
    return { key: baseNameOf(first.replace(/\/+$/, "")), bytes: Buffer.from(loader.load(first).bytes) };
  if (first === "" || second === "") {
    throw loader.fault("render-generator-data", entry, `the file ${JSON.stringify(entry)} must be path or key=path`);
  }
  return { key: first, bytes: Buffer.from(loader.load(second).bytes) };
}

/** As kustomize: from the first line on that is longer than this, an env file is not read. */
const LONGEST_ENV_LINE = 64 * 1024;
// As Go: the byte order mark is no space, U+0085 is one.
const LEADING_SPACE = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

function readEnvFile(entry: string, loader: Loader): Pair[] {
  const { path, bytes } = loader.load(entry);
  const buffer = Buffer.from(bytes);
  const pairs: Pair[] = [];
  for (let at = 0, number = 1; at < buffer.length; number++) {
    const feed = buffer.indexOf(0x0a, at);
    const end = feed < 0 ? buffer.length : feed;
    if (end - at >= LONGEST_ENV_LINE) break;
    const raw = buffer.subarray(at, buffer[end - 1] === 0x0d && end > at ? end - 1 : end);
    at = end + 1;
    if (!isUtf8(raw)) throw loader.fault("render-generator-data", entry, `${path}:${number}: the line is not UTF-8`);
    let line = raw.toString("utf8");
    if (number === 1 && line.startsWith("\ufeff")) line = line.slice(1);
    line = line.replace(LEADING_SPACE, "");
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const key = equals < 0 ? line : line.slice(0, equals);
    // As kustomize: a line without a key counts as empty.
    if (key === "") continue;
    pairs.push({ key, bytes: Buffer.from(equals < 0 ? "" : line.slice(equals + 1)) });
  }
  return pairs;
}
