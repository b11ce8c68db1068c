// One call of one admission webhook.
import { parseJson, stringifyJson } from "../../../../kube/json.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { CallAnswer, JsonCaller } from "../../http/json-call.ts";
import { badRequest } from "../../registry/status-error.ts";
import { JsonSyntaxError, parseJson as parseStrictly } from "../../request/json-parser.ts";
import type { Store } from "../../storage/store.ts";
import { targetOf } from "./client-config.ts";
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
    json = readBody(await caller.post(target, { body, timeoutMs: timeoutSeconds * 1000, signal }));
  } catch (error) {
    throw fail(`failed to call webhook: ${messageOf(error)}`);
  }
  try {
    return readAnswer(json, write.uid, version, half);
  } catch (error) {
    if (!(error instanceof InvalidReview)) throw error;
    throw fail(`received invalid webhook response: ${error.message}`);
  }
}

/** The JSON of an answer; other answers are errors in the words of the reference's client. */
export function readBody(answer: CallAnswer): unknown {
  if (answer.status < 200 || answer.status > 299) throw new Error(refusalText(answer));
  try {
    return parseJson(answer.text);
  } catch {
    throw new Error(`couldn't get version/kind; json parse error: ${syntaxError(answer.text)}`);
  }
}

/** Go's words for what is wrong with a text. */
function syntaxError(text: string): string {
  try {
    parseStrictly(text, false);
    return "invalid JSON";
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

const LONGEST_QUOTE = 1024;
const REFUSALS: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  403: "the server does not allow access to the requested resource",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

function refusalText({ status, text }: CallAnswer): string {
  // Differs from Kubernetes, whose client follows redirects of a webhook.
  if (status >= 300 && status < 400) return `the server answered with a redirect (${status}), which is not followed`;
  const known = REFUSALS[status];
  if (known !== undefined) return known;
  const quoted = JSON.stringify(text.trim().slice(0, LONGEST_QUOTE));
  return status >= 500
    ? `an error on the server (${quoted}) has prevented the request from succeeding`
    : `the server responded with the status code ${status} but did not return more information`;
}
