// What kustomize notes in annotations while it builds, where a patch can see it or drive it out.

import type { Resource } from "./resource.ts";

const PREFIX = "internal.config.kubernetes.io/";

/** The annotations that an object has at this point of a build beside its own. */
export function internalAnnotations(resource: Resource): Map<string, string> {
  const notes = new Map<string, string>();
  const former = resource.formerIds;
  if (former.length > 0) {
    notes.set(`${PREFIX}previousKinds`, former.map(({ kind }) => kind).join(","));
    notes.set(`${PREFIX}previousNames`, former.map(({ name }) => name).join(","));
    notes.set(`${PREFIX}previousNamespaces`, former.map(({ namespace }) => namespace).join(","));
  }
  if (resource.prefixes.length > 0) notes.set(`${PREFIX}prefixes`, resource.prefixes.join(","));
  if (resource.suffixes.length > 0) notes.set(`${PREFIX}suffixes`, resource.suffixes.join(","));
  if (resource.behavior !== undefined) notes.set(`${PREFIX}generatorBehavior`, resource.behavior);
  if (resource.needsHash) notes.set(`${PREFIX}needsHashSuffix`, "enabled");
  return notes;
}
