// One object on its way through a build, with the names it has had.

import type { ObjectOrigin, Writer } from "../../rendered.ts";
import { type FieldWriters, recordWriter } from "./field-writers.ts";
import { describeId, effectiveNamespace, type Gvk, gvkFrom, hasOwnScopes, idKey, type ResourceId } from "./identity.ts";
import { followLinks, linkedPlaces } from "./linked-scalars.ts";
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
} from "./node.ts";
import { shareNodes } from "./share.ts";

export type GeneratorBehavior = "unspecified" | "create" | "replace" | "merge";

interface FormerName {
  readonly name: string;
  /** The effective one. */
  readonly namespace: string;
  readonly kind: string;
}

/** What made or changed an object, as `buildMetadata` writes it. */
export interface BuildStep {
  readonly path?: string;
  readonly repo?: string;
  readonly ref?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

/** What ids are made of. Scalars are immutable, so the same ones still mean the same. */
export interface Identity {
  readonly apiVersion: Node | undefined;
  readonly kind: Node | undefined;
  readonly name: Node | undefined;
  readonly namespace: Node | undefined;
  readonly renames: number;
}

/** Changes its object and answers whether anything was written that a user can see (only `false` counts as no). */
export type Change = (own: Resource) => unknown;

const NO_IDS: readonly ResourceId[] = [];

/** Edits that one state remembers: as many overlays of one base as people have, and some commits of each. */
const MAX_EDITS = 16;

/**
 * A state of an object. One that is finished never changes again: it is shared between builds, and remembers what
 * follows from it. All changes go through `ResourceMap.edit`.
 */
export class Resource {
  node: NodeMap;
  readonly origin: ObjectOrigin;
  /** Only of objects that a generator made. */
  behavior: GeneratorBehavior | undefined;
  needsHash = false;
  /** Whether values of the object may be linked (see `linked-scalars.ts`). */
  hasLinks = false;
  /** Variables that take their value from this object. */
  varNames: string[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];
  step: BuildStep | undefined;
  transformations: BuildStep[] = [];
  /** The steps that changed the object, in order. */
  writers: Writer[] = [];
  fieldWriters: FieldWriters | undefined;
  /** Whether the change that led here touched what ids are made of. */
  isRenamed = false;
  /** Whether a file spells out labels that the object has: its own, or one that they were copied from. */
  labelsSpelled: boolean;
  /** Made by Helm, which has put it into its namespace already. */
  fromHelm = false;
  private finished = false;
  // Of finished states, where everything asks for them.
  private knownIdKey: string | undefined;
  private knownId: ResourceId | undefined;
  private knownFormerIds: readonly ResourceId[] | undefined;
  private facts: Map<string, unknown> | undefined;
  private edits: Map<string, Resource> | undefined;
  private former: FormerName[] = [];
  private knownGvk:
    | { readonly apiVersion: Node | undefined; readonly kind: Node | undefined; readonly gvk: Gvk }
    | undefined;

  constructor(node: NodeMap, origin: ObjectOrigin) {
    this.node = node;
    this.origin = origin;
    this.labelsSpelled = origin.line !== undefined && this.metadata?.has("labels") === true;
  }

  get apiVersion(): string {
    return textOf(this.node.get("apiVersion")) ?? "";
  }

  get kind(): string {
    return textOf(this.node.get("kind")) ?? "";
  }

  get name(): string {
    return textOf(this.metadata?.get("name")) ?? "";
  }

  get namespace(): string {
    return textOf(this.metadata?.get("namespace")) ?? "";
  }

  get metadata(): NodeMap | undefined {
    const metadata = this.node.get("metadata");
    return isMapNode(metadata) ? metadata : undefined;
  }

  get gvk(): Gvk {
    const apiVersion = this.node.get("apiVersion");
    const kind = this.node.get("kind");
    const known = this.knownGvk;
    // Scalars are immutable, so the same scalars still mean the same.
    if (known !== undefined && known.apiVersion === apiVersion && known.kind === kind) return known.gvk;
    const gvk = gvkFrom(this.apiVersion, this.kind);
    this.knownGvk = { apiVersion, kind, gvk };
    return gvk;
  }

  /** True when patches have deleted everything. */
  get isEmpty(): boolean {
    return this.node.size === 0;
  }

  get currentId(): ResourceId {
    if (this.knownId !== undefined) return this.knownId;
    const { group, version, kind } = this.gvk;
    const id = { group, version, kind, name: this.name, namespace: this.namespace };
    if (this.finished) this.knownId = id;
    return id;
  }

  /** Equal for objects that cannot stand side by side. */
  get idKey(): string {
    if (!this.finished || hasOwnScopes()) return idKey(this.currentId);
    this.knownIdKey ??= idKey(this.currentId);
    return this.knownIdKey;
  }

  get identity(): Identity {
    const metadata = this.metadata;
    return {
      apiVersion: this.node.get("apiVersion"),
      kind: this.node.get("kind"),
      name: metadata?.get("name"),
      namespace: metadata?.get("namespace"),
      renames: this.former.length,
    };
  }

  hasIdentity(identity: Identity): boolean {
    const metadata = this.metadata;
    return (
      this.former.length === identity.renames &&
      metadata?.get("name") === identity.name &&
      metadata?.get("namespace") === identity.namespace &&
      this.node.get("kind") === identity.kind &&
      this.node.get("apiVersion") === identity.apiVersion
    );
  }

