// What an interpreter answers to a recorded question, in the form in which Karmada's answers are recorded.
import type { AggregatedStatusItem } from "../../api/work.ts";
import { gvkOf, type KubeObject } from "../../kube/object.ts";
import {
  type Interpreter,
  type InterpreterOperation,
  NOTHING_REPORTED,
} from "../../reconciler/interpreter/interpreter.ts";

export interface InterpreterInput {
  readonly operation: InterpreterOperation;
  readonly object?: KubeObject;
  readonly desired?: KubeObject;
  readonly observed?: KubeObject;
  readonly replica?: number;
  readonly items?: readonly AggregatedStatusItem[];
}

const NOW = "2026-01-01T00:00:00Z";
/** Throws when the operation means nothing for the kind, and whatever the interpreter throws. */
export function interpreterAnswer(interpreter: Interpreter, input: InterpreterInput): unknown {
  const object = input.object ?? input.desired;
  if (object === undefined) throw new Error("the case has no object");
  if (!interpreter.hookEnabled(gvkOf(object), input.operation)) throw new Error(`no rule for ${input.operation}`);
  switch (input.operation) {
    case "InterpretReplica":
      return interpreter.getReplicas(object);
    case "ReviseReplica":
      return { object: interpreter.reviseReplica(object, input.replica ?? 0) };
    case "Retain":
      return { object: interpreter.retain(object, input.observed ?? object) };
    case "InterpretDependency":
      return { dependencies: interpreter.getDependencies(object) };
    case "InterpretStatus":
      return { status: interpreter.reflectStatus(object) ?? null };
    case "InterpretHealth":
      return { healthy: interpreter.interpretHealth(object) };
    case "AggregateStatus":
      return { object: interpreter.aggregateStatus(object, input.items ?? NOTHING_REPORTED, NOW) };
    case "InterpretComponent":
      return { components: interpreter.getComponents(object) };
  }
}
