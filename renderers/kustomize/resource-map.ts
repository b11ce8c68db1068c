// The objects of a build in order, found by the ids they have or had.

import { renderError } from "../errors.ts";
import { describeId, idKey, type ResourceId } from "./identity.ts";
import type { Resource } from "./resource.ts";

export class ResourceMap {
  private list: Resource[] = [];
  // Rebuilt on demand after a transformer may have renamed objects; a build asks in bursts between such steps.
  private byAnyId: Map<string, Resource[]> | undefined;
  private byCurrentId: Map<string, Resource> | undefined;

  get resources(): readonly Resource[] {
    return this.list;
  }

  /** To be called by whoever renamed objects in place. */
  invalidate(): void {
    this.byAnyId = undefined;
    this.byCurrentId = undefined;
  }

  /** Throws `render-duplicate-id` when an object with this id is there already. */
  append(resource: Resource): void {
    const key = idKey(resource.currentId);
    const index = this.currentIndex();
    const present = index.get(key);
    if (present !== undefined) {
      throw renderError(
        "render-duplicate-id",
        `${resource.describe()} is there already, from ${present.origin.file}${present.origin.line === undefined ? "" : `:${present.origin.line}`}`,
        { file: resource.origin.file, line: resource.origin.line, object: resource.describe() },
      );
    }
    index.set(key, resource);
    this.list.push(resource);
    if (this.byAnyId !== undefined) indexAnyId(this.byAnyId, resource);
  }

  appendAll(resources: Iterable<Resource>): void {
    for (const resource of resources) this.append(resource);
  }

  replace(old: Resource, replacement: Resource): void {
    this.list = this.list.map((resource) => (resource === old ? replacement : resource));
    this.invalidate();
  }

  dropEmpty(): void {
    if (this.list.some((resource) => resource.isEmpty)) this.keep((resource) => !resource.isEmpty);
  }

  keep(predicate: (resource: Resource) => boolean): void {
    this.list = this.list.filter(predicate);
    this.invalidate();
  }

  reorder(resources: Resource[]): void {
    this.list = resources;
  }

  /** Objects that have this id or had it. */
  findByAnyId(id: ResourceId): readonly Resource[] {
    if (this.byAnyId === undefined) {
      this.byAnyId = new Map();
      for (const resource of this.list) indexAnyId(this.byAnyId, resource);
    }
    return this.byAnyId.get(idKey(id)) ?? [];
  }

  /** Throws `render-duplicate-id` when two objects have come to have one id. */
  assertUnique(what: string): void {
    const seen = new Map<string, Resource>();
    for (const resource of this.list) {
      const key = idKey(resource.currentId);
      const other = seen.get(key);
      if (other !== undefined) {
        throw renderError("render-duplicate-id", `${what} gives two objects the id ${describeId(resource.currentId)}`, {
          file: resource.origin.file,
          line: resource.origin.line,
          object: resource.describe(),
        });
      }
      seen.set(key, resource);
    }
  }

  private currentIndex(): Map<string, Resource> {
    this.byCurrentId ??= new Map(this.list.map((resource) => [idKey(resource.currentId), resource]));
    return this.byCurrentId;
  }
}

function indexAnyId(index: Map<string, Resource[]>, resource: Resource): void {
  const keys = new Set(resource.allIds.map(idKey));
  for (const key of keys) {
    const found = index.get(key);
    if (found === undefined) index.set(key, [resource]);
    else found.push(resource);
  }
}
