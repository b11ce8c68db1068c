import { featureGates } from "../../../api/feature-gates.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import type { Policy } from "../../../reconciler/policies/policy-index.ts";
import { buildBinding } from "../../../reconciler/works/binding.ts";
import { caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface BindingInput {
  readonly template: KubeObject;
  readonly policy: Policy;
  readonly priorityClasses?: readonly { readonly metadata: { readonly name: string }; readonly value: number }[];
  readonly featureGates?: Readonly<Record<string, boolean>>;
}

const interpreter = createInterpreter({ native: nativeLevel() });

/** The binding we would write. */
/** The cases were recorded from Karmada 1.18, where this gate is off unless a case says otherwise. */
const RECORDED_DEFAULTS = { PriorityBasedScheduling: false };

export function answerBinding({ template, policy, priorityClasses = [], featureGates: gates }: BindingInput): unknown {
  const {
    apiVersion: _apiVersion,
    kind,
    ...binding
  } = buildBinding({
    template,
    policy,
    interpreter,
    priorityOf: (name) => priorityClasses.find((known) => known.metadata.name === name)?.value,
    gates: featureGates({ ...RECORDED_DEFAULTS, ...gates }),
  });
  return { bindingKind: kind, binding: { ...binding, status: {} } };
}

export const suite: Suite = caseSuite<BindingInput>("binding.json", answerBinding);
