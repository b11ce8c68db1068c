// Rules of ResourceInterpreterWebhookConfiguration and ResourceInterpreterCustomization beyond their schema.
import { checkDnsSubdomain } from "../../kube/names.ts";
import {
  CUSTOMIZATION_OPERATIONS,
  type CustomizationRules,
  type InterpreterClientConfig,
  type ResourceInterpreterCustomization,
  type ResourceInterpreterWebhookConfiguration,
} from "../config.ts";
import type { CheckScript, ScriptProblem } from "./context.ts";
import {
  duplicate,
  type FieldWarning,
  forbidden,
  invalid,
  notSupported,
  type Refusal,
  required,
} from "./field-error.ts";

const OPERATIONS = [
  "*",
  "InterpretReplica",
  "InterpretComponent",
  "ReviseReplica",
  "Retain",
  "AggregateStatus",
  "InterpretDependency",
  "InterpretStatus",
  "InterpretHealth",
  "Prune",
];
const CONTEXT_VERSION = "v1alpha1";
const LONGEST_TIMEOUT_SECONDS = 30;

export function validateInterpreterWebhooks({ webhooks }: ResourceInterpreterWebhookConfiguration): readonly Refusal[] {
  const names = new Set<string>();
  return webhooks.flatMap((webhook, index) => {
    const at = `webhooks[${index}]`;
    const { name, timeoutSeconds, interpreterContextVersions } = webhook;
    const refusals: Refusal[] = checkFullName(name).map((words) => invalid(`${at}.name`, name, words));
    if (names.has(name)) {
      refusals.push(duplicate(`${at}.name`, name, `the name ${JSON.stringify(name)} is already used`));
    }
    names.add(name);
    if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > LONGEST_TIMEOUT_SECONDS)) {
      refusals.push(
        invalid(`${at}.timeoutSeconds`, timeoutSeconds, `must be between 1 and ${LONGEST_TIMEOUT_SECONDS} seconds`),
      );
    }
    if (!interpreterContextVersions.includes(CONTEXT_VERSION)) {
      refusals.push(
        required(`${at}.interpreterContextVersions`, `must have ${CONTEXT_VERSION}, the version that is sent`),
      );
    }
    for (const [ruleIndex, rule] of (webhook.rules ?? []).entries()) {
      for (const [place, operation] of rule.operations.entries()) {
        if (OPERATIONS.includes(operation)) continue;
        refusals.push(notSupported(`${at}.rules[${ruleIndex}].operations[${place}]`, operation, OPERATIONS));
      }
    }
    return [...refusals, ...validateClient(webhook.clientConfig, `${at}.clientConfig`)];
  });
}

function checkFullName(name: string): string[] {
  const problems = checkDnsSubdomain(name);
  if (name.split(".").length < 3) problems.push("must have three parts at least, such as workloads.example.com");
  return problems;
}

function validateClient({ url, service }: InterpreterClientConfig, at: string): Refusal[] {
  if (url === undefined && service === undefined) return [required(at, "name a url or a service")];
  if (url !== undefined && service !== undefined) return [forbidden(at, "name a url or a service, not both")];
  if (url === undefined) return [];
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "https:")
    return [invalid(`${at}.url`, url, "must be an address that begins with https")];
  if (parsed.username !== "") return [invalid(`${at}.url`, "", "must not hold a user or password")];
  if (parsed.search !== "" || parsed.hash !== "")
    return [invalid(`${at}.url`, url, "must not have a query or fragment")];
  return [];
}

/** Scripts of a customization that cannot be loaded. */
export function validateCustomization(
  customization: ResourceInterpreterCustomization,
  checkScript: CheckScript | undefined,
): readonly Refusal[] {
  return (
    scriptProblems(customization, checkScript)
      .filter(({ severity }) => severity === "error")
      // The script itself would bury the reason.
      .map(({ field, words }) => ({ ...invalid(field, {}, words), message: `Invalid value: ${words}` }))
  );
}

/** Scripts of a customization that will not work when they are called. */
export function customizationWarnings(
  customization: ResourceInterpreterCustomization,
  checkScript: CheckScript | undefined,
): readonly FieldWarning[] {
  const { target, customizations } = customization.spec;
  const found: FieldWarning[] = scriptProblems(customization, checkScript)
    .filter(({ severity }) => severity === "warning")
    .map(({ field, words }) => ({ field, words }));
  for (const field of ["apiVersion", "kind"] as const)
    if (target[field] === "")
      found.push({ field: `spec.target.${field}`, words: "is empty, so that no object is meant" });
  if (scriptsOf(customizations).length === 0)
    found.push({ field: "spec.customizations", words: "has no script, and so no effect" });
  return found;
}

function scriptsOf(
  customizations: CustomizationRules,
): { readonly rule: keyof CustomizationRules; readonly functionName: string; readonly source: string }[] {
  return CUSTOMIZATION_OPERATIONS.flatMap(({ rule, functionName }) => {
    const source = customizations[rule]?.luaScript ?? "";
    return source === "" ? [] : [{ rule, functionName, source }];
  });
}

function scriptProblems(
  { spec }: ResourceInterpreterCustomization,
  checkScript: CheckScript | undefined,
): (ScriptProblem & FieldWarning)[] {
  if (checkScript === undefined) return [];
  return scriptsOf(spec.customizations).flatMap(({ rule, functionName, source }) => {
    const problem = checkScript(source, functionName);
    return problem === undefined ? [] : [{ ...problem, field: `spec.customizations.${rule}.luaScript` }];
  });
}

/**
 * What of a customization another one for the same kind already says; `others` may hold any customizations, the
 * checked one among them. Several may list dependencies, since those add up.
 */
export function validateCustomizationAmong(
  customization: ResourceInterpreterCustomization,
  others: Iterable<ResourceInterpreterCustomization>,
): readonly Refusal[] {
  const { target, customizations } = customization.spec;
  const refusals: Refusal[] = [];
  for (const other of others) {
    if (other.metadata.name === customization.metadata.name) continue;
    if (other.spec.target.apiVersion !== target.apiVersion || other.spec.target.kind !== target.kind) continue;
    for (const { rule } of scriptsOf(customizations)) {
      if (rule === "dependencyInterpretation" || !other.spec.customizations[rule]?.luaScript) continue;
      const words = `${target.apiVersion} ${target.kind} has it already, by ${other.metadata.name}`;
      refusals.push(forbidden(`spec.customizations.${rule}`, words));
    }
  }
  return refusals;
}
