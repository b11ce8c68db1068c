// The images transformer: new names, tags and digests for container images.

import { AppError } from "../../../runtime/errors.ts";
import type { FieldSpec, ImageEntry } from "../kustomization/kustomization.ts";
import { dataKey } from "../render-cache.ts";
import { isListNode, isMapNode, isNullNode, type Node, Scalar, textOver } from "../resources/node.ts";
import { compilePattern, type Matcher } from "../resources/regex.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { nodeKindFault, splitFieldPath, walkFieldSpec } from "./field-walk.ts";
import { indexOfSpecs, type SpecIndex } from "./transformer-config.ts";

/**
 * Rewrites every image that the entry's name matches. With `isOneOfMany` the images of each object are listed once for
 * all entries, which costs more than it saves for one.
 */
export function setImages(
  map: ResourceMap,
  entry: ImageEntry,
  specs: readonly FieldSpec[],
  isOneOfMany: boolean,
): void {
  const matches = imagePattern(entry.name ?? "");
  const index = indexOfSpecs(specs);
  const factKey = `images\n${dataKey(specs)}`;
  // What is remembered of an object serves later builds, too.
  const isListed = isOneOfMany || map.options.keepStates;
  for (const resource of map.resources) {
    if (resource.kind === "CustomResourceDefinition") continue;
    if (isListed) {
      const { texts, hasNullList } = resource.fact(factKey, () => imagesOf(resource, index));
      if (!hasNullList && !texts.some(matches)) continue;
    }
    map.edit(resource, (own) => setImagesOf(own, entry, matches, index));
  }
}

interface Images {
  readonly texts: readonly string[];
  /** Whether a null stands where a spec says list: it becomes an empty list by any entry. */
  readonly hasNullList: boolean;
}

function imagesOf(resource: Resource, index: SpecIndex<FieldSpec>): Images {
  const texts = new Set<string>();
  visitImages(resource, index, true, (node) => texts.add(node.text));
  const lists = index.matching(resource.gvk).flatMap(({ path = "" }) => {
    return splitFieldPath(path).flatMap((part) => (part.endsWith("[]") ? [part.slice(0, -2)] : []));
  });
  return { texts: [...texts], hasNullList: hasNull(resource.node, new Set(lists)) };
}

function hasNull(node: Node, keys: ReadonlySet<string>): boolean {
  if (isListNode(node)) return node.some((item) => hasNull(item, keys));
  if (!isMapNode(node)) return false;
  for (const [key, value] of node) if (isNullNode(value) ? keys.has(key) : hasNull(value, keys)) return true;
  return false;
}

// As kustomize: alternatives at the top of the name are not held together, and one that is no pattern matches nothing.
function imagePattern(name: string): Matcher {
  const tag = "[a-zA-Z0-9_.{}-]*";
  try {
    const matches = compilePattern(`^${name}(:${tag})?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:${tag})?$`);
    // Most images do not begin as the name does; that is soon seen.
    const start = name.includes("|") ? "" : literalStart(name);
    return (text) => text.startsWith(start) && matches(text);
  } catch (error) {
    if (error instanceof AppError) return () => false;
    throw error;
  }
}

function literalStart(pattern: string): string {
  const [start = ""] = /^[\w/-]*/.exec(pattern) ?? [];
  // The last character may be repeated or absent.
  return /[?*{]/.test(pattern[start.length] ?? "") ? start.slice(0, -1) : start;
}

function setImagesOf(resource: Resource, entry: ImageEntry, matches: Matcher, index: SpecIndex<FieldSpec>): boolean {
  let written = false;
  visitImages(resource, index, false, (node, set) => {
    if (!matches(node.text)) return;
    const image = rename(node.text, entry);
    if (image === node.text) return;
    set(textOver(node, image));
    written = true;
  });
  return written;
}

type VisitImage = (node: Scalar, set: (value: Scalar) => void) => void;

/** Visits what can be an image; one may be visited twice. Throws `render-node-kind` for what can be none. */
function visitImages(resource: Resource, index: SpecIndex<FieldSpec>, dry: boolean, visit: VisitImage): void {
  visitContainers(resource, resource.node, visit);
  for (const spec of index.matching(resource.gvk)) {
    walkFieldSpec(resource, spec, { create: "nothing", dry }, (node, set) => {
      visit(scalarOf(resource, node, spec.path ?? ""), set);
    });
  }
}

// The older pass: containers and initContainers wherever they are, so that custom resources are covered too.
function visitContainers(resource: Resource, node: Node, visit: VisitImage): void {
  if (node instanceof Scalar) return;
  if (isListNode(node)) {
    for (const item of node) visitContainers(resource, item, visit);
    return;
  }
  for (const [key, value] of node) {
    if (value instanceof Scalar) continue;
    visitContainers(resource, value, visit);
    if ((key !== "containers" && key !== "initContainers") || !isListNode(value)) continue;
    for (const container of value) {
      if (isNullNode(container)) continue;
      if (!isMapNode(container)) throw nodeKindFault(resource, key, container, "a list of maps");
      const image = container.get("image");
      if (image === undefined) continue;
      visit(scalarOf(resource, image, `${key}.image`), (changed) => container.set("image", changed));
    }
  }
}

function scalarOf(resource: Resource, node: Node, path: string): Scalar {
  if (node instanceof Scalar) return node;
  throw nodeKindFault(resource, path, node, "a scalar");
}

/** The image with what the entry sets. A new tag drops the digest and a new digest the tag, unless both are given. */
export function rename(image: string, entry: ImageEntry): string {
  let { name, tag, digest } = splitImage(image);
  if (entry.newName) name = entry.newName;
  if (entry.newTag && entry.digest) {
    tag = entry.newTag;
    digest = entry.digest;
  } else if (entry.newTag) {
    tag = entry.newTag;
    digest = "";
  } else if (entry.digest) {
    tag = "";
    digest = entry.digest;
  } else if (entry.tagSuffix) {
    tag += entry.tagSuffix;
    digest = "";
  }
  return name + (tag === "" ? "" : `:${tag}`) + (digest === "" ? "" : `@${digest}`);
}

/** Takes an image apart; the port of a registry is part of the name. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const slash = Math.max(image.indexOf("/"), 0);
  const at = image.indexOf("@", slash);
  const colon = image.indexOf(":", slash);
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: "", digest: image.slice(at + 1) };
  if (colon < 0) return { name: image, tag: "", digest: "" };
  if (at < 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: "" };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
}
