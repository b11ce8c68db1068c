import { rulesLevel } from "../../../reconciler/interpreter/kind-rules.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { THIRD_PARTY_RULES } from "../../../reconciler/interpreter/third-party/third-party.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { caseSuite } from "../karmada-cases.ts";
import { sameButForScript } from "../script-traces.ts";
import type { Suite } from "../suite.ts";

const interpreter = createInterpreter({ thirdParty: rulesLevel(THIRD_PARTY_RULES), native: nativeLevel() });

/** What we answer with no rules but those for the kinds that Karmada has scripts for. */
export function answerThirdParty(input: InterpreterInput): unknown {
  return interpreterAnswer(interpreter, input);
}

export const suite: Suite = caseSuite<InterpreterInput>(
  "interpreter-thirdparty.json",
  answerThirdParty,
  sameButForScript,
);
