import { type Compatibility, nativeRules } from "./betterments.ts";
import type { Interpreter, InterpreterLevels } from "./interpreter.ts";
import { rulesLevel } from "./kind-rules.ts";
import { createInterpreter } from "./levels.ts";
import { nativeLevel } from "./native.ts";
import { MORE_RULES, THIRD_PARTY_RULES } from "./third-party/third-party.ts";

/**
 * The interpreter of a control plane: what the users of the fleet said of their kinds, then the rules shipped for
 * well-known custom resources, then those for the kinds of Kubernetes itself.
 */
export function standardInterpreter(
  compatibility: Compatibility,
  own: Pick<InterpreterLevels, "customization" | "webhook"> = {},
): Interpreter {
  const thirdParty = compatibility === "karmada" ? THIRD_PARTY_RULES : { ...THIRD_PARTY_RULES, ...MORE_RULES };
  return createInterpreter({
    ...own,
    thirdParty: rulesLevel(thirdParty),
    native: nativeLevel(nativeRules(compatibility)),
  });
}
