// Rewrites the names that objects use for one another after the objects were renamed.

import { renderError } from "../../errors.ts";
import type { FieldSpec } from "../kustomization/kustomization.ts";
import { contentKey, dataKey } from "../render-cache.ts";
import { describeId, effectiveNamespace, type GvkFilter, isClusterScoped, matchesGvk } from "../resources/identity.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeMap,
  Scalar,
  setField,
  stringNode,
  textOf,
  textOver,
} from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { walkFieldSpec } from "../transformers/field-walk.ts";
import { type NameReferenceSpec, SpecIndex } from "../transformers/transformer-config.ts";

interface Reference extends FieldSpec {
  readonly target: GvkFilter;
}

/** Follows every configured reference of every object. */
export function fixNameReferences(map: ResourceMap, specs: readonly NameReferenceSpec[]): void {
  const world: World = { renamed: indexByFormerName(map.resources), origins: new OriginIndex(map.resources) };
  const index = indexOfReferences(specs);
  const keys = new CandidateKeys(world);
  const textsKey = map.options.keepStates ? `references\n${dataKey(specs)}` : "";
  for (const referrer of map.resources) {
    const matching = index.matching(referrer.originalId);
    if (matching.length === 0) continue;
    refuseBlankNamespaces(referrer);
    let salt = "";
    if (map.options.keepStates) {
      salt = keys.of(referrer.fact(textsKey, () => textsAt(referrer, matching)));
      if (salt === "") continue;
    }
    map.edit(
      referrer,
      (own) => {
        let written = false;
        for (const reference of matching) if (new Fixer(own, reference, world).run()) written = true;
        return written;
      },
      salt,
    );
  }
}

const indexes = new WeakMap<readonly NameReferenceSpec[], SpecIndex<Reference>>();

function indexOfReferences(specs: readonly NameReferenceSpec[]): SpecIndex<Reference> {
  let index = indexes.get(specs);
  if (index === undefined) {
    index = new SpecIndex(
      specs.flatMap(({ fieldSpecs = [], ...target }) => fieldSpecs.map((spec) => ({ ...spec, target }))),
    );
    indexes.set(specs, index);
  }
  return index;
}

/** Every text where the references could stand; `undefined` when a map lacks the name that fixing will miss. */
function textsAt(referrer: Resource, references: readonly Reference[]): readonly string[] | undefined {
  const texts = new Set<string>();
  let incomplete = false;
  const note = (node: Node): void => {
    if (isListNode(node)) {
      if (node.some(isListNode)) incomplete = true;
      else node.forEach(note);
    } else if (isMapNode(node)) {
      const name = node.get("name");
      if (name === undefined) incomplete = true;
      else texts.add(rawText(name));
    } else if (!isNullNode(node)) texts.add(node.text);
  };
  for (const reference of references) walkFieldSpec(referrer, reference, { create: "nothing", dry: true }, note);
  return incomplete ? undefined : [...texts];
}

/** Texts that tell apart what could be chosen for a name, so that a choice made before can be known again. */
class CandidateKeys {
  private readonly renamed: World["renamed"];
  private readonly origins: OriginIndex;
  private readonly known = new Map<string, string>();

  constructor({ renamed, origins }: World) {
    this.renamed = renamed;
    this.origins = origins;
  }

  /** Empty when none of the texts is the former name of an object. */
  of(texts: readonly string[] | undefined): string {
    if (texts === undefined) return "incomplete";
    let key = "";
    // What a name becomes may be a former name in turn.
    const all = new Set(texts);
    for (const text of all) {
      const own = this.one(text);
      if (own === "") continue;
      key += `${text}\n${own}\n`;
      for (const candidate of this.renamed.get(text)?.all ?? []) all.add(candidate.name);
    }
    return key === "" ? "" : `${key}\n${this.origins.key}`;
  }

  private one(text: string): string {
    let key = this.known.get(text);
    if (key === undefined) {
      const keys = this.renamed.get(text)?.all.map((candidate) => candidate.fact("candidate", () => keyOf(candidate)));
      key = keys === undefined || keys.length < 4 ? (keys?.join("\n") ?? "") : contentKey(keys.join("\n"));
      this.known.set(text, key);
    }
    return key;
  }
}

function keyOf(candidate: Resource): string {
  const { prefixes, suffixes, allIds } = candidate;
  return JSON.stringify([allIds.map(describeId), prefixes, suffixes]);
}

function indexByFormerName(resources: readonly Resource[]): Map<string, Namesakes> {
  const index = new Map<string, Namesakes>();
  for (const resource of resources) {
    if (!resource.hasFormerNames) continue;
    for (const name of new Set(resource.formerIds.map((id) => id.name))) {
      let found = index.get(name);
      if (found === undefined) {
        found = new Namesakes();
        index.set(name, found);
      }
      found.add(resource);
    }
  }
  return index;
}

