import type { Work } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import type { AnyBinding } from "../../../reconciler/works/binding.ts";
import { aggregateBindingStatus, aggregateTemplateStatus } from "../../../reconciler/works/status.ts";
import { caseSuite } from "../karmada-cases.ts";
import { sameButForEncoding } from "../reencoding.ts";
import type { Suite } from "../suite.ts";

interface StatusInput {
  readonly binding: AnyBinding;
  readonly works: readonly Work[];
  readonly template: KubeObject;
}

const NOW = "2026-01-01T00:00:00Z";
const interpreter = createInterpreter({ native: nativeLevel() });

function answer(input: StatusInput): unknown {
  const { status } = aggregateBindingStatus(input.binding, input.works, NOW);
  const aggregatedStatus = status?.aggregatedStatus ?? [];
  const template = aggregateTemplateStatus(input.template, aggregatedStatus, interpreter, NOW);
  // No entries are null in the recorded answers.
  return { aggregatedStatus: status?.aggregatedStatus ?? null, conditions: status?.conditions, template };
}

export const suite: Suite = caseSuite<StatusInput>("status.json", answer, (_input, expected, actual) =>
  sameButForEncoding("template", expected, actual),
);