  /** From now on this state stays as it is. */
  finish(): this {
    this.finished = true;
    return this;
  }

  /** Something that follows from the state alone; worked out once for a state. */
  fact<T>(name: string, find: () => T): T {
    this.facts ??= new Map();
    let fact = this.facts.get(name);
    if (fact === undefined && !this.facts.has(name)) {
      fact = find();
      this.facts.set(name, fact);
    }
    // Each name stands for one type, by the one place that asks for it.
    return fact as T;
  }

  /** The state after a change, finished, which shares with this one what stayed. */
  edited(change: Change, writer: Writer | undefined, notesFields: boolean): Resource {
    const own = this.clone();
    const written = own.changed(change);
    // Equal maps give a map.
    own.node = shareNodes(this.node, own.node) as NodeMap;
    own.isRenamed = !own.hasIdentity(this.identity);
    if (written !== false && writer !== undefined) {
      own.writers.push(writer);
      if (notesFields) own.fieldWriters = recordWriter(own.fieldWriters, this.node, own.node, writer);
    }
    return own.finish();
  }

  /** Runs a change; answers what it does. */
  changed(change: Change): unknown {
    const places = this.hasLinks ? linkedPlaces(this.node) : undefined;
    const written = change(this);
    if (places !== undefined && this.hasLinks) followLinks(places);
    this.facts = undefined;
    return written;
  }

  knownEdit(key: string): Resource | undefined {
    return this.edits?.get(key);
  }

  rememberEdit(key: string, next: Resource): void {
    this.edits ??= new Map();
    const oldest = this.edits.size >= MAX_EDITS ? this.edits.keys().next().value : undefined;
    if (oldest !== undefined) this.edits.delete(oldest);
    this.edits.set(key, next);
  }

  /** Every earlier id, oldest first; group and version are the present ones. */
  get formerIds(): readonly ResourceId[] {
    if (this.former.length === 0) return NO_IDS;
    if (this.knownFormerIds !== undefined) return this.knownFormerIds;
    const { group, version } = this.gvk;
    const ids = this.former.map(({ kind, name, namespace }) => ({ group, version, kind, name, namespace }));
    if (this.finished) this.knownFormerIds = ids;
    return ids;
  }

  get hasFormerNames(): boolean {
    return this.former.length > 0;
  }

  get originalId(): ResourceId {
    return this.former.length === 0 ? this.currentId : this.formerIds[0]!;
  }

  get allIds(): readonly ResourceId[] {
    return [...this.formerIds, this.currentId];
  }

  rememberName(): void {
    const { name, kind } = this;
    this.former.push({ name, namespace: effectiveNamespace(this.currentId), kind });
  }

  setName(name: string): void {
    setField(ensureMap(this.node, "metadata"), "name", stringNode(name));
  }

  setNamespace(namespace: string): void {
    const metadata = ensureMap(this.node, "metadata");
    if (namespace === "") metadata.delete("namespace");
    else setField(metadata, "namespace", stringNode(namespace));
  }

  setKind(kind: string): void {
    this.node.set("kind", stringNode(kind));
  }

  /** Labels or annotations as texts. As kustomize: a null is the text it is written with, a map or list is empty. */
  stringMap(field: "labels" | "annotations"): Map<string, string> {
    const result = new Map<string, string>();
    const map = this.metadata?.get(field);
    if (isMapNode(map)) for (const [key, value] of map) result.set(key, value instanceof Scalar ? value.text : "");
    return result;
  }

  /** Replaces all labels or annotations; without any, their field goes. Throws for a key that YAML takes for no text. */
  setTexts(field: "labels" | "annotations", texts: ReadonlyMap<string, string>): void {
    const metadata = ensureMap(this.node, "metadata");
    metadata.delete(field);
    if (texts.size === 0) return;
    const map: NodeMap = new Map();
    for (const [key, text] of texts) setField(map, key, textNode(text));
    metadata.set(field, map);
  }

  /** Takes over how another object came to be: its names so far and what it wants of the end of the build. */
  adoptHistoryOf(other: Resource): void {
    this.former = [...other.former];
    this.prefixes = [...other.prefixes];
    this.suffixes = [...other.suffixes];
    this.step = other.step;
    this.fromHelm = other.fromHelm;
    this.labelsSpelled = other.labelsSpelled;
    this.transformations = [...other.transformations];
    this.varNames = [...other.varNames];
    this.writers = [...other.writers];
    this.fieldWriters = other.fieldWriters;
  }

  forgetOrigin(): void {
    this.step = undefined;
    this.transformations = [];
  }

  /**
   * As kustomize, which keeps all this among the annotations: a patch that replaces those makes an object forget its
   * former names, that its name wants a hash, and where it is from.
   */
  forgetHistory(): void {
    this.forgetOrigin();
    this.former = [];
    this.prefixes = [];
    this.suffixes = [];
    this.behavior = undefined;
    this.needsHash = false;
    this.fromHelm = false;
  }

  clone(): Resource {
    // cloneNode keeps the shape: a map stays a map.
    const copy = new Resource(cloneNode(this.node) as NodeMap, this.origin);
    copy.adoptHistoryOf(this);
    copy.behavior = this.behavior;
    copy.needsHash = this.needsHash;
    copy.hasLinks = this.hasLinks;
    return copy;
  }

  describe(): string {
    return describeId(this.currentId);
  }
}
