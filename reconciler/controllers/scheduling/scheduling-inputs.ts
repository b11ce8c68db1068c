// What a scheduling decision needs beside the binding and the fleet, and may have to be waited for.
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import type { AnyBinding } from "../../works/binding.ts";

/** One source of options: estimators, plugins, other bindings of the same group. */
export interface SchedulingInput {
  /**
   * The options that this source adds for `binding`, at once or after asking others. A rejection ends this attempt: the
   * binding keeps its placement and is tried again, so a source that can do without an answer leaves it out instead.
   */
  optionsFor(binding: AnyBinding): Partial<DecisionOptions> | Promise<Partial<DecisionOptions>>;
}

/** All options together, without waiting when no source waits. Lists of estimates add up; otherwise later sources win. */
export function collectOptions(
  inputs: readonly SchedulingInput[],
  binding: AnyBinding,
): Partial<DecisionOptions> | Promise<Partial<DecisionOptions>> {
  const answers = inputs.map((input) => input.optionsFor(binding));
  if (!answers.some((answer) => answer instanceof Promise)) return merge(answers as Partial<DecisionOptions>[]);
  return Promise.all(answers).then(merge);
}

function merge(answers: readonly Partial<DecisionOptions>[]): Partial<DecisionOptions> {
  const estimates = answers.flatMap((answer) => answer.estimates ?? []);
  return Object.assign({}, ...answers, estimates.length === 0 ? {} : { estimates });
}
