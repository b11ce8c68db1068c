// Rules of ResourceInterpreterWebhookConfiguration and ResourceInterpreterCustomization beyond their schema.
import { checkDnsSubdomain } from "../../kube/names.ts";
import type {
  CustomizationRules,
  InterpreterClientConfig,
  ResourceInterpreterCustomization,
  ResourceInterpreterWebhookConfiguration,
} from "../config.ts";
import { duplicate, forbidden, invalid, notSupported, type Refusal, required } from "./field-error.ts";

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
    for (const operation of Object.keys(customizations) as (keyof CustomizationRules)[]) {
      if (operation === "dependencyInterpretation") continue;
      if (customizations[operation] === undefined || other.spec.customizations[operation] === undefined) continue;
      const words = `${target.apiVersion} ${target.kind} has it already, by ${other.metadata.name}`;
      refusals.push(forbidden(`spec.customizations.${operation}`, words));
    }
  }
  return refusals;
}
