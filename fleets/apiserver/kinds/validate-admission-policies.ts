// Validation of admission policies and their bindings. Expressions are compiled with what they see when they are
// evaluated; those that do not compile are refused.
import { CompileError } from "../../../kube/cel/program.ts";
import { BOOL, NULL, STRING } from "../../../kube/cel/types.ts";
import { checkDnsSubdomain, checkQualifiedName } from "../../../kube/names.ts";
import { equalJson, isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { compileMutation } from "../admission/policies/mutations.ts";
import { type CompiledExpression, PolicyVariables } from "../admission/policies/policy-expressions.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { duplicateValue, invalidValue, notSupported, oneOf, problems, required } from "./field-errors.ts";
import { matchConditionErrors } from "./match-condition-errors.ts";
import {
  matchResourcesErrors,
  mutatedOperationErrors,
  paramKindErrors,
  paramRefErrors,
} from "./validate-match-resources.ts";
import { textsOf } from "./validate-webhooks.ts";

const ACTIONS = ["Audit", "Deny", "Warn"];
const MOST_ANNOTATIONS = 20;
const LONGEST_VALUE_EXPRESSION = 5 * 1024;
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

export function validateValidatingPolicy(policy: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = part(policy, "spec");
  const annotations = listOf(spec["auditAnnotations"]);
  const validations = listOf(spec["validations"]);
  // Expressions of a policy without variables do not know the word.
  const variables = new PolicyVariables(hasParams(spec), listOf(spec["variables"]).length > 0);
  const errors = [...headErrors(spec, old), ...variableErrors(spec, variables)];
  if (validations.length === 0 && annotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    return [...errors, required("spec.validations", why), required("spec.auditAnnotations", why)];
  }
  for (const [index, validation] of validations.entries()) {
    errors.push(...validationErrors(validation, `spec.validations[${index}]`, variables));
  }
  if (annotations.length > MOST_ANNOTATIONS) {
    const shown = annotations.map(({ key = "", valueExpression = "" }) => ({
      Key: key,
      ValueExpression: valueExpression,
    }));
    const why = `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`;
    errors.push(invalidValue("spec.auditAnnotations", shown, why));
  }
  const seen = new Set<string>();
  for (const [index, annotation] of annotations.entries()) {
    const at = `spec.auditAnnotations[${index}]`;
    errors.push(...annotationErrors(annotation, at, policy.metadata.name ?? "", variables));
    const key = textOf(annotation["key"]);
    if (seen.has(key)) errors.push(duplicateValue(`${at}.key`, key));
    seen.add(key);
  }
  return errors;
}

export function validateMutatingPolicy(policy: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = part(policy, "spec");
  const variables = new PolicyVariables(hasParams(spec));
  const mutations = listOf(spec["mutations"]);
  const errors = [...headErrors(spec, old, mutatedOperationErrors), ...variableErrors(spec, variables)];
  if (mutations.length === 0) errors.push(required("spec.mutations", "mutations must contain at least one item"));
  for (const [index, mutation] of mutations.entries()) {
    errors.push(...mutationErrors(mutation, `spec.mutations[${index}]`, variables));
  }
  const reinvocation = textOf(spec["reinvocationPolicy"]);
  if (reinvocation === "") errors.push(required("spec.reinvocationPolicy"));
  else errors.push(...oneOf("spec.reinvocationPolicy", reinvocation, ["IfNeeded", "Never"]));
  return errors;
}

export function validateValidatingBinding(binding: KubeObject): FieldError[] {
  const spec = part(binding, "spec");
  const path = "spec.validationActions";
  const errors = bindingErrors(spec);
  const actions = textsOf(spec["validationActions"]);
  for (const [index, action] of actions.entries()) {
    errors.push(...oneOf(`${path}[${index}]`, action, ACTIONS));
    if (actions.indexOf(action) < index) errors.push(duplicateValue(`${path}[${index}]`, action));
  }
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    errors.push(invalidValue(path, actions, why));
  }
  if (actions.length === 0) errors.push(required(path, "at least one validation action is required"));
  return errors;
}

export function validateMutatingBinding(binding: KubeObject): FieldError[] {
  const spec = part(binding, "spec");
  return [...bindingErrors(spec), ...mutatedOperationErrors(part(spec, "matchResources"), "spec.matchResources")];
}

function bindingErrors(spec: JsonObject): FieldError[] {
  const policyName = textOf(spec["policyName"]);
  return [
    ...(policyName === ""
      ? [required("spec.policyName")]
      : problems("spec.policyName", policyName, checkDnsSubdomain(policyName))),
    ...(isObject(spec["paramRef"]) ? paramRefErrors(part(spec, "paramRef"), "spec.paramRef") : []),
    ...matchResourcesErrors(part(spec, "matchResources"), "spec.matchResources"),
  ];
}

function hasParams(spec: JsonObject): boolean {
  return isObject(spec["paramKind"]);
}

