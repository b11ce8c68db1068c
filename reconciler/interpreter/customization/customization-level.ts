import type { AggregatedStatusItem } from "../../../api/work.ts";
import { gvkOf, isObject, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Compatibility } from "../betterments.ts";
import { checkDependencies } from "../dependency-check.ts";
import {
  type Dependency,
  type InterpreterLevel,
  type InterpreterOperation,
  NOTHING_REPORTED,
  type ReplicaDemand,
  type Status,
} from "../interpreter.ts";
import type { CustomizationIndex, CustomizationScript } from "./customization-index.ts";
import { customizationFailed, resultMalformed } from "./errors.ts";
import { repairEmpties } from "./repair-empties.ts";
import type { ScriptRunner } from "./script-runner.ts";
import { describeResult, readComponents, readDependencies, readRequirements } from "./typed-results.ts";

export interface CustomizationLevelOptions {
  readonly scripts: Pick<CustomizationIndex, "scripts">;
  readonly runner: ScriptRunner;
  /** `karmada`: also takes negative replicas, and objects that a script turned into others. */
  readonly compatibility: Compatibility;
  /** Told of each failure before it is thrown. */
  readonly onFailure?: ((failure: AppError) => void) | undefined;
}

/** Where Lua says that something happened, which is told with the customization's name. */
const PLACE = /^(?:<string>:\d+: |line \d+: )/;

/** What an int32 becomes of a number that it cannot hold, where Karmada runs. */
const NO_INT32 = -2_147_483_648;

/**
 * The level of scripts that users of the fleet wrote. Throws `customization-failed` with the customization's name and
 * the line when a script fails or returns what its operation cannot use.
 */
export function customizationLevel({
  scripts,
  runner,
  compatibility,
  onFailure,
}: CustomizationLevelOptions): InterpreterLevel {
  const isStrict = compatibility !== "karmada";

  function scriptFor(object: KubeObject, operation: InterpreterOperation): CustomizationScript {
    const [script] = scripts.scripts(gvkOf(object), operation);
    if (script === undefined) throw new Error(`no customization for ${operation} of ${object.kind}`);
    return script;
  }

  /** Runs `read` over the script's results, so that all that goes wrong tells the script. */
  function ask<T>(
    object: KubeObject,
    script: CustomizationScript,
    args: readonly unknown[],
    read: (results: readonly unknown[]) => T,
  ): T {
    try {
      return read(runner.run(script, args));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { line } = error.details;
      const failure = customizationFailed(script, refOf(object), {
        problem: messageOf(error).replace(PLACE, ""),
        line: typeof line === "number" ? line : undefined,
        recovery: error.recovery,
        cause: error,
      });
      onFailure?.(failure);
      throw failure;
    }
  }

  function objectFrom(result: unknown, original: KubeObject, references: readonly KubeObject[]): KubeObject {
    const table = tableFrom(result, "an object");
    const repairedTable = repairEmpties(table, references);
    if (!isObject(repairedTable) || typeof repairedTable["kind"] !== "string" || repairedTable["kind"] === "")
      throw resultMalformed("the script returned a table without kind, not an object");
    // It has a kind; what else there is, is as in the object that the script was given.
    const object = repairedTable as unknown as KubeObject;
    if (isStrict) checkIdentity(object, original);
    return object;
  }

  return {
    hookEnabled: (gvk, operation) => scripts.scripts(gvk, operation).length > 0,

    getReplicas(object): ReplicaDemand {
      return ask(object, scriptFor(object, "InterpretReplica"), [object], ([count, needs]) => {
        const replicas = isStrict ? replicasFrom(count) : truncateAsKarmada(count);
        if (needs === undefined || needs === null) return { replicas };
        const table = tableFrom(needs, "the requirements of a replica as its second value");
        return { replicas, requirements: readRequirements(repairEmpties(namedFields(table)), "requirements") };
      });
    },

    getComponents(object) {
      return ask(object, scriptFor(object, "InterpretComponent"), [object], ([result]) => {
        if (result === undefined || result === null) return [];
        const components = readComponents(repairEmpties(tableFrom(result, "a list of components")));
        if (isStrict) for (const { name, replicas } of components) checkReplicas(replicas, `component ${name}`);
        return components;
      });
    },

    reviseReplica(object, replicas) {
      return ask(object, scriptFor(object, "ReviseReplica"), [object, replicas], ([result]) =>
        objectFrom(result, object, [object]),
      );
    },

    retain(desired, observed) {
      return ask(desired, scriptFor(desired, "Retain"), [desired, observed], ([result]) =>
        objectFrom(result, desired, [desired, observed]),
      );
    },

    getDependencies(object) {
      const found = scripts.scripts(gvkOf(object), "InterpretDependency").map((script) =>
        ask(object, script, [object], ([result]) => {
          const table = tableFrom(result, "a list of dependencies");
          return checkDependencies(object, readDependencies(repairEmpties(table)));
        }),
      );
      return uniteDependencies(found.flat());
    },

    reflectStatus(object): Status {
      return ask(object, scriptFor(object, "InterpretStatus"), [object], ([result]) => {
        const status = repairEmpties(namedFields(tableFrom(result, "a status")));
        if (!isObject(status)) throw resultMalformed("the script returned a list, not a status with named fields");
        return status;
      });
    },

    interpretHealth(object) {
      return ask(object, scriptFor(object, "InterpretHealth"), [object], ([result]) => {
        if (typeof result === "boolean") return result;
        throw resultMalformed(`the script returned ${describeResult(result)}, not true or false`);
      });
    },

    aggregateStatus(object, items: readonly AggregatedStatusItem[]) {
      return ask(
        object,
        scriptFor(object, "AggregateStatus"),
        [object, items === NOTHING_REPORTED ? null : items],
        ([result]) => objectFrom(result, object, []),
      );
    },
  };
}

