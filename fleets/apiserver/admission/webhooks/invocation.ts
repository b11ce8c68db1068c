// Which webhooks a write concerns, and what each of them is shown.
import { randomUUID } from "node:crypto";
import {
  formatApiVersion,
  type GroupVersionKind,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
} from "../../../../kube/object.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { Logger } from "../../../../runtime/logger.ts";
import type { AdmissionRequest } from "../../registry/admission.ts";
import type { KindStrategy } from "../../registry/kind.ts";
import type { Registry } from "../../registry/registry.ts";
import { forbidden, internalError, StatusError, statusError } from "../../registry/status-error.ts";
import { type MatchedResource, type MatchSurroundings, matchResources } from "../match-resources.ts";
import { WebhookCallError, type WebhookCalls } from "./call-webhook.ts";
import { matchTargetOf } from "./match-target.ts";
import { namespaceOf, type ReviewAnswer, type ReviewedWrite } from "./review.ts";
import type { MatchCondition, Webhook } from "./webhook-set.ts";

/**
 * Decides match conditions over a write: whether all hold. Throws when one cannot be evaluated; with `ignoresFailure` that
 * counts as not holding.
 */
export type ConditionCheck = (
  conditions: readonly MatchCondition[],
  request: AdmissionRequest,
  ignoresFailure: boolean,
) => boolean;

/** What both halves of webhook admission work with. */
export interface WebhookAdmission extends WebhookCalls {
  readonly registry: Registry;
  readonly logger: Logger;
  readonly surroundings: MatchSurroundings;
  readonly checkConditions: ConditionCheck;
}

/** The resource as the webhook's rules know it, when they and its conditions choose the write. */
export function invocationOf(
  admission: WebhookAdmission,
  webhook: Webhook,
  request: AdmissionRequest,
): MatchedResource | undefined {
  let matched: MatchedResource | undefined;
  try {
    matched = matchResources(webhook.match, matchTargetOf(request, namespaceOf(request)), admission.surroundings);
  } catch (error) {
    throw error instanceof StatusError ? error : internalError(messageOf(error));
  }
  if (matched === undefined) return undefined;
  // The object of a subresource has one form only, whatever version of the resource is asked.
  if (!isOwnKind(request)) matched = { ...matched, kind: request.kind };
  if (webhook.matchConditions.length === 0) return matched;
  try {
    return admission.checkConditions(webhook.matchConditions, request, webhook.ignoresFailure) ? matched : undefined;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    const { target, name } = request;
    throw forbidden({ group: target.group, resource: target.plural }, name, messageOf(error));
  }
}

function isOwnKind({ kind, target }: AdmissionRequest): boolean {
  return kind.kind === target.kind && kind.group === target.group && kind.version === target.version;
}

/** The write in the version that the webhook's rule names. `current` is the object as it is by now. */
export async function reviewedWrite(
  admission: WebhookAdmission,
  request: AdmissionRequest,
  matched: MatchedResource,
  current: KubeObject,
): Promise<ReviewedWrite> {
  const objects = request.operation === "DELETE" ? [] : [current];
  if (request.oldObject !== undefined) objects.push(request.oldObject);
  const shown = await inVersion(admission.registry, objects, request, matched.kind);
  const [object, oldObject] = request.operation === "DELETE" ? [undefined, shown[0]] : shown;
  return { uid: randomUUID(), request, matched, object, oldObject };
}

function inVersion(
  registry: Registry,
  objects: readonly KubeObject[],
  request: AdmissionRequest,
  wanted: GroupVersionKind,
): readonly KubeObject[] | Promise<readonly KubeObject[]> {
  if (!isOwnKind(request)) return objects;
  const kind = strategyOf(registry, request, wanted);
  return kind === request.target ? objects : convertAll(kind, objects);
}

/** Objects in the version of a kind. */
export function convertAll(
  kind: KindStrategy,
  objects: readonly KubeObject[],
): readonly KubeObject[] | Promise<readonly KubeObject[]> {
  if (kind.converter === undefined) return objects.map((object) => kind.convert(object));
  return kind.converter.convert(objects, formatApiVersion(kind.group, kind.version));
}

/** The strategy of the version that a rule named. */
export function strategyOf(registry: Registry, request: AdmissionRequest, wanted: GroupVersionKind): KindStrategy {
  return registry.findKind(wanted.group, wanted.version, wanted.kind) ?? request.target;
}

/** Passes on what an answer says beside its verdict. */
export function noteAnswer(request: AdmissionRequest, webhook: Webhook, answer: ReviewAnswer): void {
  for (const warning of answer.warnings) request.warn(warning);
  for (const [key, value] of Object.entries(answer.auditAnnotations)) request.annotate(`${webhook.name}/${key}`, value);
}

/** The refusal of a webhook as the client is told it: the webhook's Status, with its name before the message. */
export function denial(webhook: Webhook, answer: ReviewAnswer): StatusError {
  const { status = {} } = answer;
  const by = `admission webhook ${JSON.stringify(webhook.name)} denied the request`;
  const text = typeof status["message"] === "string" && status["message"] !== "" ? status["message"] : status["reason"];
  const message = typeof text === "string" && text !== "" ? `${by}: ${text}` : `${by} without explanation`;
  const given = typeof status["code"] === "number" ? status["code"] : 0;
  const code = Number.isInteger(given) && given >= 400 && given <= 599 ? given : 400;
  const reason = typeof status["reason"] === "string" && status["reason"] !== "" ? status["reason"] : undefined;
  return statusError(code, reason, message, readDetails(status["details"]));
}

const DETAILS = ["name", "group", "kind", "uid", "causes", "retryAfterSeconds"];

/** Those of the details that a Status has. */
function readDetails(details: unknown): JsonObject | undefined {
  if (!isObject(details)) return undefined;
  // Parsed JSON.
  return Object.fromEntries(
    DETAILS.filter((field) => field in details).map((field) => [field, details[field] as Json]),
  );
}

/**
 * What a failed call means: nothing, when the webhook's failures are to be ignored; else the refusal to throw.
 */
export function failureOf(
  { logger }: WebhookAdmission,
  webhook: Webhook,
  request: AdmissionRequest,
  error: unknown,
): Error | undefined {
  if (!(error instanceof WebhookCallError)) return error instanceof Error ? error : new Error(messageOf(error));
  if (!webhook.ignoresFailure) return internalError(error.message);
  // The client is gone: nothing may be let through on its behalf.
  if (request.signal?.aborted === true) return statusError(504, "Timeout", "request has been canceled", {});
  logger.warn("went on without a webhook", { object: webhook.configuration, error: error.message });
  return undefined;
}
