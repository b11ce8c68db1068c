import { isObject } from "../../../kube/object.ts";
import { rulesLevel } from "../../../reconciler/interpreter/kind-rules.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { THIRD_PARTY_RULES } from "../../../reconciler/interpreter/third-party/third-party.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

const interpreter = createInterpreter({ thirdParty: rulesLevel(THIRD_PARTY_RULES), native: nativeLevel() });

/** What the scripts that Karmada ships die of when they meet an object without the fields they expect. */
const CRASHES: readonly RegExp[] = [
  /attempt to (?:index|call|compare|concatenate|perform arithmetic)/,
  /cannot perform .* operation/,
  /table index is nil/,
  /expect the returned .* type is table but got nil/,
  /result type \d+ is not (?:number|bool)/,
];

function allowCrash(_: InterpreterInput, expected: unknown, actual: unknown): Comparable {
  const crash = isObject(expected) && typeof expected["error"] === "string" ? expected["error"] : undefined;
  const isAnswer = isObject(actual) && actual["error"] === undefined;
  if (crash === undefined || !isAnswer || !CRASHES.some((pattern) => pattern.test(crash))) return { expected, actual };
  return { expected, actual: expected, deviates: `Karmada's script fails (${crash.split("\n", 1)[0]}); ours answers` };
}

export const suite: Suite = caseSuite<InterpreterInput>(
  "interpreter-thirdparty.json",
  (input) => interpreterAnswer(interpreter, input),
  allowCrash,
);