function tableFrom(result: unknown, wanted: string): object {
  if (typeof result === "object" && result !== null) return result;
  throw resultMalformed(`the script returned ${describeResult(result)}, not a table with ${wanted}`);
}

/** An entirely empty table, where only one with named fields makes sense. */
function namedFields(table: object): object {
  return Array.isArray(table) && table.length === 0 ? {} : table;
}

function replicasFrom(count: unknown): number {
  if (typeof count !== "number")
    throw resultMalformed(`the script returned ${describeResult(count)} as replicas, not a number`);
  return checkReplicas(Math.trunc(count), "the object") + 0;
}

function checkReplicas(replicas: number, whose: string): number {
  if (replicas >= 0 && replicas <= 2_147_483_647) return replicas;
  throw resultMalformed(`the script returned ${replicas} as replicas of ${whose}; from 0 to 2147483647 can be`);
}

function truncateAsKarmada(count: unknown): number {
  if (typeof count !== "number")
    throw resultMalformed(`the script returned ${describeResult(count)} as replicas, not a number`);
  const whole = Math.trunc(count);
  return whole >= NO_INT32 && whole <= 2_147_483_647 ? whole + 0 : NO_INT32;
}

/** A script may change an object, and not make another one of it. */
function checkIdentity(result: KubeObject, original: KubeObject): void {
  const metadata: unknown = result.metadata;
  const { name, namespace } = isObject(metadata) ? metadata : {};
  const differences = [
    ["apiVersion", result.apiVersion, original.apiVersion],
    ["kind", result.kind, original.kind],
    ["metadata.name", name, original.metadata.name],
    ["metadata.namespace", namespace, original.metadata.namespace],
  ].filter(([, found, wanted]) => (found ?? "") !== (wanted ?? ""));
  const [first] = differences;
  if (first === undefined) return;
  throw resultMalformed(
    `the script returned an object with another ${first[0]}; a script may not change which object it is`,
  );
}

/**
 * Each dependency once, in order. Those with a label selector are never the same for Karmada (DependentObjectReference
 * holds a pointer), and harmless twice.
 */
function uniteDependencies(dependencies: readonly Dependency[]): readonly Dependency[] {
  const seen = new Set<string>();
  const united = dependencies.filter((dependency) => {
    if (dependency.labelSelector !== undefined) return true;
    const key = sortKey(dependency).join("\u0000");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return united.sort((a, b) => compareKeys(sortKey(a), sortKey(b)));
}

function sortKey({ apiVersion, kind, namespace = "", name = "" }: Dependency): readonly string[] {
  return [apiVersion, kind, namespace, name];
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? "";
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}
