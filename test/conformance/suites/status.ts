import type { Work } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { NOTHING_REPORTED } from "../../../reconciler/interpreter/interpreter.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import type { AnyBinding } from "../../../reconciler/works/binding.ts";
import { aggregateBindingStatus, aggregateTemplateStatus } from "../../../reconciler/works/status.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import { sameButForEncoding } from "../reencoding.ts";
import type { Suite } from "../suite.ts";

export interface StatusInput {
  readonly binding: AnyBinding;
  readonly works: readonly Work[];
  readonly template: KubeObject;
}

const NOW = "2026-01-01T00:00:00Z";
const interpreter = createInterpreter({ native: nativeLevel() });

/** The aggregated status, its conditions, and the template that it makes. */
export function answerStatus(input: StatusInput): unknown {
  const { status } = aggregateBindingStatus(input.binding, input.works, NOW);
  const aggregatedStatus = status?.aggregatedStatus ?? NOTHING_REPORTED;
  const template = aggregateTemplateStatus(input.template, input.binding, aggregatedStatus, interpreter, NOW);
  // No entries are null in the recorded answers.
  return { aggregatedStatus: status?.aggregatedStatus ?? null, conditions: status?.conditions, template };
}

/** Both answers without what re-encoding a template changes beside its status. */
export function comparableStatus(_input: StatusInput, expected: unknown, actual: unknown): Comparable {
  return sameButForEncoding("template", expected, actual);
}

export const suite: Suite = caseSuite<StatusInput>("status.json", answerStatus, comparableStatus);
