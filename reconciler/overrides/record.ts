// The record, on the Work, of what was overridden: as text that equals Karmada's, so that nothing is rewritten when one
// takes over from the other.

import type {
  CommandArgsOverrider,
  FieldOverrider,
  ImageOverrider,
  JSONPatchOperation,
  LabelAnnotationOverrider,
  Overriders,
  PlaintextOverrider,
} from "../../api/policy.ts";
import { compactJson } from "./json-text.ts";
import type { AppliedOverride } from "./override-result.ts";

/** The annotation's text, ordered by policy; undefined when nothing was applied. */
export function overrideRecord(applied: readonly AppliedOverride[]): string | undefined {
  if (applied.length === 0) return undefined;
  const ordered = [...applied].sort(({ policy: a }, { policy: b }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return `[${ordered.map(ruleText).join(",")}]`;
}

// A rule is recorded for every cluster it applies to; its text is always the same.
const TEXTS = new WeakMap<Overriders, string>();

function ruleText({ policy, overriders }: AppliedOverride): string {
  let text = TEXTS.get(overriders);
  if (text === undefined) {
    text = compactJson(encodeOverriders(overriders));
    TEXTS.set(overriders, text);
  }
  return `{"policyName":${compactJson(policy.name)},"overriders":${text}}`;
}

/** Fields in the order of Karmada's types; empty ones are left out. */
function encodeOverriders(overriders: Overriders): Record<string, unknown> {
  return {
    plaintext: encodeList(overriders.plaintext, encodePlaintext),
    imageOverrider: encodeList(overriders.imageOverrider, encodeImage),
    commandOverrider: encodeList(overriders.commandOverrider, encodeWords),
    argsOverrider: encodeList(overriders.argsOverrider, encodeWords),
    labelsOverrider: encodeList(overriders.labelsOverrider, encodeLabels),
    annotationsOverrider: encodeList(overriders.annotationsOverrider, encodeLabels),
    fieldOverrider: encodeList(overriders.fieldOverrider, encodeField),
  };
}

function encodeList<T>(list: readonly T[] | undefined, encode: (item: T) => unknown): readonly unknown[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list.map(encode);
}

function encodePlaintext({ path, operator, value }: PlaintextOverrider): unknown {
  return { path, operator, value: value ?? null };
}

function encodeImage({ predicate, component, operator, value }: ImageOverrider): unknown {
  return { predicate, component, operator, value: value || undefined };
}

function encodeWords({ containerName, operator, value }: CommandArgsOverrider): unknown {
  return { containerName, operator, value: value === undefined || value.length === 0 ? undefined : value };
}

function encodeLabels({ operator, value }: LabelAnnotationOverrider): unknown {
  const sorted = value == null ? null : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { operator: operator ?? "", value: sorted };
}

function encodeField({ fieldPath, json, yaml }: FieldOverrider): unknown {
  return { fieldPath, json: encodeList(json, encodeOperation), yaml: encodeList(yaml, encodeOperation) };
}

function encodeOperation({ subPath, operator, value }: JSONPatchOperation): unknown {
  return { subPath, operator, value: value ?? null };
}