/** What both kinds of policies begin with. Conditions that did not change were found good before. */
function headErrors(
  spec: JsonObject,
  old: KubeObject | undefined,
  operationErrors: (match: JsonObject, path: string) => FieldError[] = () => [],
): FieldError[] {
  const errors = oneOf("spec.failurePolicy", spec["failurePolicy"], ["Fail", "Ignore"]);
  if (hasParams(spec)) errors.push(...paramKindErrors(part(spec, "paramKind"), "spec.paramKind"));
  const path = "spec.matchConstraints";
  if (isObject(spec["matchConstraints"])) {
    const match = part(spec, "matchConstraints");
    errors.push(...matchResourcesErrors(match, path));
    if (listOf(match["resourceRules"]).length === 0) errors.push(required(`${path}.resourceRules`));
    errors.push(...operationErrors(match, path));
  } else errors.push(required(path));
  const before = old === undefined ? undefined : part(old, "spec");
  const isSame = (field: string): boolean => before !== undefined && equalJson(spec[field], before[field]);
  if (!isSame("paramKind") || !isSame("matchConditions")) {
    errors.push(...matchConditionErrors(listOf(spec["matchConditions"]), "spec.matchConditions", hasParams(spec)));
  }
  return errors;
}

function variableErrors(spec: JsonObject, variables: PolicyVariables): FieldError[] {
  return listOf(spec["variables"]).flatMap((variable, index) => {
    const path = `spec.variables[${index}]`;
    const errors: FieldError[] = [];
    const name = textOf(variable["name"]);
    const expression = textOf(variable["expression"]);
    if (name.trim() === "") errors.push(required(`${path}.name`, "name is not specified"));
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      errors.push(invalidValue(`${path}.name`, name, "must be a valid CEL identifier"));
    }
    if (expression.trim() === "") return [...errors, required(`${path}.expression`, "expression is not specified")];
    const problem = variables.add({ name, expression });
    if (problem !== undefined) errors.push(invalidValue(`${path}.expression`, expression, problem.message));
    return errors;
  });
}

/** The error of an expression that does not compile; `shown` is what was written. */
function compileErrors(path: string, { program }: CompiledExpression, shown: string): FieldError[] {
  return program instanceof CompileError ? [invalidValue(path, shown, program.message)] : [];
}

function validationErrors(validation: JsonObject, path: string, variables: PolicyVariables): FieldError[] {
  const errors: FieldError[] = [];
  const expression = textOf(validation["expression"]);
  const messageExpression = textOf(validation["messageExpression"]);
  const message = textOf(validation["message"]);
  if (expression.trim() === "") errors.push(required(`${path}.expression`, "expression is not specified"));
  else errors.push(...compileErrors(`${path}.expression`, variables.compile(expression, [BOOL]), expression));
  const blank = "must be non-empty if specified";
  if (messageExpression !== "") {
    const at = `${path}.messageExpression`;
    if (messageExpression.trim() === "") errors.push(invalidValue(at, messageExpression, blank));
    else {
      const compiled = variables.compile(messageExpression, [STRING], { authorizer: false });
      errors.push(...compileErrors(at, compiled, messageExpression));
    }
  }
  if (message !== "" && message.trim() === "") errors.push(invalidValue(`${path}.message`, message, blank));
  else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalidValue(`${path}.message`, message, "must not contain line breaks"));
  }
  const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
  return [...errors, ...oneOf(`${path}.reason`, validation["reason"], reasons)];
}

function annotationErrors(
  annotation: JsonObject,
  path: string,
  policyName: string,
  variables: PolicyVariables,
): FieldError[] {
  const errors: FieldError[] = [];
  const key = textOf(annotation["key"]);
  if (policyName === "") errors.push(invalidValue(`${path}.key`, key, "requires metadata.name be non-empty"));
  else errors.push(...problems(`${path}.key`, `${policyName}/${key}`, checkQualifiedName(`${policyName}/${key}`)));
  const written = textOf(annotation["valueExpression"]);
  const expression = written.trim();
  const at = `${path}.valueExpression`;
  if (expression === "") return [...errors, required(at, "valueExpression is not specified")];
  if (Buffer.byteLength(expression) > LONGEST_VALUE_EXPRESSION) {
    return [...errors, required(at, `must not exceed ${LONGEST_VALUE_EXPRESSION} bytes in length`)];
  }
  return [...errors, ...compileErrors(at, variables.compile(expression, [STRING, NULL]), written)];
}

const PATCHES = {
  JSONPatch: { field: "jsonPatch", other: "applyConfiguration" },
  ApplyConfiguration: { field: "applyConfiguration", other: "jsonPatch" },
} as const;

function mutationErrors(mutation: JsonObject, path: string, variables: PolicyVariables): FieldError[] {
  const type = textOf(mutation["patchType"]);
  if (type === "") return [required(`${path}.patchType`)];
  if (type !== "JSONPatch" && type !== "ApplyConfiguration") {
    return [notSupported(`${path}.patchType`, type, Object.keys(PATCHES).sort())];
  }
  const { field, other } = PATCHES[type];
  const at = `${path}.${field}`;
  const errors: FieldError[] = [];
  if (isObject(mutation[field])) {
    const expression = textOf(part(mutation, field)["expression"]).trim();
    if (expression === "") errors.push(required(`${at}.expression`));
    else {
      const compiled = compileMutation({ patchType: type, [field]: { expression } }, variables);
      errors.push(...compileErrors(`${at}.expression`, compiled.expression, expression));
    }
  } else errors.push(required(at, `must be specified when patchType is ${type}`));
  if (isObject(mutation[other])) {
    errors.push(invalidValue(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`));
  }
  return errors;
}