/** What references can lead to. */
interface World {
  /** Objects by every name that they have had. */
  readonly renamed: ReadonlyMap<string, Namesakes>;
  readonly origins: OriginIndex;
}

/** Objects that have had one name, in order. */
class Namesakes {
  readonly all: Resource[] = [];
  private readonly places = new Map<string, number[]>();

  add(resource: Resource): void {
    const place = this.all.push(resource) - 1;
    const namespace = isClusterScoped(resource.gvk) ? "" : effectiveNamespace(resource.currentId);
    const found = this.places.get(namespace);
    if (found === undefined) this.places.set(namespace, [place]);
    else found.push(place);
  }

  /** Those in the namespaces and those in none. */
  within(namespaces: ReadonlySet<string>): Resource[] {
    const places = ["", ...namespaces].flatMap((namespace) => this.places.get(namespace) ?? []);
    return places.sort((a, b) => a - b).map((place) => this.all[place]!);
  }
}

/** For every namespace that objects came from, where they are now. */
class OriginIndex {
  private readonly byOrigin = new Map<string, Map<string, { readonly resource: Resource }>>();
  private text: string | undefined;

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) {
      const origin = effectiveNamespace(resource.originalId);
      let places = this.byOrigin.get(origin);
      if (places === undefined) {
        places = new Map();
        this.byOrigin.set(origin, places);
      }
      // One object stands for all that are in the same place.
      const place = `${isClusterScoped(resource.gvk)}/${resource.namespace}`;
      if (!places.has(place)) places.set(place, { resource });
    }
  }

  /** Whether an object that came from the namespace is among those that `accepts` holds for. */
  has(origin: string, accepts: (resource: Resource) => boolean): boolean {
    for (const { resource } of this.byOrigin.get(origin)?.values() ?? []) if (accepts(resource)) return true;
    return false;
  }

  /** Equal for equal answers. */
  get key(): string {
    this.text ??= [...this.byOrigin]
      .map(([origin, places]) => `${origin}:${[...places.keys()].sort()}`)
      .sort()
      .join(" ");
    return this.text;
  }
}

class Fixer {
  private readonly referrer: Resource;
  private readonly reference: Reference;
  private readonly world: World;
  private written = false;

  constructor(referrer: Resource, reference: Reference, world: World) {
    this.referrer = referrer;
    this.reference = reference;
    this.world = world;
  }

  /** Answers whether something was written. */
  run(): boolean {
    walkFieldSpec(this.referrer, this.reference, { create: "nothing" }, (node, set) => this.fix(node, set));
    return this.written;
  }

  private fix(node: Node, set: (value: Node) => void): void {
    if (isNullNode(node)) return;
    if (isListNode(node)) {
      for (const [index, item] of node.entries()) {
        if (isListNode(item)) throw this.fault(`${this.reference.path} is a list of lists`);
        this.fix(item, (value) => {
          node[index] = value;
        });
      }
    } else if (isMapNode(node)) {
      this.fixMap(node);
    } else {
      const found = this.select(node.text, this.candidates(node.text), false);
      if (found === undefined || found.name === node.text) return;
      set(textOver(node, found.name));
      this.written = true;
    }
  }

  private fixMap(node: NodeMap): void {
    const nameNode = node.get("name");
    if (nameNode === undefined) {
      throw this.fault(`${this.reference.path} has no name to follow`);
    }
    const name = rawText(nameNode);
    const namespace = node.get("namespace");
    let candidates = this.candidates(name);
    if (namespace !== undefined) {
      const wanted = rawText(namespace);
      // As kustomize: whatever came from the namespace, renamed or not, lets former namespaces count alone.
      const isFormer = this.world.origins.has(wanted, this.reachable());
      candidates = candidates.filter((resource) => {
        return effectiveNamespace(isFormer ? resource.originalId : resource.currentId) === wanted;
      });
    }
    const found = this.select(name, candidates, true);
    if (found === undefined || (found.name === name && found.namespace === "")) return;
    this.written = true;
    setField(node, "name", stringNode(found.name));
    if (found.namespace !== "") setField(node, "namespace", stringNode(found.namespace));
  }

  private candidates(name: string): Resource[] {
    const known = this.world.renamed.get(name);
    if (known === undefined) return [];
    const referrerId = this.referrer.currentId;
    // Where many objects share a name, those out of reach are not even looked at.
    const near = isClusterScoped(referrerId)
      ? known.all
      : known.within(new Set([effectiveNamespace(referrerId), ...subjectNamespaces(this.referrer)]));
    return near.filter(this.reachable());
  }

