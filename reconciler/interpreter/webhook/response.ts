// What a webhook answered, once it is known to be what the operation wants.
import { knownFields } from "../../../api/schema-problems.ts";
import {
  type Component,
  componentSchema,
  type ReplicaRequirements,
  replicaRequirementsSchema,
} from "../../../api/work.ts";
import { parseJson } from "../../../kube/json.ts";
import type { JsonPatchOperation } from "../../../kube/json-patch.ts";
import { isObject } from "../../../kube/object.ts";
import type { Dependency, InterpreterOperation, ReplicaDemand, Status } from "../interpreter.ts";

/** The part of a response that an operation is about. A patch without operations leaves the object as it is. */
export type WebhookAnswer =
  | { readonly demand: ReplicaDemand }
  | { readonly components: readonly Component[] }
  | { readonly dependencies: readonly Dependency[] }
  | { readonly patch: readonly JsonPatchOperation[] }
  | { readonly status: Status }
  | { readonly healthy: boolean };

/** What is wrong with a response, in words. */
export class InvalidResponse extends Error {}

/** The webhook says itself that it did not succeed. */
export class UnsuccessfulResponse extends Error {
  readonly code: number;
  /** The webhook's own words. */
  readonly said: string;

  constructor(code: number, said: string) {
    super(`webhook call failed, get status code: ${code}, msg: ${said}`);
    this.code = code;
    this.said = said;
  }
}

/** Reads the JSON of an answer. Throws `InvalidResponse` or `UnsuccessfulResponse`; field paths begin at the answer. */
export function readResponse(json: unknown, uid: string, operation: InterpreterOperation): WebhookAnswer {
  if (!isObject(json)) throw new InvalidResponse("the answer is not a JSON object");
  const { apiVersion, kind } = json;
  // As Karmada: an answer need not say what it is.
  if (!isAbsentOr(apiVersion, "config.karmada.io/v1alpha1") || !isAbsentOr(kind, "ResourceInterpreterContext"))
    throw new InvalidResponse(
      `expected a ResourceInterpreterContext of config.karmada.io/v1alpha1, got kind ${quote(kind)} of ${quote(apiVersion)}`,
    );
  const response = present(json["response"]);
  if (response === undefined) throw new InvalidResponse("webhook response was absent");
  if (!isObject(response)) throw wrongType("response", "an object");
  if (response["uid"] !== uid)
    throw new InvalidResponse(`expected response.uid ${quote(uid)}, got ${quote(response["uid"] ?? "")}`);
  if (booleanAt(response, "successful") !== true) throw unsuccessful(response);
  return answerOf(response, operation);
}

function answerOf(response: Record<string, unknown>, operation: InterpreterOperation): WebhookAnswer {
  switch (operation) {
    case "InterpretReplica":
      return { demand: demandOf(response) };
    case "InterpretComponent":
      return { components: listAt(response, "components").map(componentOf) };
    case "InterpretDependency":
      return { dependencies: listAt(response, "dependencies").map(dependencyOf) };
    case "ReviseReplica":
    case "Retain":
    case "AggregateStatus":
      return { patch: patchOf(response) };
    case "InterpretStatus": {
      const status = present(response["rawStatus"]);
      if (status === undefined) throw new InvalidResponse("webhook returned nil response.rawStatus");
      if (!isObject(status)) throw wrongType("response.rawStatus", "an object");
      return { status };
    }
    case "InterpretHealth": {
      const healthy = booleanAt(response, "healthy");
      if (healthy === undefined) throw new InvalidResponse("webhook returned nil response.healthy");
      return { healthy };
    }
  }
}

function unsuccessful(response: Record<string, unknown>): Error {
  const status = present(response["status"]);
  if (status === undefined)
    return new InvalidResponse("webhook require response.status when response.successful is false");
  if (!isObject(status)) return wrongType("response.status", "an object");
  const { code = 0, message = "" } = status;
  return new UnsuccessfulResponse(Number(code), String(message));
}

function demandOf(response: Record<string, unknown>): ReplicaDemand {
  const value = present(response["replicas"]);
  if (value === undefined) throw new InvalidResponse("webhook returned nil response.replicas");
  const replicas = replicasOf(value, "response.replicas");
  const requirements = present(response["replicaRequirements"]);
  if (requirements === undefined) return { replicas };
  const field = "response.replicaRequirements";
  return { replicas, requirements: typed<ReplicaRequirements>(replicaRequirementsSchema, requirements, field) };
}

