// One place in an object that is being merged: what its schema says, and how messages name it.

import { isMapNode, isNullNode, type Node, type NodeMap, Scalar } from "../resources/node.ts";
import type { MergeSchema, MergeSchemas } from "./merge-schema.ts";

/**
 * What a merge knows of one place: the schema decides whether a list merges element by element.
 *
 * As kustomize: where the schema ends, a map with an apiVersion and a kind of its own is merged by the schema of that
 * kind, at any depth.
 */
export class MergePlace {
  readonly schema: MergeSchema | undefined;
  readonly schemas: MergeSchemas;
  private readonly path: () => string;

  constructor(schema: MergeSchema | undefined, schemas: MergeSchemas, path: () => string) {
    this.schema = schema;
    this.schemas = schemas;
    this.path = path;
  }

  /** The same place with the schema of its content found, if only the content tells it. */
  resolved(...candidates: readonly (Node | undefined)[]): MergePlace {
    if (this.schema !== undefined) return this;
    for (const candidate of candidates) {
      const schema = isMapNode(candidate) ? schemaOfContent(candidate, this.schemas) : undefined;
      if (schema !== undefined) return new MergePlace(schema, this.schemas, this.path);
    }
    return this;
  }

  at(key: string): MergePlace {
    return new MergePlace(this.schema?.field(key), this.schemas, () => {
      const above = this.path();
      return above === "" ? key : `${above}.${key}`;
    });
  }

  element(name: string): MergePlace {
    return new MergePlace(this.schema?.element(), this.schemas, () => `${this.path()}[${name}]`);
  }

  describe(): string {
    return this.path();
  }
}

function schemaOfContent(map: NodeMap, schemas: MergeSchemas): MergeSchema | undefined {
  const apiVersion = map.get("apiVersion");
  const kind = map.get("kind");
  if (!(apiVersion instanceof Scalar) || !(kind instanceof Scalar)) return undefined;
  if (apiVersion.text === "" || kind.text === "" || isNullNode(apiVersion) || isNullNode(kind)) return undefined;
  return schemas(apiVersion.text, kind.text);
}
