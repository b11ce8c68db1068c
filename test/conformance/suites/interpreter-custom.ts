import type { ResourceInterpreterCustomization } from "../../../api/config.ts";
import { isObject } from "../../../kube/object.ts";
import { compileCustomization } from "../../../reconciler/interpreter/customization/compile-customization.ts";
import { CustomizationIndex } from "../../../reconciler/interpreter/customization/customization-index.ts";
import { customizationLevel } from "../../../reconciler/interpreter/customization/customization-level.ts";
import { COMMAND_LIMITS } from "../../../reconciler/interpreter/customization/script-limits.ts";
import { CompiledScripts, inPlaceRunner } from "../../../reconciler/interpreter/customization/script-runner.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface CustomInput extends InterpreterInput {
  readonly customizations: readonly ResourceInterpreterCustomization[];
}

const runner = inPlaceRunner(new CompiledScripts(compileCustomization), COMMAND_LIMITS, () => 0);

/** The answer of the customizations of a case, as with `compatibility: karmada`. */
export function answerByCustomizations(input: CustomInput): unknown {
  const scripts = new CustomizationIndex(input.customizations);
  const customization = customizationLevel({ scripts, runner, compatibility: "karmada" });
  return interpreterAnswer(createInterpreter({ customization, native: nativeLevel() }), input);
}

/** Go tells no list from an empty one; who reads a binding sees neither. */
export function withoutNullLists(_: CustomInput, expected: unknown, actual: unknown): Comparable {
  if (!isObject(expected) || expected["components"] !== null) return { expected, actual };
  return { expected: { ...expected, components: [] }, actual };
}

export const suite: Suite = caseSuite<CustomInput>("interpreter-custom.json", answerByCustomizations, withoutNullLists);
