import type { GroupVersionKind } from "../../kube/object.ts";
import { type Compatibility, nativeRules } from "./betterments.ts";
import { withGenericRules } from "./generic-rules.ts";
import type { Interpreter, InterpreterLevels } from "./interpreter.ts";
import { rulesLevel } from "./kind-rules.ts";
import { createInterpreter } from "./levels.ts";
import { nativeLevel } from "./native.ts";
import { MORE_RULES, THIRD_PARTY_RULES } from "./third-party/third-party.ts";

/**
 * The levels that are shipped: rules for well-known custom resources, then those for the kinds of Kubernetes itself, and
 * last those for kinds that nobody knows. `hasStatus` tells which of these have a status subresource on the control
 * plane; without it their templates are left alone.
 */
export function builtInLevels(
  compatibility: Compatibility,
  hasStatus: (gvk: GroupVersionKind) => boolean = () => false,
): Pick<InterpreterLevels, "thirdParty" | "native"> {
  const native = nativeLevel(nativeRules(compatibility));
  return compatibility === "karmada"
    ? { thirdParty: rulesLevel(THIRD_PARTY_RULES), native }
    : {
        thirdParty: rulesLevel({ ...THIRD_PARTY_RULES, ...MORE_RULES }),
        native: withGenericRules(native, hasStatus),
      };
}

/** An interpreter: what the users of the fleet said of their kinds, before the rules that are shipped. */
export function standardInterpreter(
  compatibility: Compatibility,
  own: Pick<InterpreterLevels, "customization" | "webhook"> = {},
): Interpreter {
  return createInterpreter({ ...own, ...builtInLevels(compatibility) });
}
