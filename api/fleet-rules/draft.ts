// What rules look at: a scenario of which everything is as the schema wants it, and anything may be missing.
import { isObject } from "../../kube/object.ts";
import { fieldSteps } from "../../kube/yaml-position.ts";
import type { SchemaProblem } from "../schema-problems.ts";

/** A value of which parts may be missing, those of lists included. */
export type Draft<T> = T extends readonly (infer E)[]
  ? readonly (Draft<E> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Draft<T[K]> | undefined }
    : T;

/** Tells a problem of a field. */
export type Report = (field: string, words: string) => void;

/**
 * Takes away what the schema has found wrong, so that rules can look at the rest. `value` is changed; lists keep the
 * places of their items. Of something whose kind is not known, nothing stays.
 */
export function withoutProblems(value: unknown, problems: readonly SchemaProblem[]): unknown {
  for (const { field } of problems) {
    const steps = fieldSteps(field);
    if (steps.at(-1) === "type" && steps.at(-2) === "fault") steps.pop();
    const last = steps.pop();
    if (last === undefined) return {};
    const owner = steps.reduce<unknown>((node, step) => (isContainer(node) ? node[step] : undefined), value);
    if (Array.isArray(owner)) owner[Number(last)] = undefined;
    else if (isObject(owner)) delete owner[last];
  }
  return value;
}

function isContainer(node: unknown): node is Record<string, unknown> {
  return typeof node === "object" && node !== null;
}

/** The entries of a list that are there, with their places. */
export function* present<T>(list: readonly (T | undefined)[] | undefined): Generator<readonly [number, T]> {
  for (const [index, item] of (list ?? []).entries()) if (item !== undefined) yield [index, item];
}
