// Validators: transformers that may look at the objects and not change them.

import { renderError } from "../errors.ts";
import { isMapNode } from "./node.ts";
import type { Plugin } from "./plugins.ts";
import type { Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { nodeKey } from "./share.ts";

/** The one label that a validator may add; it stays. */
const VALIDATED_BY = "validated-by";

interface Before {
  readonly idKey: string;
  readonly writes: number;
  readonly content: string;
  readonly hadLabels: boolean;
}

/**
 * Runs a validator. Throws `render-plugin` when it wrote to an object.
 *
 * As kustomize: writing what is there already counts as a change, except where a replacement does it; and a label
 * `validated-by` may be added to an object that has no labels.
 */
export function runValidator(map: ResourceMap, validator: Plugin, run: () => void): void {
  const before = map.resources.map(stateOf);
  run();
  const changed = map.resources.findIndex((resource, index) => !isAsBefore(resource, before[index], validator));
  if (changed < 0 && map.resources.length === before.length) return;
  const object = map.resources[changed]?.describe();
  const what = `the validator ${validator.kind} ${validator.name} changes ${object ?? "the list of objects"}`;
  throw renderError("render-plugin", what, { file: validator.file, line: validator.line, object });
}

function stateOf(resource: Resource): Before {
  const { idKey, writers, node, metadata } = resource;
  return { idKey, writes: writers.length, content: nodeKey(node), hadLabels: metadata?.has("labels") === true };
}

function isAsBefore(resource: Resource, before: Before | undefined, validator: Plugin): boolean {
  if (before === undefined || before.idKey !== resource.idKey) return false;
  const labels = resource.metadata?.get("labels");
  if (isMapNode(labels) && labels.has(VALIDATED_BY)) {
    return !before.hadLabels && labels.size === 1 && contentWithoutLabels(resource) === before.content;
  }
  if (validator.kind === "ReplacementTransformer") return nodeKey(resource.node) === before.content;
  return resource.writers.length === before.writes;
}

function contentWithoutLabels({ node, metadata }: Resource): string {
  const bare = new Map(metadata);
  bare.delete("labels");
  return nodeKey(new Map(node).set("metadata", bare));
}
