// The validating half of webhook admission: all at once, on the object as it will be stored.
import { mapLimit } from "../../../../runtime/parallel.ts";
import type { AdmissionPlugin, AdmissionRequest, AdmissionVerdict } from "../../registry/admission.ts";
import { isExemptFromAdmission, type MatchedResource } from "../match-resources.ts";
import { callWebhook } from "./call-webhook.ts";
import { denial, failureOf, invocationOf, noteAnswer, reviewedWrite, type WebhookAdmission } from "./invocation.ts";
import { resourceOf } from "./match-target.ts";
import { type Webhook, WebhookSet } from "./webhook-set.ts";

const CONFIGURATIONS = "admissionregistration.k8s.io/validatingwebhookconfigurations";
/** More webhooks than this wait for each other. */
const PARALLEL_CALLS = 32;
const ALLOWED: AdmissionVerdict = [];

/** Asks the webhooks of the stored ValidatingWebhookConfigurations. */
export function validatingWebhooks(admission: WebhookAdmission): AdmissionPlugin {
  const webhooks = new WebhookSet(admission.store, admission.registry, CONFIGURATIONS);
  return {
    remote: true,
    handles: (kind, operation) =>
      webhooks.candidates(resourceOf(kind), operation).length > 0 && !isExemptFromAdmission(kind),
    validate(request) {
      const candidates = webhooks.candidates(resourceOf(request.target), request.operation);
      const calls = candidates.flatMap((webhook) => {
        const matched = invocationOf(admission, webhook, request);
        return matched === undefined ? [] : [{ webhook, matched }];
      });
      return calls.length === 0 ? ALLOWED : validate(admission, calls, request);
    },
  };
}

async function validate(
  admission: WebhookAdmission,
  calls: readonly { readonly webhook: Webhook; readonly matched: MatchedResource }[],
  request: AdmissionRequest,
): Promise<AdmissionVerdict> {
  const refusals = await mapLimit(calls.entries().toArray(), PARALLEL_CALLS, async ([index, { webhook, matched }]) => {
    try {
      const write = await reviewedWrite(admission, request, matched, request.object);
      const answer = await callWebhook(admission, webhook, "validate", write);
      noteAnswer(request, webhook, answer);
      return answer.allowed ? undefined : denial(webhook, answer);
    } catch (error) {
      const failure = failureOf(admission, webhook, request, error);
      if (failure === undefined) {
        request.annotate(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, webhook.name);
      }
      return failure;
    }
  });
  // Of several refusals the first in order, so that the same write always gets the same answer.
  const refusal = refusals.find((each) => each !== undefined);
  if (refusal !== undefined) throw refusal;
  return ALLOWED;
}
