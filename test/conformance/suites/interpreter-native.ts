import { isObject } from "../../../kube/object.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import { sameButForEncoding } from "../reencoding.ts";
import type { Suite } from "../suite.ts";
import { withoutEncoderTraces } from "./policy-admission.ts";

const interpreter = createInterpreter({ native: nativeLevel() });

/** Our answer, by the built-in rules alone. */
export function answerNative(input: InterpreterInput): unknown {
  return interpreterAnswer(interpreter, input);
}

/** Both answers without what re-encoding an object changes beside its status. */
export function comparableNative(input: InterpreterInput, expected: unknown, actual: unknown): Comparable {
  if (input.operation === "AggregateStatus") return sameButForEncoding("object", expected, actual);
  if (input.operation === "InterpretReplica")
    return { expected: withoutEncoderTraces(expected), actual: withoutEncoderTraces(actual) };
  // Go writes an empty list that nobody made as null.
  const none = input.operation === "InterpretDependency" && isObject(expected) && expected["dependencies"] === null;
  return { expected: none ? { ...expected, dependencies: [] } : expected, actual };
}

export const suite: Suite = caseSuite<InterpreterInput>("interpreter-native.json", answerNative, comparableNative);