  /** A cluster-scoped object may refer to anything, others to what is in their namespace or in none. */
  private reachable(): (resource: Resource) => boolean {
    const referrerId = this.referrer.currentId;
    if (isClusterScoped(referrerId)) return () => true;
    const own = effectiveNamespace(referrerId);
    const others = subjectNamespaces(this.referrer);
    return (resource) => {
      const id = resource.currentId;
      return isClusterScoped(id) || effectiveNamespace(id) === own || others.has(resource.namespace);
    };
  }

  private select(name: string, candidates: readonly Resource[], withNamespace: boolean): Resource | undefined {
    const { target } = this.reference;
    const roleRef = this.roleRefFilter();
    const clusterScoped = isClusterScoped(this.referrer.currentId);
    const own = effectiveNamespace(this.referrer.currentId);
    let found = candidates.filter((resource) => {
      const former = resource.formerIds;
      if (!former.some((id) => id.name === name) || !former.some((id) => matchesGvk(target, id))) return false;
      if (roleRef !== undefined && !former.some((id) => matchesGvk(roleRef, id))) return false;
      const id = resource.currentId;
      return clusterScoped || isClusterScoped(id) || id.kind === "ServiceAccount" || effectiveNamespace(id) === own;
    });
    if (found.length === 1) return found[0];
    found = found.filter((resource) => endAlike(this.referrer, resource, true));
    if (found.length > 1) found = found.filter((resource) => endAlike(this.referrer, resource, false));
    const [first] = found;
    if (found.length <= 1 || first === undefined) return first;
    const same = found.every(
      (resource) => resource.name === first.name && (!withNamespace || resource.namespace === first.namespace),
    );
    if (same) return first;
    const names = found.map((resource) => resource.describe()).join(", ");
    throw this.fault(`${this.reference.path} refers to ${name}, which could be any of ${names}`);
  }

  private roleRefFilter(): GvkFilter | undefined {
    if (this.reference.path?.endsWith("roleRef/name") !== true) return undefined;
    const roleRef = this.referrer.node.get("roleRef");
    if (!isMapNode(roleRef)) return undefined;
    const group = roleRef.get("apiGroup");
    const kind = roleRef.get("kind");
    // As kustomize: without one of the two, any role will do.
    if (group === undefined || kind === undefined) return undefined;
    return { group: rawText(group), kind: rawText(kind) };
  }

  private fault(what: string): Error {
    return renderError("render-reference", `${this.referrer.describe()}: ${what}`, {
      file: this.referrer.origin.file,
      line: this.referrer.origin.line,
      path: this.reference.path,
      object: this.referrer.describe(),
    });
  }
}

/** The text of a scalar as it is written, null included. */
function rawText(node: Node): string {
  return node instanceof Scalar ? node.text : "";
}

/** Throws `render-reference` where a subject's namespace is there without being text. */
function refuseBlankNamespaces(referrer: Resource): void {
  if (referrer.kind !== "RoleBinding" || isClusterScoped(referrer.gvk)) return;
  const subjects = referrer.node.get("subjects");
  if (!isListNode(subjects)) return;
  for (const [index, subject] of subjects.entries()) {
    if (!isMapNode(subject) || textOf(subject.get("kind")) !== "ServiceAccount") continue;
    const namespace = subject.get("namespace");
    if (namespace === undefined || (namespace instanceof Scalar && namespace.tag === "!!str")) continue;
    const path = `subjects[${index}].namespace`;
    throw renderError("render-reference", `${referrer.describe()}: ${path} is no text`, {
      file: referrer.origin.file,
      line: referrer.origin.line,
      path,
      object: referrer.describe(),
    });
  }
}

function subjectNamespaces(referrer: Resource): ReadonlySet<string> {
  const result = new Set<string>();
  if (referrer.kind !== "RoleBinding") return result;
  const subjects = referrer.node.get("subjects");
  if (!isListNode(subjects)) return result;
  for (const subject of subjects) {
    if (!isMapNode(subject) || textOf(subject.get("kind")) !== "ServiceAccount") continue;
    const namespace = textOf(subject.get("namespace"));
    if (namespace !== undefined && namespace !== "") result.add(namespace);
  }
  return result;
}

function endAlike(a: Resource, b: Resource, emptyMatches: boolean): boolean {
  return sameEnding(a.prefixes, b.prefixes, emptyMatches) && sameEnding(a.suffixes, b.suffixes, emptyMatches);
}

function sameEnding(a: readonly string[], b: readonly string[], emptyMatches: boolean): boolean {
  if (a.length === 0 || b.length === 0) return emptyMatches || a.length === b.length;
  const length = Math.min(a.length, b.length);
  for (let i = 1; i <= length; i++) if (a[a.length - i] !== b[b.length - i]) return false;
  return true;
}
