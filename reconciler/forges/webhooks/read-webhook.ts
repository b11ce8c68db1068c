import { isObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { ForgeKind } from "../forge.ts";
import { JsonReader } from "../http/json-reader.ts";
import { readAzureEvent } from "./azure-events.ts";
import { readBitbucketCloudEvent, readDataCenterEvent } from "./bitbucket-events.ts";
import { readGitHubEvent } from "./github-events.ts";
import { readGitLabEvent } from "./gitlab-events.ts";
import { type Header, isGenuine, proofName } from "./verify.ts";
import type { WebhookOutcome } from "./webhook-event.ts";

/** Longest body of a delivery: the most that GitHub sends. A listener should not read more. */
export const WEBHOOK_MAX_BYTES = 25 << 20;

export interface Webhook {
  readonly kind: ForgeKind;
  /** With names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it came: signatures are over its bytes. */
  readonly body: Buffer;
  /** Any of them is good, so that one can be changed without a gap. A line end behind one is none of it. */
  readonly secrets: readonly string[];
}

/**
 * Reads a delivery of a provider. It is looked into only after it proved to come from who knows a secret; `now` is in
 * milliseconds since the epoch. Never throws for what is in it.
 */
export function readWebhook({ kind, headers, body, secrets: texts }: Webhook, now: number): WebhookOutcome {
  const secrets = texts.map((text) => text.replace(/\r?\n$/, ""));
  if (body.length > WEBHOOK_MAX_BYTES) return { type: "refused", status: 413, reason: "the body is too large" };
  const header: Header = (name) => {
    const value = headers[name];
    return typeof value === "string" ? value : value?.[0];
  };
  if (secrets.every((secret) => secret === "")) {
    return {
      type: "refused",
      status: 401,
      reason: "no secret is set for webhooks, and without one nobody is believed",
    };
  }
  if (!isGenuine(kind, header, body, secrets, now)) {
    const reason = `${proofName(kind)} does not prove that the sender knows the secret`;
    return { type: "refused", status: 401, reason };
  }
  if (/^application\/x-www-form-urlencoded/i.test(header("content-type") ?? "")) {
    return {
      type: "refused",
      status: 400,
      reason: "the body is a form: set the webhook's content type to application/json",
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return { type: "refused", status: 400, reason: "the body is no JSON" };
  }
  if (!isObject(value)) return { type: "refused", status: 400, reason: "the body is no object" };
  const json = new JsonReader(
    value,
    (why) => new AppError("forge-webhook-malformed", why.replace("answer", "body"), { recovery: "stall" }),
  );
  try {
    return read(kind, header, json);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { type: "refused", status: 400, reason: error.message };
  }
}

function read(kind: ForgeKind, header: Header, json: JsonReader): WebhookOutcome {
  switch (kind) {
    case "github":
      return readGitHubEvent(header("x-github-event") ?? "", header("x-github-delivery") ?? "", json);
    case "gitea": {
      const event = header("x-forgejo-event") ?? header("x-gitea-event") ?? header("x-gogs-event") ?? "";
      const delivery = header("x-forgejo-delivery") ?? header("x-gitea-delivery") ?? header("x-gogs-delivery") ?? "";
      return readGitHubEvent(event, delivery, json);
    }
    case "gitlab":
      // The first stays the same when a delivery is repeated.
      return readGitLabEvent(header("idempotency-key") ?? header("x-gitlab-event-uuid") ?? "", json);
    case "bitbucket-cloud":
      return readBitbucketCloudEvent(header("x-event-key") ?? "", header("x-request-uuid") ?? "", json);
    case "bitbucket-data-center":
      return readDataCenterEvent(header("x-event-key") ?? "", header("x-request-id") ?? "", json);
    case "azure-devops":
      return readAzureEvent(json);
  }
}
