// What the mutations of a policy make of an object.
import { toJson } from "../../../../kube/cel/json-values.ts";
import { listOf } from "../../../../kube/cel/types.ts";
import { CelList, CelMap, CelStruct, EvaluationFailure, type Value } from "../../../../kube/cel/values.ts";
import { mergeValues } from "../../../../kube/fields/merge.ts";
import type { FieldType } from "../../../../kube/fields/type.ts";
import { checkTyped, formatProblems } from "../../../../kube/fields/validate.ts";
import { applyJsonPatch, JsonPatchError, type JsonPatchOperation } from "../../../../kube/json-patch.ts";
import { cloneJson, isObject, type JsonObject, type KubeObject } from "../../../../kube/object.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { KindStrategy } from "../../registry/kind.ts";
import { internalError } from "../../registry/status-error.ts";
import { APPLY_TYPE, JSON_PATCH_TYPE } from "../admission-environment.ts";
import type { CompiledExpression, PolicyEvaluation, PolicyVariables } from "./policy-expressions.ts";

/** A mutation as it is written. */
export interface WrittenMutation {
  readonly patchType: string;
  readonly jsonPatch?: { readonly expression: string };
  readonly applyConfiguration?: { readonly expression: string };
}

/** Computes the changed object from one of `kind`. Throws an `Error` that says why not, or an `OutOfBudget`. */
export interface Mutation {
  readonly expression: CompiledExpression;
  apply(object: KubeObject, kind: KindStrategy, evaluation: PolicyEvaluation): KubeObject;
}

/** Compiles a mutation. */
export function compileMutation(written: WrittenMutation, variables: PolicyVariables): Mutation {
  const isPatch = written.patchType === "JSONPatch";
  const text = (isPatch ? written.jsonPatch : written.applyConfiguration)?.expression.trim() ?? "";
  const type = isPatch ? listOf(JSON_PATCH_TYPE) : APPLY_TYPE;
  const expression = variables.compile(text, [type], { patches: true });
  const change = isPatch ? patched : configured;
  return {
    expression,
    apply(object, kind, evaluation) {
      const result = evaluation.evaluate(expression);
      if ("error" in result) throw new Error(result.error);
      return change(object, kind, result.value);
    },
  };
}

function jsonOf(value: Value): unknown {
  try {
    return toJson(value);
  } catch (error) {
    if (error instanceof EvaluationFailure) throw new Error(error.message);
    throw error;
  }
}

/** The object in the form of its kind again; unknown fields are an error, as for strict clients. */
function decoded(json: unknown, before: KubeObject, kind: KindStrategy): KubeObject {
  if (!isObject(json) || !isObject(json["metadata"])) throw internalError("a mutation of a policy leaves no object");
  const body = cloneJson(json) as JsonObject;
  body["apiVersion"] = before.apiVersion;
  body["kind"] = before.kind;
  let result: ReturnType<KindStrategy["decode"]>;
  try {
    result = kind.decode(body, []);
  } catch (error) {
    const prefix = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: `;
    throw internalError(messageOf(error).replace(prefix, ""));
  }
  if (!kind.custom && result.strictErrors.length > 0) {
    throw internalError(`strict decoding error: ${result.strictErrors.join(", ")}`);
  }
  return result.object;
}

function patched(object: KubeObject, kind: KindStrategy, value: Value): KubeObject {
  if (!(value instanceof CelList)) throw new Error("type mismatch: JSONPatchType.expression should evaluate to array");
  const operations = Array.from(value, operationOf);
  let json: unknown;
  try {
    json = applyJsonPatch<unknown>(object, operations, { dialect: "api-server" });
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    // A failed test means that there is nothing to do.
    if (error.code === "json-patch-test-failed") return object;
    throw new Error(`JSON Patch: ${error.message}`);
  }
  return decoded(json, object, kind);
}

function operationOf(value: Value): JsonPatchOperation {
  if (!(value instanceof CelStruct)) {
    throw new Error("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
  }
  const field = (name: string): string => {
    const text = value.fields.get(name);
    return typeof text === "string" ? text : "";
  };
  const content = value.fields.get("value");
  if (content !== undefined) checkTypeNames(content, undefined);
  const from = field("from");
  return {
    op: field("op") as JsonPatchOperation["op"],
    path: field("path"),
    ...(from === "" ? {} : { from }),
    ...(content === undefined ? {} : { value: jsonOf(content) }),
  } as JsonPatchOperation;
}

function configured(object: KubeObject, kind: KindStrategy, value: Value): KubeObject {
  checkTypeNames(value, APPLY_TYPE.name);
  const config = jsonOf(value);
  if (!isObject(config)) throw new Error("unsupported return type from ApplyConfiguration expression");
  const type = kind.fieldType();
  const whole = { ...config, apiVersion: object.apiVersion, kind: object.kind };
  const misfits = checkTyped(whole, type);
  if (misfits.length > 0) {
    throw new Error(`error applying patch: failed to convert patch object to typed object: ${formatProblems(misfits)}`);
  }
  const atomics = atomicPaths(config, type, "");
  if (atomics.length > 0) {
    const what = `may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`;
    throw new Error(`error applying patch: invalid ApplyConfiguration: ${what}`);
  }
  return decoded(mergeValues(object, whole, type), object, kind);
}

/** Type names of nested objects spell their place: `Object.spec.template`. `expected` is undefined where any may begin. */
function checkTypeNames(value: Value, expected: string | undefined): void {
  if (value instanceof CelStruct) {
    if (expected !== undefined && value.typeName !== expected) {
      const why = `unexpected type name ${JSON.stringify(value.typeName)}, expected ${JSON.stringify(expected)}`;
      throw new Error(`type mismatch: ${why}, which matches field name path from root Object type`);
    }
    for (const [name, inner] of value.fields) checkTypeNames(inner, `${value.typeName}.${name}`);
  } else if (value instanceof CelList) for (const item of value) checkTypeNames(item, expected);
  else if (value instanceof CelMap) for (const key of value.keys()) checkTypeNames(value.find(key)!, expected);
}

/** Places of lists and maps that can only be replaced as a whole. */
function atomicPaths(value: unknown, type: FieldType, path: string): string[] {
  if (Array.isArray(value)) {
    if (type.kind === "deduced") return [path];
    if (type.kind !== "list") return [];
    const own = type.listType === "atomic" ? [path] : [];
    return [...own, ...value.flatMap((item, index) => atomicPaths(item, type.items, `${path}[${index}]`))];
  }
  if (!isObject(value) || type.kind !== "map") return [];
  const own = type.atomic ? [path] : [];
  const inner = Object.entries(value).flatMap(([key, item]) => {
    const field = type.field(key);
    return field === undefined ? [] : atomicPaths(item, field, `${path}.${key}`);
  });
  return [...own, ...inner];
}
