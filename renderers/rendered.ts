// What every renderer hands on.

import type { KubeObject } from "../kube/object.ts";

/** Where an object was written. */
export interface ObjectOrigin {
  /** Path in the source tree. */
  readonly file: string;
  /** Line of the document in that file, from 1; absent for objects that no file spells out. */
  readonly line?: number;
}

export interface RenderedObject {
  /** A Kubernetes object as plain JSON; integers beyond 2^53 are bigint. Owned by the caller. */
  readonly object: KubeObject;
  readonly origin: ObjectOrigin;
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
