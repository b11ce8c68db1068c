// What one build leaves for the next: parsed files and generated objects, found again by their content.

import { hash } from "node:crypto";
import type { Resource } from "./resources/resource.ts";

interface Entry {
  readonly resources: readonly Resource[];
  readonly size: number;
}

export interface RenderCacheOptions {
  /** Characters of source text kept, counted by the files they were read from. Default 64 Mi. */
  readonly maxSize?: number | undefined;
  /** States of objects kept beside those; beyond that, everything is forgotten before the next build. Default 500 000. */
  readonly maxStates?: number | undefined;
}

/**
 * Remembers across builds. Objects that come out of it are finished states, which in turn remember what transformers made
 * of them; so a build does again only what depends on something that changed. Content decides, never time or revision.
 */
export class RenderCache {
  private readonly maxSize: number;
  private readonly entries = new Map<string, Entry>();
  private size = 0;
  private readonly maxStates: number;
  private states = 0;

  constructor(options: RenderCacheOptions = {}) {
    this.maxStates = options.maxStates ?? 500_000;
    this.maxSize = options.maxSize ?? 64 * 1024 * 1024;
  }

  /** To be called before each build; what it answers counts the states that the build adds, and agrees to them. */
  startBuild(): () => boolean {
    // States hang on one another, so that there is no dropping the oldest only. A full build takes a fraction of a second.
    if (this.states > this.maxStates) {
      this.entries.clear();
      this.size = 0;
      this.states = 0;
    }
    return () => {
      this.states += 1;
      return this.states <= 2 * this.maxStates;
    };
  }

  /** The objects of a text in a file, parsed at most once while they are remembered. They are finished. */
  parsed(text: string, file: string, parse: (text: string, file: string) => readonly Resource[]): readonly Resource[] {
    return this.remember(`${file}\n${contentKey(text)}`, text.length, () => parse(text, file));
  }

  /** The object made before from equal content, or this one from now on. `key` tells contents apart. */
  generated(key: string, resource: Resource): Resource {
    return this.remember(`generated\n${contentKey(key)}`, key.length, () => [resource])[0] ?? resource;
  }

  private remember(key: string, size: number, make: () => readonly Resource[]): readonly Resource[] {
    const known = this.entries.get(key);
    if (known !== undefined) {
      // Entries stand in the order of their last use.
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.resources;
    }
    const resources = make();
    for (const resource of resources) resource.finish();
    if (size > this.maxSize) return resources;
    this.entries.set(key, { resources, size });
    this.size += size;
    for (const [oldest, entry] of this.entries) {
      if (this.size <= this.maxSize) break;
      this.entries.delete(oldest);
      this.size -= entry.size;
    }
    return resources;
  }
}

/** Equal keys mean equal texts. */
export function contentKey(text: string): string {
  return hash("sha1", text, "base64");
}

const known = new WeakMap<object, string>();

/** Equal keys mean equal plain data; worked out once for each object, which must not change. */
export function dataKey(data: object): string {
  let key = known.get(data);
  if (key === undefined) {
    key = contentKey(JSON.stringify(data));
    known.set(data, key);
  }
  return key;
}
