// Defaults and rules of OverridePolicy and ClusterOverridePolicy beyond their schema.
import { checkLabelValue, checkQualifiedName } from "../../kube/names.ts";
import { cloneJson } from "../../kube/object.ts";
import { parseVariables, textsIn } from "../override-variables.ts";
import type {
  ClusterOverridePolicy,
  FieldOverrider,
  JSONPatchOperation,
  OverridePolicy,
  Overriders,
  OverrideSpec,
} from "../policy.ts";
import type { AdmissionContext } from "./context.ts";
import { invalid, type Refusal, required } from "./field-error.ts";
import { validateClusterAffinity } from "./placement.ts";
import { validateSelectorNamespaces } from "./propagation.ts";

const LONGEST_ANNOTATIONS_BYTES = 256 * 1024;

/** A copy of the policy as it is stored. ClusterOverridePolicy has no defaults. */
export function defaultOverridePolicy(policy: OverridePolicy, context: AdmissionContext): OverridePolicy {
  // Differs from Karmada: no empty `overriders` and no `value: null` are added; they are traces of its encoder.
  const copy = cloneJson(policy);
  for (const selector of copy.spec.resourceSelectors ?? []) {
    if (!selector.namespace) selector.namespace = context.requestNamespace;
  }
  return copy;
}

export function validateOverridePolicy(policy: OverridePolicy): readonly Refusal[] {
  // As Karmada, which stores this kind without its empty lists before it looks.
  return validateOverrideSpec(
    policy.spec,
    policy.metadata.namespace ?? "",
    (policy.spec.overrideRules ?? []).length > 0,
  );
}

export function validateClusterOverridePolicy(policy: ClusterOverridePolicy): readonly Refusal[] {
  return validateOverrideSpec(policy.spec, "", policy.spec.overrideRules != null);
}

function validateOverrideSpec(spec: OverrideSpec, namespace: string, hasRules: boolean): Refusal[] {
  const refusals = validateClusterAffinity(spec.targetCluster, "spec.targetCluster");
  if (hasRules && spec.targetCluster) {
    refusals.push(invalid("spec.targetCluster", {}, "cannot stand beside overrideRules; put it into the rules"));
  }
  if (hasRules && !isEmpty(spec.overriders)) {
    refusals.push(invalid("spec.overriders", {}, "cannot stand beside overrideRules; put them into a rule"));
  }
  for (const [index, rule] of (spec.overrideRules ?? []).entries()) {
    const at = `spec.overrideRules[${index}]`;
    refusals.push(
      ...validateOverriders(rule.overriders, `${at}.overriders`, spec.flaghoist?.variables === true),
      ...validateClusterAffinity(rule.targetCluster, `${at}.targetCluster`),
    );
  }
  if (spec.flaghoist?.variables === true) refusals.push(...validateVariables(spec));
  return [...refusals, ...validateSelectorNamespaces(spec.resourceSelectors ?? [], namespace, "OverridePolicy")];
}

/**
 * What would be refused in the superseded `spec.overriders` and `spec.targetCluster`, were they written as a rule; Karmada
 * does not look at them.
 */
export function legacyProblems({ overriders, targetCluster, flaghoist }: OverrideSpec): readonly Refusal[] {
  return [
    ...validateOverriders(overriders, "spec.overriders", flaghoist?.variables === true),
    ...validateClusterAffinity(targetCluster, "spec.targetCluster"),
  ];
}

// As Karmada: a fieldOverrider does not count here.
function isEmpty(overriders: Overriders | undefined): boolean {
  const { fieldOverrider: _, ...others } = overriders ?? {};
  return Object.values(others).every((list) => !list || list.length === 0);
}

function validateOverriders(overriders: Overriders | undefined, at: string, hasVariables: boolean): Refusal[] {
  return [
    ...(overriders?.annotationsOverrider ?? []).flatMap(({ value }, index) =>
      validateAnnotations(value, `${at}.annotationsOverrider[${index}].value`),
    ),
    ...(overriders?.labelsOverrider ?? []).flatMap(({ value }, index) =>
      validateLabels(value, `${at}.labelsOverrider[${index}].value`, hasVariables),
    ),
    ...(overriders?.imageOverrider ?? []).flatMap(({ predicate }, index) =>
      predicate ? validatePointer(predicate.path, `${at}.imageOverrider[${index}].predicate.path`) : [],
    ),
    ...(overriders?.fieldOverrider ?? []).flatMap((field, index) =>
      validateFieldOverrider(field, `${at}.fieldOverrider[${index}]`),
    ),
  ];
}

