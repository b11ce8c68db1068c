// Choosing objects by a selector: anchored regular expressions and Kubernetes' selectors.

import { matchesRequirements, parseLabelSelector } from "../../../kube/selectors.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { renderError } from "../../errors.ts";
import type { Selector } from "../kustomization/kustomization.ts";
import { effectiveNamespace, type ResourceId } from "./identity.ts";
import { compileAnchored, type Matcher } from "./regex.ts";
import type { Resource } from "./resource.ts";

type Predicate = (resource: Resource) => boolean;

/** The objects that a selector covers, by their original or present name and namespace, in order. */
export function selectResources(resources: readonly Resource[], selector: Selector): Resource[] {
  const name = part(selector.name);
  const namespace = part(selector.namespace);
  const group = part(selector.group);
  const version = part(selector.version);
  const kind = part(selector.kind);
  const labels = byPairs("labels", selector.labelSelector);
  const annotations = byPairs("annotations", selector.annotationSelector);
  return resources.filter((resource) => {
    const current = resource.currentId;
    if (kind !== undefined && !kind(current.kind)) return false;
    if (group !== undefined && !group(current.group)) return false;
    if (version !== undefined && !version(current.version)) return false;
    const original = resource.hasFormerNames ? resource.originalId : current;
    if (namespace !== undefined && !inNamespace(namespace, original) && !inNamespace(namespace, current)) return false;
    if (name !== undefined && !name(current.name)) {
      if (original.name === current.name || !name(original.name)) return false;
    }
    return (labels === undefined || labels(resource)) && (annotations === undefined || annotations(resource));
  });
}

function inNamespace(matcher: Matcher, id: ResourceId): boolean {
  return matcher(effectiveNamespace(id));
}

function part(pattern: string | undefined): Matcher | undefined {
  return pattern === undefined || pattern === "" ? undefined : compileAnchored(pattern);
}

// As kustomize: the selector is only read once an object fits in all else.
function byPairs(field: "labels" | "annotations", text: string | undefined): Predicate | undefined {
  if (text === undefined || text === "") return undefined;
  let requirements: ReturnType<typeof parseLabelSelector> | undefined;
  return (resource) => {
    // As kustomize: a selector is read when the first object asks for it, and may be anything when none does.
    requirements ??= parsePairs(field, text);
    return matchesRequirements(requirements, Object.fromEntries(resource.stringMap(field)));
  };
}

function parsePairs(field: "labels" | "annotations", text: string): ReturnType<typeof parseLabelSelector> {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    const what = `${JSON.stringify(text)} is no valid ${field === "labels" ? "label" : "annotation"} selector: ${messageOf(error)}`;
    throw renderError("render-selector", what, { field: text, cause: error });
  }
}

/** Exact comparison with what a selector spells out; empty parts match all, and no namespace is `default`. */
export function matchesExactly(id: ResourceId, selector: Selector): boolean {
  return (
    isEqualOrOpen(selector.group, id.group) &&
    isEqualOrOpen(selector.version, id.version) &&
    isEqualOrOpen(selector.kind, id.kind) &&
    isEqualOrOpen(selector.name, id.name) &&
    (selector.namespace === undefined ||
      selector.namespace === "" ||
      (selector.namespace || "default") === (id.namespace || "default"))
  );
}

function isEqualOrOpen(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === "" || wanted === found;
}

/**
 * A predicate for the targets of replacements: the regular expressions hold for one id that the object has or had. As
 * kustomize: the present namespace counts as written, former ones as effective; and an object is rejected for its ids or
 * for its labels and annotations, each alone being enough.
 */
export function selectsTarget(select: Selector, rejects: readonly Selector[]): Predicate {
  const matchesIds = byIds(select);
  const matchesPairs = byAllPairs(select);
  const rejectIds = rejects.filter(hasIdParts).map(byIds);
  const rejectPairs = rejects.filter(hasPairs).map(byAllPairs);
  return (resource) =>
    matchesPairs(resource) &&
    !rejectPairs.some((rejected) => rejected(resource)) &&
    !rejectIds.some((rejected) => rejected(resource)) &&
    matchesIds(resource);
}

function hasIdParts({ group, version, kind, name, namespace }: Selector): boolean {
  return Boolean(group || version || kind || name || namespace);
}

function hasPairs({ labelSelector, annotationSelector }: Selector): boolean {
  return Boolean(labelSelector || annotationSelector);
}

function byAllPairs(selector: Selector): Predicate {
  const labels = byPairs("labels", selector.labelSelector);
  const annotations = byPairs("annotations", selector.annotationSelector);
  return (resource) => (labels?.(resource) ?? true) && (annotations?.(resource) ?? true);
}

function byIds(selector: Selector): Predicate {
  const name = part(selector.name);
  const namespace = part(selector.namespace);
  const group = part(selector.group);
  const version = part(selector.version);
  const kind = part(selector.kind);
  return (resource) =>
    resource.allIds.some(
      (id) =>
        (kind?.(id.kind) ?? true) &&
        (group?.(id.group) ?? true) &&
        (version?.(id.version) ?? true) &&
        (name?.(id.name) ?? true) &&
        (namespace?.(id.namespace) ?? true),
    );
}
