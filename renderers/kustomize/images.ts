// The images transformer: new names, tags and digests for container images.

import { AppError } from "../../runtime/errors.ts";
import { nodeKindFault, walkFieldSpec } from "./field-walk.ts";
import type { FieldSpec, ImageEntry } from "./kustomization.ts";
import { isListNode, isMapNode, isNullNode, type Node, type NodeMap, Scalar } from "./node.ts";
import { compilePattern, type Matcher } from "./regex.ts";
import type { Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { SpecIndex } from "./transformer-config.ts";

/** Rewrites every image that the entry's name matches. */
export function setImages(map: ResourceMap, entry: ImageEntry, specs: readonly FieldSpec[]): void {
  // As kustomize: the name is a regular expression, and a tag may be a placeholder in braces.
  const matches = imagePattern(entry.name ?? "");
  const index = new SpecIndex(specs);
  for (const resource of map.resources) {
    if (resource.kind === "CustomResourceDefinition") continue;
    map.edit(resource, (own) => setImagesOf(own, entry, matches, index));
  }
}

// As kustomize: alternatives at the top of the name are not held together, and one that is no pattern matches nothing.
function imagePattern(name: string): Matcher {
  const tag = "[a-zA-Z0-9_.{}-]*";
  try {
    return compilePattern(`^${name}(:${tag})?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:${tag})?$`);
  } catch (error) {
    if (error instanceof AppError) return () => false;
    throw error;
  }
}

function setImagesOf(resource: Resource, entry: ImageEntry, matches: Matcher, index: SpecIndex<FieldSpec>): boolean {
  let written = rewriteContainers(resource, resource.node, matches, entry);
  for (const spec of index.matching(resource.gvk)) {
    walkFieldSpec(resource, spec, { create: "nothing" }, (node, set) => {
      const image = rewrite(resource, node, spec.path ?? "", matches, entry);
      if (image === undefined) return;
      set(image);
      written = true;
    });
  }
  return written;
}

// The older pass: containers and initContainers wherever they are, so that custom resources are covered too.
function rewriteContainers(resource: Resource, node: Node, matches: Matcher, entry: ImageEntry): boolean {
  if (node instanceof Scalar) return false;
  let written = false;
  if (isListNode(node)) {
    for (const item of node) if (rewriteContainers(resource, item, matches, entry)) written = true;
    return written;
  }
  for (const [key, value] of node) {
    if (value instanceof Scalar) continue;
    if (rewriteContainers(resource, value, matches, entry)) written = true;
    if ((key !== "containers" && key !== "initContainers") || !isListNode(value)) continue;
    for (const container of value) {
      if (isNullNode(container)) continue;
      if (!isMapNode(container)) throw nodeKindFault(resource, key, container, "a list of maps");
      if (rewriteContainer(resource, container, key, matches, entry)) written = true;
    }
  }
  return written;
}

function rewriteContainer(
  resource: Resource,
  node: NodeMap,
  key: string,
  matches: Matcher,
  entry: ImageEntry,
): boolean {
  const image = node.get("image");
  if (image === undefined) return false;
  const changed = rewrite(resource, image, `${key}.image`, matches, entry);
  if (changed !== undefined) node.set("image", changed);
  return changed !== undefined;
}

function rewrite(resource: Resource, node: Node, path: string, matches: Matcher, entry: ImageEntry): Node | undefined {
  if (!(node instanceof Scalar)) throw nodeKindFault(resource, path, node, "a scalar");
  if (!matches(node.text)) return undefined;
  const image = rename(node.text, entry);
  return image === node.text ? undefined : new Scalar("!!str", image);
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
