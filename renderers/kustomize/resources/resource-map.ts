// The objects of a build in order, found by the ids they have or had, and the one place where they change.

import { renderError } from "../../errors.ts";
import type { Writer } from "../../rendered.ts";
import { describeId, hasOwnScopes, idKey, type ResourceId } from "./identity.ts";
import type { Change, Resource } from "./resource.ts";

/** What is being done to the objects: a transformer with its configuration. */
export interface Step {
  /**
   * Equal keys mean equal changes to equal objects, in this build and in later ones; `undefined` when that cannot be
   * said, and nothing is remembered.
   */
  readonly key: string | undefined;
  readonly writer: Writer;
}

export interface MapOptions {
  /** Keep every object as it was and change a copy, so that results can be remembered and compared. */
  readonly keepStates: boolean;
  /** Note for every field which step wrote it; needs `keepStates`. */
  readonly fieldWriters: boolean;
  /** Asked for every new state whether a later build shall find it. Absent: there is none. */
  readonly remember?: (() => boolean) | undefined;
}

export class ResourceMap {
  readonly options: MapOptions;
  private list: Resource[] = [];
  private step: Step | undefined;
  // The step's key as states remember it; made once for a step, since comparing one text with itself is cheap.
  private key: string | undefined;
  // Places in the list by id, rebuilt on demand after objects were renamed or dropped.
  private byAnyId: Map<string, number[]> | undefined;
  private byAnyName: Map<string, number[]> | undefined;
  private byCurrentId: Map<string, number> | undefined;
  private places: Map<Resource, number> | undefined;
  // Whether objects were renamed since somebody last made sure that no two have one id.
  private isUniquenessOpen = false;

  constructor(options: MapOptions) {
    this.options = options;
  }

  get resources(): readonly Resource[] {
    return this.list;
  }

  /** Runs a transformer; its edits count as the step's. */
  during<T>(step: Step, run: () => T): T {
    const { step: outerStep, key: outerKey } = this;
    this.step = step;
    const isKnown = step.key !== undefined && !hasOwnScopes();
    this.key = !isKnown ? undefined : `${this.options.fieldWriters ? "fields\n" : ""}${step.key}\n`;
    try {
      return run();
    } finally {
      this.step = outerStep;
      this.key = outerKey;
    }
  }

  /** Runs a part of the present step whose changes depend on `text` as well, perhaps the text of a patch's file. */
  within<T>(text: string, patch: string | undefined, run: () => T): T {
    const { step } = this;
    if (step === undefined) return run();
    const writer = patch === undefined ? step.writer : { ...step.writer, patch };
    return this.during({ key: step.key === undefined ? undefined : `${step.key}\n${text}`, writer }, run);
  }

  /**
   * Changes one object; answers its new state, which takes the old one's place. The change may depend on the step, the
   * object and `salt` only. It runs on an object of its own, or not at all when the result is known from before.
   */
  edit(resource: Resource, change: Change, salt = ""): Resource {
    const { step } = this;
    if (!this.options.keepStates) {
      const before = resource.identity;
      const written = resource.changed(change);
      if (written !== false && step !== undefined) resource.writers.push(step.writer);
      if (!resource.hasIdentity(before)) {
        this.forgetIds();
        this.isUniquenessOpen = true;
      }
      return resource;
    }
    const key = salt === "" || this.key === undefined ? this.key : this.key + salt;
    const place = this.placeOf(resource);
    const known = key === undefined ? undefined : resource.knownEdit(key);
    const next = known ?? resource.edited(change, step?.writer, this.options.fieldWriters);
    if (known === undefined && key !== undefined && this.options.remember?.() === true)
      resource.rememberEdit(key, next);
    this.list[place] = next;
    this.places?.delete(resource);
    this.places?.set(next, place);
    if (next.isRenamed) {
      this.forgetIds();
      this.isUniquenessOpen = true;
    }
    return next;
  }

