// What is wrong with customizations before anybody uses them.
import type { CheckScript } from "../../../api/admission/context.ts";
import { validateCustomizationAmong } from "../../../api/admission/interpreter.ts";
import { CUSTOMIZATION_OPERATIONS, type ResourceInterpreterCustomization } from "../../../api/config.ts";
import { checkManifest } from "../../../api/validate-manifest.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { InterpreterOperation } from "../interpreter.ts";

export interface CheckedRule {
  readonly operation: InterpreterOperation;
  readonly result: "PASS" | "UNSET" | "ERROR";
  /** Why it is an error. */
  readonly problem?: string;
}

/** What came of one document that is given for a customization. */
export interface CheckedCustomization {
  /** Name of the customization, else the place of the document. */
  readonly source: string;
  readonly target?: { readonly apiVersion: string; readonly kind: string };
  /** Empty when the document is no customization whose rules could be looked at. */
  readonly rules: readonly CheckedRule[];
  /** What is wrong beside the rules. */
  readonly problems: readonly string[];
}

/** A document, and how messages name it. */
export interface GivenCustomization {
  readonly value: unknown;
  readonly origin: string;
}

/** True when nothing is wrong. */
export function isFlawless({ rules, problems }: CheckedCustomization): boolean {
  return problems.length === 0 && rules.every(({ result }) => result !== "ERROR");
}

/**
 * Checks each document by itself, and the customizations against each other and `others`. A script without the function
 * that is called is an error here, as it can never work.
 */
export function checkCustomizations(
  documents: readonly GivenCustomization[],
  checkScript: CheckScript,
  others: readonly ResourceInterpreterCustomization[] = [],
): CheckedCustomization[] {
  const all = [...others, ...documents.flatMap(({ value }) => (isCustomization(value) ? [value] : []))];
  return documents.map((document) => checkDocument(document, checkScript, all));
}

/** Throws nothing: an object of the kind, with all fields that are looked at. */
export function isCustomization(value: unknown): value is ResourceInterpreterCustomization {
  return isOfKind(value) && problemsOf(value).length === 0;
}

function isOfKind(value: unknown): value is KubeObject {
  if (!isObject(value)) return false;
  return value["apiVersion"] === "config.karmada.io/v1alpha1" && value["kind"] === "ResourceInterpreterCustomization";
}

/** What an API server would refuse, scripts aside. */
function problemsOf(object: KubeObject): string[] {
  const errors = checkManifest(object).filter(({ severity }) => severity === "error");
  return errors.map(({ message }) => message);
}

function checkDocument(
  { value, origin }: GivenCustomization,
  checkScript: CheckScript,
  all: readonly ResourceInterpreterCustomization[],
): CheckedCustomization {
  const metadata = isObject(value) && isObject(value["metadata"]) ? value["metadata"] : {};
  const source = typeof metadata["name"] === "string" && metadata["name"] !== "" ? metadata["name"] : origin;
  if (!isOfKind(value)) {
    const what = isObject(value) ? `${String(value["apiVersion"] ?? "")} ${String(value["kind"] ?? "")}` : "no object";
    return { source, rules: [], problems: [`not a ResourceInterpreterCustomization, got ${what.trim()}`] };
  }
  const problems = problemsOf(value);
  if (!isCustomization(value)) return { source, rules: [], problems };
  const { target, customizations } = value.spec;
  for (const field of ["kind", "apiVersion"] as const)
    if (target[field] === "") return { source, rules: [], problems: [`target.${field} no set`] };
  const taken = new Map(validateCustomizationAmong(value, all).map(({ field, words }) => [field, words]));
  const rules = CUSTOMIZATION_OPERATIONS.map(({ rule, operation, functionName }): CheckedRule => {
    const script = customizations[rule]?.luaScript ?? "";
    if (script === "") return { operation, result: "UNSET" };
    const problem = checkScript(script, functionName)?.words ?? taken.get(`spec.customizations.${rule}`);
    return problem === undefined ? { operation, result: "PASS" } : { operation, result: "ERROR", problem };
  });
  return { source, target, rules, problems };
}
