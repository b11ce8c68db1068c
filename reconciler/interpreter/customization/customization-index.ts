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
type TargetKey = string;

/** Operations on one kind whose scripts have become others. */
export interface ScriptsChange {
  readonly apiVersion: string;
  readonly kind: string;
  readonly operations: ReadonlySet<InterpreterOperation>;
}

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

  /** Adds or replaces the customization of this name. Answers with what is otherwise now. */
  set(customization: ResourceInterpreterCustomization): readonly ScriptsChange[] {
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
  delete(name: string): readonly ScriptsChange[] {
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

  #merge(target: TargetKey): readonly ScriptsChange[] {
    const before = this.#merged.get(target);
    const members = [...(this.#members.get(target)?.values() ?? [])].sort((a, b) =>
      (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1,
    );
    if (members.length === 0) this.#members.delete(target);
    const merged = mergeScripts(members);
    if (merged.size === 0) this.#merged.delete(target);
    else this.#merged.set(target, merged);
    const operations = changedOperations(before, merged);
    if (operations.size === 0) return [];
    const slash = target.lastIndexOf("/");
    return [{ apiVersion: target.slice(0, slash), kind: target.slice(slash + 1), operations }];
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

const NO_SCRIPTS: Merged = new Map();

function changedOperations(before: Merged = NO_SCRIPTS, after: Merged): Set<InterpreterOperation> {
  const changed = new Set<InterpreterOperation>();
  for (const operation of [...before.keys(), ...after.keys()])
    if (sourcesOf(before, operation) !== sourcesOf(after, operation)) changed.add(operation);
  return changed;
}

function sourcesOf(merged: Merged, operation: InterpreterOperation): string {
  return (merged.get(operation) ?? []).map(({ source }) => source).join("\u0000");
}
