// A folder of manifests without a kustomization: every YAML and JSON file, in the order of their paths.

import { isObject, type KubeObject } from "../kube/object.ts";
import { parseYamlDocuments } from "../kube/yaml.ts";
import type { SourceTree } from "../sources/tree.ts";
import { renderError, wrapYamlError } from "./errors.ts";
import { type IgnoreRule, isIgnored, parseIgnoreFile } from "./ignore.ts";
import { joinPath, PathResolver, parentOf } from "./paths.ts";
import type { ObjectOrigin, RenderedObject, RenderResult, RenderWarning } from "./rendered.ts";

export interface PlainOptions {
  /** Objects in all. Default 50 000. */
  readonly maxObjects?: number | undefined;
  /** Bytes of one file. Default 16 MiB. */
  readonly maxFileBytes?: number | undefined;
  /** Takes over a folder: its objects instead of its files. */
  readonly renderFolder?: ((path: string) => RenderResult | undefined) | undefined;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;
/** What a repository expects of outcomes: no object of any cluster. */
const FLEET_TEST = /\.fleet\.ya?ml$/i;
const IGNORE_FILE = ".sourceignore";
const MAX_DEPTH = 64;
const KUSTOMIZE_GROUP = "kustomize.config.k8s.io/";

/**
 * Reads every manifest under a folder. Names that start with a dot, fleet tests (`*.fleet.yaml`) and what
 * `.sourceignore` lists are left out; lists are taken apart. Throws `render-yaml-invalid`, `render-invalid-resource` or `render-duplicate-id` with file and line.
 */
export function renderPlain(tree: SourceTree, path: string, options: PlainOptions = {}): RenderResult {
  const normal = joinPath("", path);
  const resolver = new PathResolver(tree);
  const found = normal === undefined ? undefined : resolver.resolve(normal);
  if (normal === undefined || found === undefined || found.type === "outside") {
    throw renderError("render-outside-root", `${path} leads out of the source`, { file: path });
  }
  if (found.type === "missing") {
    throw renderError("render-missing-directory", `there is no folder ${path || "."} in the source`, { file: path });
  }
  const reader = new PlainReader(tree, resolver, options);
  if (found.type === "file") reader.readFile(found.path);
  else reader.readFolder(found.path, rulesAbove(tree, found.path), 0);
  if (reader.objects.length === 0) {
    reader.warnings.push({ code: "nothing-rendered", message: `${path || "."} holds no objects`, file: path });
  }
  return { objects: reader.objects, warnings: reader.warnings };
}

class PlainReader {
  readonly objects: RenderedObject[] = [];
  readonly warnings: RenderWarning[] = [];
  private readonly tree: SourceTree;
  private readonly resolver: PathResolver;
  private readonly options: PlainOptions;
  private readonly seen = new Map<string, ObjectOrigin>();
  private readonly folders = new Set<string>();

  constructor(tree: SourceTree, resolver: PathResolver, options: PlainOptions) {
    this.tree = tree;
    this.resolver = resolver;
    this.options = options;
  }

  readFolder(folder: string, above: readonly IgnoreRule[], depth: number): void {
    if (depth > MAX_DEPTH) throw renderError("render-too-large", `${folder} is nested too deeply`, { file: folder });
    // Links may lead to one folder twice, or round in a circle.
    if (this.folders.has(folder)) return;
    this.folders.add(folder);
    const taken = depth > 0 ? this.options.renderFolder?.(folder) : undefined;
    if (taken !== undefined) {
      for (const { object, origin } of taken.objects) this.add(object, origin);
      this.warnings.push(...taken.warnings);
      return;
    }
    const rules = [...above, ...rulesIn(this.tree, folder)];
    for (const { name } of this.tree.list(folder) ?? []) {
      if (name.startsWith(".")) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const resolved = this.resolver.resolve(path);
      if (resolved.type === "outside") {
        throw renderError("render-outside-root", `${path} leads out of the source`, { file: path });
      }
      if (resolved.type === "missing" || isIgnored(rules, path, resolved.type === "directory")) continue;
      if (resolved.type === "directory") this.readFolder(resolved.path, rules, depth + 1);
      else if (MANIFEST.test(name) && !FLEET_TEST.test(name)) this.readFile(resolved.path);
    }
  }

