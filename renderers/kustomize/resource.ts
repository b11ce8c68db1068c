// One object on its way through a build, with the names it has had.

import type { ObjectOrigin } from "../rendered.ts";
import { describeId, type Gvk, gvkFrom, type ResourceId } from "./identity.ts";
import { cloneNode, ensureMap, isMapNode, type Node, type NodeMap, setField, stringNode, textOf } from "./node.ts";

export type GeneratorBehavior = "unspecified" | "create" | "replace" | "merge";

interface FormerName {
  readonly name: string;
  readonly namespace: string;
  readonly kind: string;
}

/** What made or changed an object, as `buildMetadata` writes it. */
export interface BuildStep {
  readonly path?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

export class Resource {
  node: NodeMap;
  readonly origin: ObjectOrigin;
  behavior: GeneratorBehavior = "unspecified";
  needsHash = false;
  /** Variables that take their value from this object. */
  varNames: string[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];
  step: BuildStep | undefined;
  transformations: BuildStep[] = [];
  allowNameChange = false;
  allowKindChange = false;
  private former: FormerName[] = [];
  private knownGvk:
    | { readonly apiVersion: Node | undefined; readonly kind: Node | undefined; readonly gvk: Gvk }
    | undefined;

  constructor(node: NodeMap, origin: ObjectOrigin) {
    this.node = node;
    this.origin = origin;
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
    return { ...this.gvk, name: this.name, namespace: this.namespace };
  }

  /** Every earlier id, oldest first; group and version are the present ones. */
  get formerIds(): readonly ResourceId[] {
    if (this.former.length === 0) return [];
    const { group, version } = this.gvk;
    return this.former.map((former) => ({ group, version, ...former }));
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
    this.former.push({ name: this.name, namespace: this.namespace, kind: this.kind });
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

  stringMap(field: "labels" | "annotations"): Map<string, string> {
    const result = new Map<string, string>();
    const map = this.metadata?.get(field);
    if (isMapNode(map)) for (const [key, value] of map) result.set(key, scalarText(value));
    return result;
  }

  /** Takes over how another object came to be: its names so far and what it wants of the end of the build. */
  adoptHistoryOf(other: Resource): void {
    this.former = [...other.former];
    this.prefixes = [...other.prefixes];
    this.suffixes = [...other.suffixes];
    this.step = other.step;
    this.transformations = [...other.transformations];
    this.varNames = [...other.varNames];
  }

  forgetOrigin(): void {
    this.step = undefined;
    this.transformations = [];
  }

  clone(): Resource {
    // cloneNode keeps the shape: a map stays a map.
    const copy = new Resource(cloneNode(this.node) as NodeMap, this.origin);
    copy.adoptHistoryOf(this);
    copy.behavior = this.behavior;
    copy.needsHash = this.needsHash;
    copy.allowNameChange = this.allowNameChange;
    copy.allowKindChange = this.allowKindChange;
    return copy;
  }

  describe(): string {
    return describeId(this.currentId);
  }
}

function scalarText(node: Node): string {
  return textOf(node) ?? "";
}