const MOST_REPLICAS = 2 ** 31 - 1;

function replicasOf(value: unknown, field: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > MOST_REPLICAS)
    throw wrongType(field, "an integer of 32 bits");
  return value;
}

function componentOf(item: unknown, index: number): Component {
  const field = `response.components[${index}]`;
  return typed<Component>(componentSchema, item, field);
}

function dependencyOf(item: unknown, index: number): Dependency {
  const field = `response.dependencies[${index}]`;
  if (!isObject(item)) throw wrongType(field, "an object");
  const text = (name: string): string | undefined => textAt(item, name, field);
  const [namespace, name, labelSelector] = [text("namespace"), text("name"), present(item["labelSelector"])];
  if (labelSelector !== undefined && !isObject(labelSelector)) throw wrongType(`${field}.labelSelector`, "an object");
  return {
    apiVersion: text("apiVersion") ?? "",
    kind: text("kind") ?? "",
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    // Whoever uses it checks it, as that of any other level.
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function patchOf(response: Record<string, unknown>): readonly JsonPatchOperation[] {
  const encoded = textAt(response, "patch", "response") ?? "";
  const type = textAt(response, "patchType", "response");
  if (encoded === "" && type === undefined) return [];
  if (type === undefined) throw new InvalidResponse("webhook returned nil response.patchType");
  if (encoded === "") throw new InvalidResponse("webhook returned empty response.patch");
  if (type !== "JSONPatch") throw new InvalidResponse(`webhook returned invalid response.patchType of ${quote(type)}`);
  const text = decodeBase64(encoded);
  if (text === undefined) throw wrongType("response.patch", "base64");
  let operations: unknown;
  try {
    operations = parseJson(text);
  } catch {
    throw wrongType("response.patch", "base64 of JSON");
  }
  if (!Array.isArray(operations) || !operations.every(isPatchOperation))
    throw wrongType("response.patch", "base64 of a list of JSON patch operations");
  return operations;
}

function isPatchOperation(value: unknown): value is JsonPatchOperation {
  if (!isObject(value)) return false;
  const { op, path, from } = value;
  return typeof op === "string" && typeof path === "string" && (from === undefined || typeof from === "string");
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBase64(text: string): string | undefined {
  const joined = text.replace(/[\r\n]/g, "");
  return BASE64.test(joined) ? Buffer.from(joined, "base64").toString() : undefined;
}

/** The value as its schema knows it; fields that it does not know are left out, as Go leaves them out. */
function typed<T>(schema: Parameters<typeof knownFields>[0], value: unknown, field: string): T {
  if (!isObject(value)) throw wrongType(field, "an object");
  const { known, problems } = knownFields(schema, value);
  const [problem] = problems;
  if (problem !== undefined)
    throw new InvalidResponse(`${field}${problem.field === "" ? "" : `.${problem.field}`} ${problem.words}`);
  // The schema says that it is one.
  return known as T;
}

function listAt(object: Record<string, unknown>, name: string): readonly unknown[] {
  const value = present(object[name]) ?? [];
  if (!Array.isArray(value)) throw wrongType(`response.${name}`, "a list");
  return value;
}

function textAt(object: Record<string, unknown>, name: string, field: string): string | undefined {
  const value = present(object[name]);
  if (value !== undefined && typeof value !== "string") throw wrongType(`${field}.${name}`, "text");
  return value;
}

function booleanAt(object: Record<string, unknown>, name: string): boolean | undefined {
  const value = present(object[name]);
  if (value !== undefined && typeof value !== "boolean") throw wrongType(`response.${name}`, "true or false");
  return value;
}

/** Null counts as absent, as Go reads it. */
function present(value: unknown): unknown {
  return value ?? undefined;
}

function isAbsentOr(value: unknown, wanted: string): boolean {
  return value === undefined || value === null || value === "" || value === wanted;
}

function wrongType(field: string, wanted: string): InvalidResponse {
  return new InvalidResponse(`${field} is not ${wanted}`);
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}
