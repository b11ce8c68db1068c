// The form in which the reference's built-in objects come back from storage: it stores protobuf, which cannot tell an
// empty list from none, so that an empty list that is always printed becomes null.
import type { JsonObject } from "../../../kube/object.ts";
import { fieldsOf } from "./tables.ts";

interface Plan {
  /** Lists and maps that are printed even when they are empty. */
  readonly lists: readonly string[];
  readonly steps: readonly (readonly [field: string, plan: Plan])[];
}

const NOTHING: Plan = { lists: [], steps: [] };
const plans = new Map<string, Plan>();

function planOf(typeName: string): Plan {
  const known = plans.get(typeName);
  if (known !== undefined) return known;
  // The two extension groups are stored as JSON, and their schemas recurse.
  plans.set(typeName, NOTHING);
  if (/^(apiextensions|apiregistration)\//.test(typeName)) return NOTHING;
  const lists: string[] = [];
  const steps: (readonly [string, Plan])[] = [];
  for (const [, field, code, flags] of fieldsOf(typeName)) {
    const isList = /^[[{y]/.test(code);
    if (isList && !flags.includes("o")) lists.push(field);
    const message = code.indexOf(":");
    if (message < 0) continue;
    const plan = planOf(code.slice(message + 1));
    if (plan === NOTHING) continue;
    if (field === "") {
      lists.push(...plan.lists);
      steps.push(...plan.steps);
    } else steps.push([field, plan]);
  }
  const plan = lists.length === 0 && steps.length === 0 ? NOTHING : { lists, steps };
  plans.set(typeName, plan);
  return plan;
}

/** Replaces empty lists and maps that are always printed by null, in place. */
export function toStoredForm(typeName: string, value: JsonObject): void {
  run(planOf(typeName), value);
}

function run(plan: Plan, value: JsonObject): void {
  for (const field of plan.lists) if (isEmpty(value[field])) value[field] = null;
  for (const [field, inner] of plan.steps) {
    const child = value[field];
    if (typeof child !== "object" || child === null) continue;
    // Decoded lists and maps of structs hold objects; a struct is one itself.
    if (Array.isArray(child)) for (const item of child) run(inner, item as JsonObject);
    else run(inner, child);
  }
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}