function validateAnnotations(annotations: Readonly<Record<string, string>>, at: string): Refusal[] {
  const refusals: Refusal[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    // As Kubernetes: upper case counts as lower case here.
    refusals.push(...checkQualifiedName(key.toLowerCase()).map((words) => invalid(at, key, words)));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > LONGEST_ANNOTATIONS_BYTES) {
    refusals.push(invalid(at, {}, `annotations of ${bytes} bytes; the most is ${LONGEST_ANNOTATIONS_BYTES}`));
  }
  return refusals;
}

function validateLabels(labels: Readonly<Record<string, string>>, at: string, hasVariables: boolean): Refusal[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((words) => invalid(at, key, words)),
    ...checkLabelValue(hasVariables ? withSamples(value) : value).map((words) => invalid(at, value, words)),
  ]);
}

/** With a letter for each variable: what is around them has to be right. */
function withSamples(text: string): string {
  const parts = parseVariables(text);
  return typeof parts === "string" ? "x" : parts.map((part) => (typeof part === "string" ? part : "x")).join("");
}

/** Variables can be read, wherever values have some. */
function validateVariables({ overriders, overrideRules }: OverrideSpec): Refusal[] {
  const lists = [
    ...(overrideRules ?? []).map(
      (rule, index) => [rule.overriders, `spec.overrideRules[${index}].overriders`] as const,
    ),
    [overriders, "spec.overriders"] as const,
  ];
  return lists.flatMap(([given, at]) =>
    Object.entries(given ?? {}).flatMap(([overrider, items]) =>
      (items ?? []).flatMap((item, index) => variableProblems(item, `${at}.${overrider}[${index}]`)),
    ),
  );
}

function variableProblems(item: object, at: string): Refusal[] {
  return Object.entries(item).flatMap(([field, value]: [string, unknown]) => {
    if (field === "json" || field === "yaml")
      return ((value ?? []) as readonly object[]).flatMap((operation, index) =>
        variableProblems(operation, `${at}.${field}[${index}]`),
      );
    if (field !== "value") return [];
    return [...textsIn(value)].flatMap((text) => {
      const parts = parseVariables(text);
      return typeof parts === "string" ? [invalid(`${at}.value`, text, parts)] : [];
    });
  });
}

function validatePointer(pointer: string, at: string): Refusal[] {
  if (pointer === "" || pointer.startsWith("/")) return [];
  return [invalid(at, pointer, "a JSON pointer is empty or begins with a slash")];
}

function validateFieldOverrider({ fieldPath, json, yaml }: FieldOverrider, at: string): Refusal[] {
  const refusals: Refusal[] = [];
  if (json?.length && yaml?.length) {
    refusals.push(invalid(at, {}, "a field holds either JSON or YAML; give json or yaml, not both"));
  }
  if (!json?.length && !yaml?.length) refusals.push(required(at, "give the changes in json or yaml"));
  return [
    ...refusals,
    ...validatePointer(fieldPath, `${at}.fieldPath`),
    ...validateOperations(json, `${at}.json`),
    ...validateOperations(yaml, `${at}.yaml`),
  ];
}

function validateOperations(operations: readonly JSONPatchOperation[] | undefined, at: string): Refusal[] {
  return (operations ?? []).flatMap(({ operator, subPath, value }, index) => {
    const path = `${at}[${index}]`;
    const refusals = validatePointer(subPath, `${path}.subPath`);
    const hasValue = value !== undefined && value !== null;
    if (operator === "remove" && hasValue) refusals.push(invalid(`${path}.value`, value, "remove takes no value"));
    if (operator !== "remove" && !hasValue) {
      refusals.push(invalid(`${path}.value`, {}, `${operator} needs a value`));
    }
    return refusals;
  });
}
