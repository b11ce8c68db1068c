// What every renderer hands on.

import type { KubeObject } from "../kube/object.ts";

/** Where an object was written. */
export interface ObjectOrigin {
  /** Path in the source tree. */
  readonly file: string;
  /** Line of the document in that file, from 1; absent for objects that no file spells out. */
  readonly line?: number;
}

/** What wrote an object or a field of it. */
export interface Writer {
  /** `File`, or the generator or transformer: `ConfigMapGenerator`, `PatchTransformer`, ... */
  readonly by: string;
  /** The file with the content, or the one that asks for the generator or transformer. */
  readonly file: string;
  readonly line?: number;
  /** The entry in that file: `patches[0]`, `namePrefix`. */
  readonly field?: string;
  /** The file of a patch that is not written inline. */
  readonly patch?: string;
}

/** How an object came to be. */
export interface ObjectHistory {
  /** The file or generator that it is from, then everything that changed it, in order. */
  readonly writers: readonly Writer[];
  /** By JSON pointer, who wrote each value last; given on request. */
  readonly fields?: ReadonlyMap<string, Writer>;
}

export interface RenderedObject {
  /** A Kubernetes object as plain JSON; integers beyond 2^53 are bigint. Not to be changed: a cache may share it. */
  readonly object: KubeObject;
  readonly origin: ObjectOrigin;
  /** Given on request, for what a kustomization renders. */
  readonly history?: ObjectHistory | undefined;
}

export interface RenderWarning {
  /** Stable, kebab-case: `deprecated-field`, `ignored-file`. */
  readonly code: string;
  readonly message: string;
  readonly file?: string;
}

export interface RenderResult {
  readonly objects: readonly RenderedObject[];
  readonly warnings: readonly RenderWarning[];
}
