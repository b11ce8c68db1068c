// One call of one admission webhook.
import { stringifyJson } from "../../../../kube/json.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { JsonCaller } from "../../http/json-call.ts";
import { badRequest } from "../../registry/status-error.ts";
import type { Store } from "../../storage/store.ts";
import { targetOf } from "./client-config.ts";
import { readJsonAnswer } from "./json-answer.ts";
import {
  InvalidReview,
  type ReviewAnswer,
  type ReviewedWrite,
  readAnswer,
  reviewOf,
  reviewVersionOf,
} from "./review.ts";
import type { Webhook } from "./webhook-set.ts";

/** The webhook could not be asked, or did not answer as it must: its failure policy decides. */
export class WebhookCallError extends Error {}

export interface WebhookCalls {
  readonly store: Store;
  readonly caller: JsonCaller;
}

/** Asks a webhook. Throws `WebhookCallError`, or a 400 for a dry run that the webhook does not support. */
export async function callWebhook(
  { store, caller }: WebhookCalls,
  webhook: Webhook,
  half: "mutate" | "validate",
  write: ReviewedWrite,
): Promise<ReviewAnswer> {
  const { name, sideEffects, timeoutSeconds } = webhook;
  if (write.request.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const fail = (why: string): Error => new WebhookCallError(`failed calling webhook ${JSON.stringify(name)}: ${why}`);
  const version = reviewVersionOf(webhook.reviewVersions);
  if (version === undefined) {
    throw fail(
      "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
    );
  }
  let json: unknown;
  try {
    const body = stringifyJson(reviewOf(write, version));
    const { signal } = write.request;
    const target = targetOf(webhook.client, store, timeoutSeconds);
    json = readJsonAnswer(await caller.post(target, { body, timeoutMs: timeoutSeconds * 1000, signal }));
  } catch (error) {
    throw fail(`failed to call webhook: ${messageOf(error)}`);
  }
  try {
    return readAnswer(json, write.uid, version, half);
  } catch (error) {
    if (!(error instanceof InvalidReview)) throw error;
    throw fail(error.message);
  }
}
