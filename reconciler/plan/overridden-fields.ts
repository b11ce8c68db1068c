// Which fields of a copy differ by override, and who says so: policy, rule, overrider, file and commit.
import { parsePointer } from "../../kube/json-patch.ts";
import type { KubeObject } from "../../kube/object.ts";
import { overriderField, type PolicyRef } from "../overrides/override-result.ts";
import type { Copy } from "./copy.ts";
import { RUN_MASK } from "./diff/mask.ts";
import { readablePath } from "./field-path.ts";
import type { Origin } from "./origin.ts";

export interface OverriddenField {
  /** `spec.template.spec.containers[web].image`. */
  readonly path: string;
  /** As the template has it, replicas of the cluster included; undefined when it has no such field. */
  readonly old: unknown;
  /** Undefined when the field was taken away. */
  readonly value: unknown;
  /** Who had the last word. */
  readonly policy: PolicyRef;
  /** Counted from 1, as people do. */
  readonly rule: number;
  /** `spec.overrideRules[0].overriders.imageOverrider[0]`. */
  readonly field: string;
  /** Where the policy is written: its file, and the commit that brought it. */
  readonly origin: Origin | undefined;
}

/** Where a policy is written, as far as it is known. */
export type PolicyOrigin = (policy: PolicyRef) => Origin | undefined;

/** Every overridden field once, in the order in which they were first changed. What is secret is masked. */
export function overriddenFields(
  copy: Pick<Copy, "overrides">,
  originOf: PolicyOrigin = () => undefined,
): OverriddenField[] {
  const { provenance, object } = copy.overrides;
  const fields = new Map<string, OverriddenField>();
  for (const change of provenance) {
    const hidden = isSecretPath(object, change.path);
    const first = fields.get(change.path);
    const masked = (value: unknown): unknown => RUN_MASK.at(object, parsePointer(change.path), value);
    fields.set(change.path, {
      path: change.path === "" ? "" : readablePath(object, change.path),
      old: hidden ? "(hidden)" : first === undefined ? masked(change.old) : first.old,
      value: hidden ? "(hidden)" : masked(change.value),
      policy: change.policy,
      rule: change.rule + 1,
      field: overriderField(change),
      origin: originOf(change.policy),
    });
  }
  return [...fields.values()];
}

/** Whether what stands at a JSON pointer tells what is in a Secret. */
function isSecretPath(object: KubeObject, pointer: string): boolean {
  return object.kind === "Secret" && (pointer === "" || /^\/(data|stringData)(\/|$)/.test(pointer));
}

/** `policy`, among these objects; for asking where it is written. */
export function findOverridePolicy<P extends KubeObject>(
  policies: readonly P[],
  { kind, namespace = "", name }: PolicyRef,
): P | undefined {
  return policies.find(
    (policy) =>
      policy.kind === kind && policy.metadata.name === name && (policy.metadata.namespace ?? "") === namespace,
  );
}
