// The OpenAPI schema of one build: kustomize's own, or one that a kustomization brings.

import { contentKey } from "../render-cache.ts";
import { gvkFrom, hasKnownScope, useOwnScopes } from "../resources/identity.ts";
import {
  BUILT_IN_LAYER,
  builtInSchemas,
  combineLayers,
  KUSTOMIZE_LAYER,
  type MergeSchemas,
  type SchemaLayer,
} from "./merge-schema.ts";
import { type OpenApiDocument, readOpenApi } from "./openapi-document.ts";

/**
 * As kustomize: the first kustomization that sets a schema, counted from the root down, sets it for the build; until
 * then the built-in one is in use. A document is read when a schema is first asked for. Where the built-in schema was
 * asked for before that, both are in force and the document goes first; where an object of a kind that is not built in
 * was met before, both are in force and the built-in one goes first; else the document stands alone.
 */
export class OpenApi {
  /** Looks up what is in force when it is asked. Throws `render-openapi` for a document that cannot be read. */
  readonly schemas: MergeSchemas = (apiVersion, kind) => {
    this.settle();
    return this.inForce(apiVersion, kind);
  };
  private isSet = false;
  private isSettled = false;
  private document: { readonly text: string; readonly file: string } | undefined;
  private read: OpenApiDocument | undefined;
  private builtIn: "unused" | "wanted" | "used" = "unused";
  private layers: SchemaLayer[] = [];
  private inForce: MergeSchemas = builtInSchemas;

  /** Whether a kustomization of this build has set the schema. */
  get hasChoice(): boolean {
    return this.isSet;
  }

  /** Equal keys mean equal schemas. */
  get key(): string {
    return this.document === undefined ? "built-in" : `${contentKey(this.document.text)} ${this.builtIn}`;
  }

  chooseBuiltIn(): void {
    this.isSet = true;
  }

  choose(text: string, file: string): void {
    this.isSet = true;
    this.document = { text, file };
    this.isSettled = false;
  }

  /** To be told of every object's kind: kinds that are not built in make kustomize look at a schema. */
  meet(apiVersion: string, kind: string): void {
    if (this.isSettled || hasKnownScope(gvkFrom(apiVersion, kind))) return;
    if (this.document !== undefined) this.settle();
    else if (this.builtIn === "unused") this.builtIn = "wanted";
  }

  private settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.document === undefined) {
      this.builtIn = "used";
      this.layers = [BUILT_IN_LAYER];
      return;
    }
    this.read ??= readOpenApi(this.document.text, this.document.file);
    useOwnScopes(this.read.namespaced);
    this.layers.unshift(this.read.layer);
    if (this.builtIn === "wanted") this.layers.unshift(BUILT_IN_LAYER);
    this.inForce = combineLayers([...this.layers, KUSTOMIZE_LAYER]);
  }
}
