// Rules kind by kind, and the level of interpretation that a table of them makes.

import { formatApiVersion, type GroupVersionKind, type KubeObject } from "../../kube/object.ts";
import { interpreterNotFound, locateField } from "./errors.ts";
import type { Interpreter, InterpreterOperation } from "./interpreter.ts";

/** What is known of one kind. An absent rule means that the operation does not apply to the kind. */
export type KindRules = Partial<Omit<Interpreter, "hookEnabled">>;

/** Rules by `apiVersion/kind`, such as `apps/v1/Deployment`. */
export type RulesByKind = Readonly<Record<string, KindRules>>;

const METHODS: Readonly<Record<InterpreterOperation, keyof KindRules>> = {
  InterpretReplica: "getReplicas",
  InterpretComponent: "getComponents",
  ReviseReplica: "reviseReplica",
  Retain: "retain",
  InterpretDependency: "getDependencies",
  InterpretStatus: "reflectStatus",
  InterpretHealth: "interpretHealth",
  AggregateStatus: "aggregateStatus",
};

/** A level that knows what `rules` say and nothing else. Asked about anything else it throws `interpreter-not-found`. */
export function rulesLevel(rules: RulesByKind): Interpreter {
  const known = new Map(Object.entries(rules));
  function ruleOf<M extends keyof KindRules>(object: KubeObject, method: M): NonNullable<KindRules[M]> {
    const rule = known.get(`${object.apiVersion}/${object.kind}`)?.[method];
    if (rule === undefined) throw interpreterNotFound(method, object.apiVersion, object.kind);
    return rule;
  }
  return {
    hookEnabled: (gvk, operation) => known.get(kindKey(gvk))?.[METHODS[operation]] !== undefined,
    getReplicas: (object) => located(ruleOf(object, "getReplicas"), object),
    getComponents: (object) => located(ruleOf(object, "getComponents"), object),
    reviseReplica: (object, replicas) => located(ruleOf(object, "reviseReplica"), object, replicas),
    retain: (desired, observed) => located(ruleOf(desired, "retain"), desired, observed),
    getDependencies: (object) => located(ruleOf(object, "getDependencies"), object),
    reflectStatus: (object) => located(ruleOf(object, "reflectStatus"), object),
    interpretHealth: (object) => located(ruleOf(object, "interpretHealth"), object),
    aggregateStatus: (object, items, now) => located(ruleOf(object, "aggregateStatus"), object, items, now),
  };
}

/** What a rule says; an error about a field of an object, or of what members report of it, says where the field stands. */
function located<Arguments extends readonly unknown[], Answer>(
  rule: (...args: Arguments) => Answer,
  ...args: Arguments
): Answer {
  try {
    return rule(...args);
  } catch (error) {
    const [object, second] = args;
    throw locateField(error, { "": object, [Array.isArray(second) ? "aggregatedStatus" : "(in the member)"]: second });
  }
}

function kindKey(gvk: GroupVersionKind): string {
  return `${formatApiVersion(gvk.group, gvk.version)}/${gvk.kind}`;
}
