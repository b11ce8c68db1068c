import { type Compatibility, nativeRules } from "./betterments.ts";
import type { Interpreter, InterpreterLevels } from "./interpreter.ts";
import { rulesLevel } from "./kind-rules.ts";
import { createInterpreter } from "./levels.ts";
import { nativeLevel } from "./native.ts";
import { MORE_RULES, THIRD_PARTY_RULES } from "./third-party/third-party.ts";

/** The levels that are shipped: rules for well-known custom resources, then those for the kinds of Kubernetes itself. */
export function builtInLevels(compatibility: Compatibility): Pick<InterpreterLevels, "thirdParty" | "native"> {
  const thirdParty = compatibility === "karmada" ? THIRD_PARTY_RULES : { ...THIRD_PARTY_RULES, ...MORE_RULES };
  return { thirdParty: rulesLevel(thirdParty), native: nativeLevel(nativeRules(compatibility)) };
}

/** An interpreter: what the users of the fleet said of their kinds, before the rules that are shipped. */
export function standardInterpreter(
  compatibility: Compatibility,
  own: Pick<InterpreterLevels, "customization" | "webhook"> = {},
): Interpreter {
  return createInterpreter({ ...own, ...builtInLevels(compatibility) });
}
