// Applies the default rows to a decoded object: walks only into fields whose types have rules somewhere below.
import type { JsonObject } from "../../../kube/object.ts";
import { DEFAULT_RULES, type DefaultRule } from "./default-rules.ts";
import { fieldsOf } from "./tables.ts";

interface Step {
  readonly field: string;
  readonly shape: "struct" | "list" | "map";
  readonly plan: Plan;
}

interface Plan {
  readonly rules: readonly DefaultRule[];
  readonly steps: readonly Step[];
}

const NOTHING: Plan = { rules: [], steps: [] };
const plans = new Map<string, Plan>();

function planOf(typeName: string): Plan {
  const known = plans.get(typeName);
  if (known !== undefined) return known;
  // Types that recurse into themselves have no rules.
  plans.set(typeName, NOTHING);
  const rules: DefaultRule[] = [...(DEFAULT_RULES[typeName] ?? [])];
  const steps: Step[] = [];
  for (const [, field, code] of fieldsOf(typeName)) {
    const shape = code.startsWith(":") ? "struct" : code.startsWith("[:") ? "list" : code.startsWith("{:") ? "map" : "";
    if (shape === "") continue;
    const plan = planOf(code.slice(code.indexOf(":") + 1));
    if (plan === NOTHING) continue;
    if (field === "") {
      rules.push(...plan.rules);
      steps.push(...plan.steps);
    } else {
      steps.push({ field, shape, plan });
    }
  }
  const plan = rules.length === 0 && steps.length === 0 ? NOTHING : { rules, steps };
  plans.set(typeName, plan);
  return plan;
}

/** Fills in the defaults of a value of a table type, in place. The value must be in canonical form. */
export function applyTypeDefaults(typeName: string, value: JsonObject): void {
  run(planOf(typeName), value);
}

function run(plan: Plan, value: JsonObject): void {
  for (const rule of plan.rules) {
    if (typeof rule === "function") rule(value);
    else fill(value, rule);
  }
  for (const { field, shape, plan: inner } of plan.steps) {
    const child = value[field];
    if (typeof child !== "object" || child === null) continue;
    if (shape === "struct") {
      // Decoded structs are objects, decoded lists and maps of structs hold objects.
      run(inner, child as JsonObject);
      continue;
    }
    for (const item of Array.isArray(child) ? child : Object.values(child)) run(inner, item as JsonObject);
  }
}

function fill(value: JsonObject, [field, content]: Exclude<DefaultRule, (value: JsonObject) => void>): void {
  const present = value[field];
  if (present !== undefined && present !== null && present !== "") return;
  value[field] = typeof content === "object" && content !== null ? structuredClone(content) : content;
}
