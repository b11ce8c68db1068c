// All customizations there are, merged by the kind they are for.
import { CUSTOMIZATION_OPERATIONS, type ResourceInterpreterCustomization } from "../../../api/config.ts";
import { formatApiVersion, type GroupVersionKind } from "../../../kube/object.ts";
import type { InterpreterOperation } from "../interpreter.ts";

/** One Lua script, and where it stands. */
export interface CustomizationScript {
  /** Name of the customization. */
  readonly customization: string;
  readonly operation: InterpreterOperation;
  /** The function that it defines. */
  readonly functionName: string;
  readonly source: string;
}

type Merged = ReadonlyMap<InterpreterOperation, readonly CustomizationScript[]>;

/** `apiVersion/kind`, as in `apps/v1/Deployment`. */
export type TargetKey = string;

/**
 * Finds the scripts for a kind. Of several customizations for one kind the alphabetically first with a script for an
 * operation gives it, save that all lists of dependencies count (Karmada: configmanager.LoadConfig).
 */
export class CustomizationIndex {
  readonly #targets = new Map<string, TargetKey>();
  readonly #members = new Map<TargetKey, Map<string, ResourceInterpreterCustomization>>();
  readonly #merged = new Map<TargetKey, Merged>();

  constructor(customizations: Iterable<ResourceInterpreterCustomization> = []) {
    for (const customization of customizations) this.set(customization);
  }

  /** Adds or replaces the customization of this name. Answers with the kinds whose scripts are others now. */
  set(customization: ResourceInterpreterCustomization): readonly TargetKey[] {
    const name = customization.metadata.name ?? "";
    const { apiVersion, kind } = customization.spec.target;
    const target = `${apiVersion}/${kind}`;
    const changed = this.#targets.get(name) === target ? [] : this.delete(name);
    const members = this.#members.get(target) ?? new Map<string, ResourceInterpreterCustomization>();
    this.#members.set(target, members);
    members.set(name, customization);
    this.#targets.set(name, target);
    return [...changed, ...this.#merge(target)];
  }

  /** Forgets a customization. Answers as `set`. */
  delete(name: string): readonly TargetKey[] {
    const target = this.#targets.get(name);
    if (target === undefined) return [];
    this.#targets.delete(name);
    this.#members.get(target)?.delete(name);
    return this.#merge(target);
  }

  /** The scripts for an operation, in order of the names of their customizations; only for dependencies more than one. */
  scripts({ group, version, kind }: GroupVersionKind, operation: InterpreterOperation): readonly CustomizationScript[] {
    if (this.#merged.size === 0) return [];
    return this.#merged.get(`${formatApiVersion(group, version)}/${kind}`)?.get(operation) ?? [];
  }

  /** Every script that is in use. */
  *all(): Iterable<CustomizationScript> {
    for (const merged of this.#merged.values()) for (const scripts of merged.values()) yield* scripts;
  }

  #merge(target: TargetKey): readonly TargetKey[] {
    const before = this.#merged.get(target);
    const members = [...(this.#members.get(target)?.values() ?? [])].sort((a, b) =>
      (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1,
    );
    if (members.length === 0) this.#members.delete(target);
    const merged = mergeScripts(members);
    if (merged.size === 0) this.#merged.delete(target);
    else this.#merged.set(target, merged);
    return sameSources(before, merged) ? [] : [target];
  }
}

function mergeScripts(sorted: readonly ResourceInterpreterCustomization[]): Merged {
  const merged = new Map<InterpreterOperation, CustomizationScript[]>();
  for (const { metadata, spec } of sorted) {
    for (const { rule, operation, functionName } of CUSTOMIZATION_OPERATIONS) {
      const source = spec.customizations[rule]?.luaScript ?? "";
      if (source === "") continue;
      const script = { customization: metadata.name ?? "", operation, functionName, source };
      const known = merged.get(operation);
      if (known === undefined) merged.set(operation, [script]);
      else if (operation === "InterpretDependency") known.push(script);
    }
  }
  return merged;
}

function sameSources(before: Merged | undefined, after: Merged): boolean {
  if (before === undefined) return after.size === 0;
  if (before.size !== after.size) return false;
  for (const [operation, scripts] of after) {
    const old = before.get(operation);
    if (old?.length !== scripts.length || scripts.some(({ source }, index) => old[index]?.source !== source))
      return false;
  }
  return true;
}