  /** Throws `render-duplicate-id` when an object with this id is there already. */
  append(resource: Resource): void {
    const index = this.currentIndex();
    const key = resource.idKey;
    const present = index.get(key);
    if (present !== undefined) {
      const { file, line } = this.list[present]!.origin;
      throw renderError(
        "render-duplicate-id",
        `${resource.describe()} is there already, from ${file}${line === undefined ? "" : `:${line}`}`,
        { file: resource.origin.file, line: resource.origin.line, object: resource.describe() },
      );
    }
    const place = this.list.push(resource) - 1;
    index.set(key, place);
    this.places?.set(resource, place);
    if (this.byAnyId !== undefined) indexAnyId(this.byAnyId, resource, place);
    if (this.byAnyName !== undefined) indexAnyName(this.byAnyName, resource, place);
  }

  /** Puts another object in the place of one. */
  replace(old: Resource, replacement: Resource): void {
    this.list[this.placeOf(old)] = replacement;
    this.forgetPlaces();
  }

  dropEmpty(): void {
    if (this.list.some((resource) => resource.isEmpty)) this.keep((resource) => !resource.isEmpty);
  }

  keep(predicate: (resource: Resource) => boolean): void {
    const kept = this.list.filter(predicate);
    if (kept.length === this.list.length) return;
    this.list = kept;
    this.forgetPlaces();
  }

  /** Objects that have this id or had it. */
  findByAnyId(id: ResourceId): readonly Resource[] {
    if (this.byAnyId === undefined) {
      this.byAnyId = new Map();
      for (const [place, resource] of this.list.entries()) indexAnyId(this.byAnyId, resource, place);
    }
    return (this.byAnyId.get(idKey(id)) ?? []).map((place) => this.list[place]!);
  }

  /** As `assertUnique`, and free as long as no object has been renamed. */
  assertUniqueAfterRenames(what: string): void {
    if (this.isUniquenessOpen) this.assertUnique(what);
  }

  /** Objects that have this name or had it, in order. */
  findByAnyName(name: string): readonly Resource[] {
    if (this.byAnyName === undefined) {
      this.byAnyName = new Map();
      for (const [place, resource] of this.list.entries()) indexAnyName(this.byAnyName, resource, place);
    }
    return (this.byAnyName.get(name) ?? []).map((place) => this.list[place]!);
  }

  /** Throws `render-duplicate-id` when two objects have come to have one id. */
  assertUnique(what: string): void {
    this.isUniquenessOpen = false;
    const seen = new Set<string>();
    for (const resource of this.list) {
      const key = resource.idKey;
      if (seen.has(key)) {
        throw renderError("render-duplicate-id", `${what} gives two objects the id ${describeId(resource.currentId)}`, {
          file: resource.origin.file,
          line: resource.origin.line,
          object: resource.describe(),
        });
      }
      seen.add(key);
    }
  }

  private currentIndex(): Map<string, number> {
    this.byCurrentId ??= new Map(this.list.map((resource, place) => [resource.idKey, place]));
    return this.byCurrentId;
  }

  private placeOf(resource: Resource): number {
    this.places ??= new Map(this.list.map((item, place) => [item, place]));
    const place = this.places.get(resource);
    if (place === undefined) throw new Error(`${resource.describe()} is no longer an object of this build`);
    return place;
  }

  private forgetIds(): void {
    this.byAnyId = undefined;
    this.byAnyName = undefined;
    this.byCurrentId = undefined;
  }

  private forgetPlaces(): void {
    this.forgetIds();
    this.places = undefined;
  }
}

function indexAnyName(index: Map<string, number[]>, resource: Resource, place: number): void {
  addPlace(index, new Set([...resource.formerIds.map(({ name }) => name), resource.name]), place);
}

function indexAnyId(index: Map<string, number[]>, resource: Resource, place: number): void {
  addPlace(index, new Set([...resource.formerIds.map(idKey), resource.idKey]), place);
}

function addPlace(index: Map<string, number[]>, keys: ReadonlySet<string>, place: number): void {
  for (const key of keys) {
    const found = index.get(key);
    if (found === undefined) index.set(key, [place]);
    else found.push(place);
  }
}
