// The library that scripts get by `require("kube")`: the native rules for pods, and quantities.

import type { KubeObject } from "../../../kube/object.ts";
import { addQuantities, formatQuantity, parseQuantity, type Quantity, ZERO_QUANTITY } from "../../../kube/quantity.ts";
import { AppError } from "../../../runtime/errors.ts";
import { dependenciesOfPod } from "../dependencies.ts";
import { type Fields, fieldsAt } from "../field-access.ts";
import { podRequirements } from "../requirements.ts";
import { checkString, checkTable, wrongType } from "./arguments.ts";
import { bytesOfText, textOfBytes } from "./byte-strings.ts";
import { luaFromJson } from "./from-json.ts";
import { LuaThrow, type NativeFunction, type Runtime } from "./runtime.ts";
import { jsonFromLua } from "./to-json.ts";
import type { LuaResult, LuaValue } from "./values.ts";

export const KUBE_FUNCTIONS: Readonly<Record<string, NativeFunction>> = {
  resourceAdd: (args, runtime) => {
    let total = ZERO_QUANTITY;
    for (let position = 1; position <= args.length; position++) {
      total = addQuantities(total, quantityAt(args, position, runtime));
    }
    return formatQuantity(total);
  },
  accuratePodRequirements: (args, runtime) => {
    if (args.length !== 1) throw runtime.error("getPodRequirements only accepts one argument");
    const template = podTemplateAt(args, runtime);
    return luaFromJson(converting(runtime, () => podRequirements(fieldsAt(template, "spec"))));
  },
  getPodDependencies,
  getResourceQuantity: (args, runtime) => {
    if (args.length !== 1) throw runtime.error("getResourceQuantity only accepts one argument");
    const quantity = quantityAt(args, 1, runtime);
    // Multiplied as Karmada does, which is not always the nearest double.
    const number =
      quantity.scale === 0 ? Number(quantity.mantissa) : Number(quantity.mantissa) * Number(`1e${quantity.scale}`);
    if (number < 0) {
      throw runtime.error(`int approximation unexpectedly returned a negative value: ${formatQuantity(quantity)}`);
    }
    if (number === Number.POSITIVE_INFINITY) {
      throw runtime.error(`int approximation unexpectedly returned an infinite value: ${formatQuantity(quantity)}`);
    }
    return number;
  },
};

function getPodDependencies(args: LuaValue[], runtime: Runtime): LuaResult {
  if (args.length !== 2) throw runtime.error("getPodDependencies only accepts two argument");
  checkTable(args, 1, runtime);
  const namespace = args[1] === undefined ? "default" : textOfBytes(checkString(args, 2, runtime));
  const template = podTemplateAt(args, runtime);
  const dependencies = converting(runtime, () => {
    const pod: KubeObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace },
      spec: fieldsAt(template, "spec"),
    };
    return dependenciesOfPod(pod);
  });
  // As Karmada: none is nil, not an empty list.
  return dependencies.length === 0 ? undefined : luaFromJson(dependencies);
}

function quantityAt(args: readonly LuaValue[], position: number, runtime: Runtime): Quantity {
  const value = args[position - 1];
  if (value === undefined) return ZERO_QUANTITY;
  if (typeof value !== "string") throw wrongType(args, position, "string", runtime);
  const text = textOfBytes(value);
  try {
    return parseQuantity(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new LuaThrow(bytesOfText(`cannot parse '${text}': ${error.message}`), runtime.line, true);
  }
}

function podTemplateAt(args: readonly LuaValue[], runtime: Runtime): Fields {
  const table = checkTable(args, 1, runtime);
  return converting(runtime, () => {
    const template = withoutEmpties(jsonFromLua(table, runtime));
    return Array.isArray(template) && template.length === 0 ? {} : fieldsAt(template);
  });
}

// What the native rules refuse is an error of the script.
function converting<T>(runtime: Runtime, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof LuaThrow || error instanceof AppError) {
      throw runtime.error(`fail to convert lua value to PodTemplateSpec: ${bytesOfText(error.message)}`);
    }
    throw error;
  }
}

// An empty table is list or object, nobody knows: as Karmada, what holds one counts as absent.
function withoutEmpties(json: unknown): unknown {
  if (Array.isArray(json)) return json.filter((item) => !isEmptyList(item)).map(withoutEmpties);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).filter(([, value]) => !isEmptyList(value));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutEmpties(value)]));
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
