// Validators: transformers that may look at the objects and not change them.

import { renderError } from "../../errors.ts";
import { copyMap, isMapNode } from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { nodeKey } from "../resources/share.ts";
import type { Plugin } from "./plugins.ts";

/** The one label that a validator may add; it stays. */
const VALIDATED_BY = "validated-by";

interface Before {
  readonly idKey: string;
  readonly writes: number;
  readonly content: string;
}

/**
 * Runs a validator. Throws `render-plugin` when it wrote to an object.
 *
 * As kustomize: writing what is there already counts as a change, except where a replacement does it; and a label
 * `validated-by` may be added to an object whose file spells out no labels.
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

function stateOf({ idKey, writers, node }: Resource): Before {
  return { idKey, writes: writers.length, content: nodeKey(node) };
}

function isAsBefore(resource: Resource, before: Before | undefined, validator: Plugin): boolean {
  if (before === undefined || before.idKey !== resource.idKey) return false;
  if (validator.kind === "ReplacementTransformer") return nodeKey(resource.node) === before.content;
  if (validator.kind === "LabelTransformer" && !resource.labelsSpelled) return unmarked(resource) === before.content;
  return resource.writers.length === before.writes && unmarked(resource) === before.content;
}

/** The content without the label of validators, and without labels when it was the only one. */
function unmarked({ node, metadata, transformations }: Resource): string {
  const labels = metadata?.get("labels");
  if (!isMapNode(labels) || !labels.has(VALIDATED_BY)) return nodeKey(node);
  const others = copyMap(labels);
  others.delete(VALIDATED_BY);
  // As kustomize: its notes of transformations are annotations, which then stand behind the labels.
  if (others.size > 0 && transformations.length > 0) return "moved";
  const bare = copyMap(metadata!);
  // As kustomize: taking the label away sorts the others, and puts them behind everything else.
  bare.delete("labels");
  if (others.size > 0) bare.set("labels", new Map([...others].sort(([a], [b]) => (a < b ? -1 : 1))));
  return nodeKey(copyMap(node).set("metadata", bare));
}
