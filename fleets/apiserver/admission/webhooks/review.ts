// AdmissionReviews: the question that a webhook is sent, and what its answer says.
import { parseJson } from "../../../../kube/json.ts";
import type { JsonPatchOperation } from "../../../../kube/json-patch.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../../kube/object.ts";
import type { AdmissionRequest } from "../../registry/admission.ts";
import type { MatchedResource } from "../match-resources.ts";
import { goSyntaxError } from "./json-answer.ts";
import { resourceOf } from "./match-target.ts";

/** The versions that we speak, the preferred first. */
const VERSIONS = ["v1", "v1beta1"] as const;
export type ReviewVersion = (typeof VERSIONS)[number];

/** The first version of a webhook's list that is spoken here; undefined when there is none. */
export function reviewVersionOf(accepted: readonly string[]): ReviewVersion | undefined {
  for (const name of accepted) {
    const known = VERSIONS.find((version) => version === name);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** What a webhook is shown of a write. */
export interface ReviewedWrite {
  readonly uid: string;
  readonly request: AdmissionRequest;
  /** The resource as the webhook's rule knows it. */
  readonly matched: MatchedResource;
  /** In the version of `matched`; undefined for a deletion. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

export function reviewOf(write: ReviewedWrite, version: ReviewVersion): JsonObject {
  const { request, matched } = write;
  const { user, subresource } = request;
  const namespace = namespaceOf(request);
  const asked = {
    uid: write.uid,
    kind: { ...matched.kind },
    resource: { ...matched.resource },
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: { ...request.kind },
    requestResource: { ...resourceOf(request.target) },
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(request.name === "" ? {} : { name: request.name }),
    ...(namespace === "" ? {} : { namespace }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === "" ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: write.object ?? null,
    oldObject: write.oldObject ?? null,
    dryRun: request.dryRun,
    options: request.options ?? null,
  };
  // Objects of the store and of requests are JSON data.
  return {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: asked as unknown as JsonObject,
  };
}

/** The namespace of a write; namespaces are in themselves. */
export function namespaceOf({ target, namespace, name }: AdmissionRequest): string {
  return target.group === "" && target.plural === "namespaces" ? name : (namespace ?? "");
}

/** A webhook's answer, when it is one. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  /** The Status of a refusal, as it was sent. */
  readonly status: JsonObject | undefined;
  readonly patch: readonly JsonPatchOperation[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Thrown for an answer that does not keep to the protocol; the message says how, and which part of the call it is. */
export class InvalidReview extends Error {}

function invalidResponse(why: string): InvalidReview {
  return new InvalidReview(`received invalid webhook response: ${why}`);
}

/** Checks and reads the answer to the review `uid`. */
export function readAnswer(
  json: unknown,
  uid: string,
  version: ReviewVersion,
  half: "mutate" | "validate",
): ReviewAnswer {
  if (!isObject(json)) throw invalidResponse("webhook response is no object");
  const response = json["response"];
  if (!isObject(response)) throw invalidResponse("webhook response was absent");
  requireTypes(response);
  // The old version had no such rules.
  if (version === "v1") {
    const answered = typeof response["uid"] === "string" ? response["uid"] : "";
    if (answered !== uid) {
      throw invalidResponse(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`);
    }
  }
  requireSameKind(json, version);
  return {
    allowed: response["allowed"] === true,
    // Parsed JSON.
    status: isObject(response["status"]) ? (response["status"] as JsonObject) : undefined,
    patch: half === "mutate" ? readPatch(response, version) : requireNoPatch(response, version),
    warnings: Array.isArray(response["warnings"]) ? response["warnings"].map(String) : [],
    auditAnnotations: readAnnotations(response["auditAnnotations"]),
  };
}

/** The fields of a response, and their types as messages name them. */
const TYPES: Readonly<Record<string, readonly [name: string, check: (value: unknown) => boolean]>> = {
  uid: ["types.UID", (value) => typeof value === "string"],
  allowed: ["bool", (value) => typeof value === "boolean"],
  status: ["v1.Status", isObject],
  patch: ["[]uint8", (value) => typeof value === "string"],
  patchType: ["v1.PatchType", (value) => typeof value === "string"],
  auditAnnotations: ["map[string]string", isObject],
  warnings: ["[]string", Array.isArray],
};

function requireTypes(response: Record<string, unknown>): void {
  for (const [field, [type, check]] of Object.entries(TYPES)) {
    const value = response[field];
    if (value === undefined || value === null || check(value)) continue;
    const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw new InvalidReview(
      `failed to call webhook: json: cannot unmarshal ${found} into Go struct field AdmissionResponse.response.${field} of type ${type}`,
    );
  }
}

function requireSameKind(json: Record<string, unknown>, version: ReviewVersion): void {
  const apiVersion = String(json["apiVersion"] ?? "");
  const kind = String(json["kind"] ?? "");
  const wanted = `admission.k8s.io/${version}`;
  if (apiVersion === wanted && kind === "AdmissionReview") return;
  if (version === "v1beta1" && apiVersion === "" && kind === "") return;
  const found = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  throw invalidResponse(`expected webhook response of ${wanted}, Kind=AdmissionReview, got ${found}, Kind=${kind}`);
}

function requireNoPatch(response: Record<string, unknown>, version: ReviewVersion): [] {
  if (version === "v1" && isGiven(response["patch"])) {
    throw invalidResponse("validating webhook may not return response.patch");
  }
  if (version === "v1" && response["patchType"] !== undefined && response["patchType"] !== null) {
    throw invalidResponse("validating webhook may not return response.patchType");
  }
  return [];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function readPatch(response: Record<string, unknown>, version: ReviewVersion): readonly JsonPatchOperation[] {
  const { patch } = response;
  const type = response["patchType"] ?? undefined;
  if (version === "v1") {
    if (isGiven(patch) && type === undefined) {
      throw invalidResponse("webhook returned response.patch but not response.patchType");
    }
    if (!isGiven(patch) && type !== undefined) {
      throw invalidResponse("webhook returned response.patchType but not response.patch");
    }
  }
  if (!isGiven(patch)) return [];
  if (version === "v1" && type === "") throw invalidResponse('webhook returned invalid response.patchType of ""');
  const operations = decodePatch(String(patch));
  if (operations.length > 0 && type !== undefined && type !== "JSONPatch") {
    throw new InvalidReview(`unsupported patch type ${JSON.stringify(type)}`);
  }
  return operations;
}

function decodePatch(base64: string): readonly JsonPatchOperation[] {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    const at = base64.search(/[^A-Za-z0-9+/=]/);
    throw new InvalidReview(`failed to call webhook: illegal base64 data at input byte ${Math.max(at, 0)}`);
  }
  const fail = (why: string): Error => new InvalidReview(`received undecodable patch in webhook response: ${why}`);
  const text = Buffer.from(base64, "base64").toString();
  let operations: unknown;
  try {
    operations = parseJson(text);
  } catch {
    throw fail(goSyntaxError(text));
  }
  if (operations === null) return [];
  if (!Array.isArray(operations) || !operations.every(isObject)) throw fail("it is no list of operations");
  // Applying them refuses what is no operation.
  return operations as unknown as readonly JsonPatchOperation[];
}

function readAnnotations(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}
