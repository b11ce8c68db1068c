import { formatApiVersion, gvkOf, type KubeObject } from "../../kube/object.ts";
import { checkDependencies } from "./dependency-check.ts";
import { interpreterNotFound } from "./errors.ts";
import type { Interpreter, InterpreterLevel, InterpreterLevels, InterpreterOperation } from "./interpreter.ts";

type Method = Exclude<keyof Interpreter, "hookEnabled">;

const OPERATIONS: Readonly<Record<Method, InterpreterOperation>> = {
  getReplicas: "InterpretReplica",
  getComponents: "InterpretComponent",
  reviseReplica: "ReviseReplica",
  retain: "Retain",
  getDependencies: "InterpretDependency",
  reflectStatus: "InterpretStatus",
  interpretHealth: "InterpretHealth",
  aggregateStatus: "AggregateStatus",
};

/** Joins the levels into one interpreter. */
export function createInterpreter(levels: InterpreterLevels): Interpreter {
  const ordered = [levels.customization, levels.webhook, levels.thirdParty, levels.native].filter(
    (level) => level !== undefined,
  );

  function pick<M extends Method>(object: KubeObject, method: M): NonNullable<InterpreterLevel[M]> {
    const gvk = gvkOf(object);
    for (const level of ordered) {
      const answer = level[method];
      if (answer !== undefined && level.hookEnabled(gvk, OPERATIONS[method])) return answer;
    }
    throw interpreterNotFound(OPERATIONS[method], formatApiVersion(gvk.group, gvk.version), gvk.kind);
  }

  return {
    hookEnabled: (gvk, operation) => ordered.some((level) => level.hookEnabled(gvk, operation)),
    getReplicas: (object) => pick(object, "getReplicas")(object),
    getComponents: (object) => pick(object, "getComponents")(object),
    reviseReplica: (object, replicas) => pick(object, "reviseReplica")(object, replicas),
    retain: (desired, observed) => pick(desired, "retain")(desired, observed),
    getDependencies: (object) => checkDependencies(object, pick(object, "getDependencies")(object)),
    reflectStatus: (object) => pick(object, "reflectStatus")(object),
    interpretHealth: (object) => pick(object, "interpretHealth")(object),
    aggregateStatus: (object, items, now) => pick(object, "aggregateStatus")(object, items, now),
  };
}
