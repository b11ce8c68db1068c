import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { caseSuite } from "../karmada-cases.ts";
import { sameButForEncoding } from "../reencoding.ts";
import type { Suite } from "../suite.ts";

const interpreter = createInterpreter({ native: nativeLevel() });

export const suite: Suite = caseSuite<InterpreterInput>(
  "interpreter-native.json",
  (input) => interpreterAnswer(interpreter, input),
  (input, expected, actual) =>
    input.operation === "AggregateStatus" ? sameButForEncoding("object", expected, actual) : { expected, actual },
);
