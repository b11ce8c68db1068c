// Validation of webhook configurations.
import { checkDnsSubdomain } from "../../../kube/names.ts";
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { duplicateValue, invalidValue, notSupported, oneOf, problems, required } from "./field-errors.ts";
import { matchConditionErrors } from "./match-condition-errors.ts";
import { selectorErrors } from "./validate-workloads.ts";
import { webhookClientErrors } from "./webhook-client-errors.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const VERSION = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const VERSION_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** Checks both kinds of configurations. */
export function validateWebhooks(object: KubeObject, old?: KubeObject): FieldError[] {
  const seen = new Set<string>();
  const webhooks = listOf(object["webhooks"]);
  const checksConditions = !sameConditions(webhooks, old);
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const errors = webhookErrors(webhook, path, checksConditions);
    const name = textOf(webhook["name"]);
    if (name !== "" && seen.has(name)) errors.push(duplicateValue(`${path}.name`, name));
    seen.add(name);
    return errors;
  });
}

function webhookErrors(webhook: JsonObject, path: string, checksConditions: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const name = textOf(webhook["name"]);
  if (name === "") errors.push(required(`${path}.name`));
  else if (checkDnsSubdomain(name).length > 0) errors.push(...problems(`${path}.name`, name, checkDnsSubdomain(name)));
  else if (name.split(".").length < 3) {
    const why = "should be a domain with at least three segments separated by dots";
    errors.push(invalidValue(`${path}.name`, name, why));
  }
  for (const [index, rule] of listOf(webhook["rules"]).entries()) {
    errors.push(...ruleErrors(rule, `${path}.rules[${index}]`));
  }
  errors.push(...oneOf(`${path}.failurePolicy`, webhook["failurePolicy"], ["Fail", "Ignore"]));
  errors.push(...oneOf(`${path}.matchPolicy`, webhook["matchPolicy"], ["Equivalent", "Exact"]));
  const effects = webhook["sideEffects"];
  if (effects === undefined || effects === null) {
    errors.push(required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun"));
  } else errors.push(...oneOf(`${path}.sideEffects`, effects, ["None", "NoneOnDryRun"]));
  const timeout = webhook["timeoutSeconds"];
  if (typeof timeout === "number" && (timeout < 1 || timeout > 30)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalidValue(`${path}.timeoutSeconds`, timeout, why));
  }
  errors.push(...selectorErrors(webhook["namespaceSelector"], `${path}.namespaceSelector`));
  errors.push(...selectorErrors(webhook["objectSelector"], `${path}.objectSelector`));
  errors.push(...oneOf(`${path}.reinvocationPolicy`, webhook["reinvocationPolicy"], ["IfNeeded", "Never"]));
  errors.push(...webhookClientErrors(`${path}.clientConfig`, part(webhook, "clientConfig")));
  if (checksConditions) {
    errors.push(...matchConditionErrors(listOf(webhook["matchConditions"]), `${path}.matchConditions`, false));
  }
  return [...errors, ...reviewVersionErrors(webhook["admissionReviewVersions"], `${path}.admissionReviewVersions`)];
}

/** Errors of the versions of reviews that a webhook takes. */
export function reviewVersionErrors(given: unknown, path: string): FieldError[] {
  const versions = Array.isArray(given) ? given.map(String) : [];
  const known = REVIEW_VERSIONS.join(", ");
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const errors: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    const at = `${path}[${index}]`;
    if (versions.indexOf(version) < index) errors.push(invalidValue(at, version, "duplicate version"));
    else if (!VERSION.test(version)) errors.push(invalidValue(at, version, VERSION_RULE));
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(invalidValue(path, versions, `must include at least one of ${known}`));
  }
  return errors;
}

/** What the `*` of a field stands for in messages. */
const STARS = { apiGroups: "API groups", apiVersions: "API versions", operations: "operations" } as const;

/** Checks what a webhook or policy is about. */
export function ruleErrors(rule: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const operations = textsOf(rule["operations"]);
  errors.push(...starErrors(rule, path, "operations"));
  for (const [index, operation] of operations.entries()) {
    errors.push(...oneOf(`${path}.operations[${index}]`, operation, OPERATIONS));
  }
  errors.push(...starErrors(rule, path, "apiGroups"), ...starErrors(rule, path, "apiVersions"));
  for (const [index, version] of textsOf(rule["apiVersions"]).entries()) {
    if (version === "") errors.push(required(`${path}.apiVersions[${index}]`));
  }
  errors.push(...resourceErrors(textsOf(rule["resources"]), `${path}.resources`));
  const scope = rule["scope"];
  if (typeof scope === "string" && !SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES));
  return errors;
}

function starErrors(rule: JsonObject, path: string, field: keyof typeof STARS): FieldError[] {
  const values = textsOf(rule[field]);
  if (values.length === 0) return [required(`${path}.${field}`)];
  if (values.length === 1 || !values.includes("*")) return [];
  return [invalidValue(`${path}.${field}`, values, `if '*' is present, must not specify other ${STARS[field]}`)];
}

/** Refuses resources that another one of the list has in it already. */
function resourceErrors(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  /** Subresources of all resources, and resources with all their subresources. */
  const everywhere = new Set<string>();
  const whole = new Set<string>();
  for (const [index, text] of resources.entries()) {
    if (text === "") {
      errors.push(required(`${path}[${index}]`));
      continue;
    }
    if (text === "*/*") continue;
    const [resource = "", sub = ""] = splitOnce(text);
    if (whole.has(resource)) {
      const why = `if '${resource}/*' is present, must not specify ${text}`;
      errors.push(invalidValue(`${path}[${index}]`, text, why));
    }
    if (everywhere.has(sub)) {
      errors.push(invalidValue(`${path}[${index}]`, text, `if '*/${sub}' is present, must not specify ${text}`));
    }
    if (sub === "*") whole.add(resource);
    if (resource === "*" && text.includes("/")) everywhere.add(sub);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalidValue(path, [...resources], "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && resources.some((text) => text !== "*" && !text.includes("/"))) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidValue(path, [...resources], why));
  }
  return errors;
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf("/");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Conditions that did not change were found good before. */
function sameConditions(webhooks: readonly JsonObject[], old: KubeObject | undefined): boolean {
  if (old === undefined) return false;
  const before = listOf(old["webhooks"]);
  return (
    before.length === webhooks.length &&
    webhooks.every((webhook, index) => equalJson(webhook["matchConditions"], before[index]?.["matchConditions"]))
  );
}

/** The texts of a list; anything else is none. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