  readFile(file: string): void {
    for (const { value, line } of this.parse(file)) this.addDocument(value, { file, line });
  }

  private parse(file: string): readonly { readonly value: unknown; readonly line: number }[] {
    const bytes = this.tree.read(file);
    if (bytes === undefined) throw renderError("render-missing-file", `${file} cannot be read`, { file });
    const limit = this.options.maxFileBytes ?? 16 * 1024 * 1024;
    if (bytes.length > limit) {
      throw renderError("render-too-large", `the file has ${bytes.length} bytes, more than ${limit}`, { file });
    }
    try {
      return parseYamlDocuments(decode(bytes, file), { file });
    } catch (error) {
      throw wrapYamlError(error, "render-yaml-invalid", file);
    }
  }

  private addDocument(value: unknown, origin: ObjectOrigin): void {
    if (value === null) return;
    if (!isObject(value)) throw invalid("a document must be a map of fields", origin);
    const kind = value["kind"];
    if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(value["items"])) {
      for (const item of value["items"]) this.addDocument(item, origin);
      return;
    }
    this.add(value, origin);
  }

  private add(object: Record<string, unknown>, origin: ObjectOrigin): void {
    const { kind, apiVersion, metadata } = object;
    if (typeof kind !== "string" || kind === "") throw invalid("the object has no kind", origin, "kind");
    if (typeof apiVersion !== "string" || apiVersion === "") {
      throw invalid(`the ${kind} has no apiVersion`, origin, "apiVersion");
    }
    // A kustomization that is read as plain is a recipe and not an object of any cluster.
    if (apiVersion.startsWith(KUSTOMIZE_GROUP)) {
      this.warnings.push({
        code: "ignored-kustomization",
        message: `${origin.file} is a ${kind} and was left out`,
        file: origin.file,
      });
      return;
    }
    const name = isObject(metadata) ? metadata["name"] : undefined;
    const begins = isObject(metadata) ? metadata["generateName"] : undefined;
    const isGenerated = (name === undefined || name === "") && typeof begins === "string" && begins !== "";
    if (!isGenerated && (typeof name !== "string" || name === "")) {
      const hint = name === undefined || name === "" ? "" : `; ${JSON.stringify(name)} is no text, put it in quotes`;
      throw invalid(`the ${kind} has no metadata.name${hint}`, origin, "metadata.name");
    }
    const namespace = isObject(metadata) && typeof metadata["namespace"] === "string" ? metadata["namespace"] : "";
    // What gets its names later may be there several times.
    if (!isGenerated) this.claim(`${apiVersion} ${kind} ${namespace === "" ? name : `${namespace}/${name}`}`, origin);
    // The fields of KubeObject are checked above.
    this.objects.push({ object: object as KubeObject, origin });
    const limit = this.options.maxObjects ?? 50_000;
    if (this.objects.length > limit)
      throw renderError("render-too-large", `there are more than ${limit} objects`, origin);
  }

  private claim(id: string, origin: ObjectOrigin): void {
    const other = this.seen.get(id);
    if (other !== undefined) {
      const place = other.line === undefined ? other.file : `${other.file}:${other.line}`;
      throw renderError("render-duplicate-id", `${id} is there already, from ${place}`, { ...origin, object: id });
    }
    this.seen.set(id, origin);
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw renderError("render-yaml-invalid", "the file is not UTF-8 text", { file, cause });
  }
}

function rulesIn(tree: SourceTree, folder: string): IgnoreRule[] {
  const bytes = tree.read(folder === "" ? IGNORE_FILE : `${folder}/${IGNORE_FILE}`);
  return bytes === undefined ? [] : parseIgnoreFile(new TextDecoder().decode(bytes), folder);
}

function rulesAbove(tree: SourceTree, folder: string): IgnoreRule[] {
  if (folder === "") return [];
  const parent = parentOf(folder);
  return [...rulesAbove(tree, parent), ...rulesIn(tree, parent)];
}

function invalid(what: string, origin: ObjectOrigin, path?: string): Error {
  return renderError("render-invalid-resource", what, { file: origin.file, line: origin.line, path });
}
