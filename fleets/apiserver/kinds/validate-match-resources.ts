// Validation of what admission policies and their bindings are about, and of their parameters.
import { checkDns1035Label, checkDnsSubdomain } from "../../../kube/names.ts";
import type { JsonObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { checkPathSegment } from "../registry/names.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notSupported,
  oneOf,
  problems,
  required,
} from "./field-errors.ts";
import { ruleErrors, textsOf } from "./validate-webhooks.ts";
import { selectorErrors } from "./validate-workloads.ts";

const MUTATED_OPERATIONS = ["*", "CONNECT", "CREATE", "UPDATE"];

/** Checks rules and selectors, which defaults have filled. */
export function matchResourcesErrors(match: JsonObject, path: string): FieldError[] {
  return [
    ...oneOf(`${path}.matchPolicy`, match["matchPolicy"], ["Equivalent", "Exact"]),
    ...selectorErrors(match["namespaceSelector"], `${path}.namespaceSelector`),
    ...selectorErrors(match["objectSelector"], `${path}.objectSelector`),
    ...["resourceRules", "excludeResourceRules"].flatMap((field) =>
      listOf(match[field]).flatMap((rule, index) => namedRuleErrors(rule, `${path}.${field}[${index}]`)),
    ),
  ];
}

function namedRuleErrors(rule: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = textsOf(rule["resourceNames"]);
  for (const [index, name] of names.entries()) {
    const at = `${path}.resourceNames[${index}]`;
    errors.push(...problems(at, name, checkPathSegment(name)));
    if (names.indexOf(name) < index) errors.push(duplicateValue(at, name));
  }
  return [...errors, ...ruleErrors(rule, path)];
}

/** Nothing can be changed of what is deleted. */
export function mutatedOperationErrors(match: JsonObject, path: string): FieldError[] {
  return listOf(match["resourceRules"]).flatMap((rule) =>
    textsOf(rule["operations"])
      .filter((operation) => !MUTATED_OPERATIONS.includes(operation))
      .map((operation) => notSupported(`${path}.resourceRules.operations`, operation, MUTATED_OPERATIONS)),
  );
}

/** Checks the kind of a policy's parameters. */
export function paramKindErrors(paramKind: JsonObject, path: string): FieldError[] {
  return [...apiVersionErrors(textOf(paramKind["apiVersion"]), `${path}.apiVersion`), ...kindErrors(paramKind, path)];
}

function apiVersionErrors(apiVersion: string, path: string): FieldError[] {
  if (apiVersion === "") return [required(path)];
  const parts = apiVersion.split("/");
  if (parts.length > 2) return [invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  const version = parts.at(-1)!;
  const group = parts.length === 2 ? parts[0]! : "";
  const wrong = (value: string, found: readonly string[]): FieldError[] =>
    found.length === 0 ? [] : [invalidValue(path, value, found.join(","))];
  return [
    ...(group === "" ? [] : wrong(group, checkDnsSubdomain(group))),
    ...(version === ""
      ? [invalidValue(path, apiVersion, "version must be specified")]
      : wrong(version, checkDns1035Label(version))),
  ];
}

function kindErrors(paramKind: JsonObject, path: string): FieldError[] {
  const kind = textOf(paramKind["kind"]);
  if (kind === "") return [required(`${path}.kind`)];
  const found = checkDns1035Label(kind.toLowerCase());
  if (found.length === 0) return [];
  return [invalidValue(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${found.join(",")}`)];
}

const EXCLUSIVE = "name and selector are mutually exclusive";

/** Checks which parameters a binding names or selects. */
export function paramRefErrors(ref: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const name = textOf(ref["name"]);
  const hasSelector = ref["selector"] !== undefined && ref["selector"] !== null;
  if (name !== "") {
    errors.push(...problems(`${path}.name`, name, checkPathSegment(name)));
    if (hasSelector) errors.push(forbiddenValue(`${path}.name`, EXCLUSIVE));
  }
  if (hasSelector) {
    errors.push(...selectorErrors(part(ref, "selector"), `${path}.selector`));
    if (name !== "") errors.push(forbiddenValue(`${path}.selector`, EXCLUSIVE));
  }
  if (name === "" && !hasSelector) errors.push(required(path, "one of name or selector must be specified"));
  const action = textOf(ref["parameterNotFoundAction"]);
  if (action === "") errors.push(required(`${path}.parameterNotFoundAction`));
  else errors.push(...oneOf(`${path}.parameterNotFoundAction`, action, ["Deny", "Allow"]));
  return errors;
}
