// Our admission rules as webhooks: from an AdmissionReview that an API server sends to its answer.
import { refusalText } from "../../api/admission/field-error.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../kube/client/transport.ts";
import { createJsonPatch } from "../../kube/create-json-patch.ts";
import { parseJson, stringifyJson } from "../../kube/json.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { AdmissionRules, RuledWrite } from "./admission.ts";

const OPERATIONS = new Set(["CREATE", "UPDATE", "DELETE", "CONNECT"]);

/** Answers the reviews of one half of admission. What is no review is a 400, in words. */
export function answerReviews(half: "mutate" | "validate", rules: AdmissionRules, logger: Logger): Transport {
  return async (request) => {
    const review = readReview(request);
    if (typeof review === "string") return text(400, `${review}\n`);
    const { uid, write } = review;
    const warnings: string[] = [];
    const asked: RuledWrite = { ...write, warn: (text) => warnings.push(text) };
    let response: object;
    try {
      response = half === "mutate" ? mutation(rules, asked) : await verdict(rules, asked);
    } catch (error) {
      // An object that does not fit its schema is refused by the server afterwards, in better words.
      logger.debug("left a review to the schema", { error: messageOf(error), object: write.object.kind });
      response = { allowed: true };
    }
    const answer = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid, ...response, ...said(warnings) },
    };
    return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(stringifyJson(answer)) };
  };
}

function mutation(rules: AdmissionRules, write: RuledWrite): object {
  const changed = rules.mutate(write);
  const patch = changed === undefined ? [] : createJsonPatch(write.object, changed);
  if (patch.length === 0) return { allowed: true };
  return { allowed: true, patchType: "JSONPatch", patch: Buffer.from(stringifyJson(patch)).toString("base64") };
}

function said(warnings: readonly string[]): object {
  return warnings.length === 0 ? {} : { warnings };
}

async function verdict(rules: AdmissionRules, write: RuledWrite): Promise<object> {
  const result = await rules.validate(write);
  if ("code" in result) {
    const { code, message, reason } = result;
    return refusal(code, message, reason === undefined ? {} : { reason });
  }
  if (result.length === 0) return { allowed: true };
  const causes = result.map(({ reason, field, message }) => ({ reason, field, message }));
  // As Karmada's webhooks, which forbid; the causes are ours to add.
  return refusal(403, refusalText(result), { details: { causes } });
}

function refusal(code: number, message: string, more: object): object {
  return { allowed: false, status: { status: "Failure", code, reason: "Forbidden", message, ...more } };
}

/** The write that a review asks about, or what is wrong with the review. */
function readReview(request: ApiRequest): { readonly uid: string; readonly write: Omit<RuledWrite, "warn"> } | string {
  if (request.method !== "POST") return "an admission review comes by POST";
  let review: unknown;
  try {
    review = parseJson(Buffer.from(request.body ?? "").toString());
  } catch (error) {
    return `the body is not JSON: ${messageOf(error)}`;
  }
  if (!isObject(review) || review["kind"] !== "AdmissionReview" || review["apiVersion"] !== "admission.k8s.io/v1")
    return "the body is no AdmissionReview of admission.k8s.io/v1";
  const asked = review["request"];
  if (!isObject(asked)) return "the AdmissionReview has no request";
  const { uid, operation } = asked;
  if (typeof uid !== "string" || uid === "") return "the request has no uid";
  if (typeof operation !== "string" || !OPERATIONS.has(operation)) return "the request has no operation";
  const old = isKubeObject(asked["oldObject"]) ? asked["oldObject"] : undefined;
  const object = isKubeObject(asked["object"]) ? asked["object"] : operation === "DELETE" ? old : undefined;
  if (object === undefined) return "the request has no object";
  const subresource = asked["subResource"];
  const namespace = asked["namespace"];
  return {
    uid,
    write: {
      // One of the set above.
      operation: operation as RuledWrite["operation"],
      subresource: typeof subresource === "string" && subresource !== "" ? subresource : undefined,
      namespace: typeof namespace === "string" && namespace !== "" ? namespace : undefined,
      object,
      oldObject: old,
      dryRun: asked["dryRun"] === true,
      user: { name: isObject(asked["userInfo"]) ? String(asked["userInfo"]["username"] ?? "") : "" },
    },
  };
}

function isKubeObject(value: unknown): value is KubeObject {
  return (
    isObject(value) &&
    typeof value["apiVersion"] === "string" &&
    typeof value["kind"] === "string" &&
    isObject(value["metadata"])
  );
}

function text(status: number, message: string): ApiResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(message) };
}
