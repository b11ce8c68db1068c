// Values of overriders with what is known of the cluster in place of variables.

import type { Cluster } from "../../api/cluster.ts";
import { hasVariables, type OverrideVariable, parseVariables, textsIn } from "../../api/override-variables.ts";
import { setOwn } from "../../kube/object.ts";
import { overrideImpossible } from "./errors.ts";

/** Fills in what is known of one cluster. */
export class VariableResolver {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** One item of an overrider, its values filled in; the very same when there is no variable in it. Throws `override-impossible` for a variable without a value. */
  resolve<T extends object>(item: T): T {
    if (!mentionsVariables(item)) return item;
    const resolved: Record<string, unknown> = Object.fromEntries(Object.entries(item));
    for (const field of ["value", "json", "yaml"]) {
      if (resolved[field] === undefined) continue;
      resolved[field] =
        field === "value"
          ? this.#filled(resolved[field])
          : (resolved[field] as readonly object[]).map((operation) => this.resolve(operation));
    }
    // The same fields with other texts.
    return resolved as T;
  }

  #filled(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#filled(item));
    if (typeof value !== "object" || value === null) return value;
    const filled: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) setOwn(filled, key, this.#filled(inner));
    return filled;
  }

  #text(text: string): string {
    if (!hasVariables(text)) return text;
    const parts = parseVariables(text);
    if (typeof parts === "string") throw overrideImpossible("", parts);
    return parts.map((part) => (typeof part === "string" ? part : this.#valueOf(part))).join("");
  }

  #valueOf(variable: OverrideVariable): string {
    const value = this.#find(variable);
    // As in shells: a default also stands in for an empty text.
    if (value !== undefined && (value !== "" || variable.fallback === undefined)) return value;
    if (variable.fallback !== undefined) return variable.fallback;
    const { source, key, text } = variable;
    const name = this.#cluster.metadata.name ?? "";
    const what = key === undefined ? `no ${source}` : `no ${source === "labels" ? "label" : "annotation"} ${key}`;
    const withDefault = `${text.slice(0, -1)}:-DEFAULT}`;
    throw overrideImpossible(
      "",
      `cluster ${name} has ${what}, which ${text} asks for; set it, or write ${withDefault}`,
    );
  }

  #find({ source, key = "" }: OverrideVariable): string | undefined {
    const { metadata, spec } = this.#cluster;
    switch (source) {
      case "name":
        return metadata.name;
      case "region":
        return spec.region || undefined;
      case "provider":
        return spec.provider || undefined;
      case "zone":
        return spec.zones?.[0] || spec.zone || undefined;
      default: {
        const map = metadata[source] ?? {};
        return Object.hasOwn(map, key) ? map[key] : undefined;
      }
    }
  }
}

// A policy's overriders are the same objects for every cluster and object.
const MENTIONS = new WeakMap<object, boolean>();

function mentionsVariables(item: object): boolean {
  let known = MENTIONS.get(item);
  if (known === undefined) {
    known = [...textsIn(item)].some(hasVariables);
    MENTIONS.set(item, known);
  }
  return known;
}
