// The mutating half of webhook admission: one webhook after the other, each on what the ones before it made.

import { decodeManagers } from "../../../../kube/fields/managers.ts";
import { applyJsonPatch } from "../../../../kube/json-patch.ts";
import { cloneJson, equalJson, isObject, type JsonObject, type KubeObject } from "../../../../kube/object.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { AdmissionPlugin, AdmissionRequest, MutationRounds } from "../../registry/admission.ts";
import { internalError } from "../../registry/status-error.ts";
import { isExemptFromAdmission, type MatchedResource } from "../match-resources.ts";
import { callWebhook } from "./call-webhook.ts";
import {
  convertAll,
  denial,
  failureOf,
  invocationOf,
  noteAnswer,
  reviewedWrite,
  strategyOf,
  type WebhookAdmission,
} from "./invocation.ts";
import { resourceOf } from "./match-target.ts";
import type { ReviewAnswer } from "./review.ts";
import { type Webhook, WebhookSet } from "./webhook-set.ts";

const CONFIGURATIONS = "admissionregistration.k8s.io/mutatingwebhookconfigurations";

/** What is remembered from the first round to the second. */
interface Memory {
  /** The object as the webhooks left it. */
  output: KubeObject | undefined;
  /** Webhooks that were asked and may be asked again, since the object last changed. */
  readonly asked: Set<string>;
  /** Those of them that must be asked again. */
  readonly due: Set<string>;
}

/** Asks the webhooks of the stored MutatingWebhookConfigurations. */
export function mutatingWebhooks(admission: WebhookAdmission): AdmissionPlugin {
  const webhooks = new WebhookSet(admission.store, admission.registry, CONFIGURATIONS);
  const plugin: AdmissionPlugin = {
    remote: true,
    handles: (kind, operation) =>
      webhooks.candidates(resourceOf(kind), operation).length > 0 && !isExemptFromAdmission(kind),
    mutate(request) {
      const candidates = webhooks.candidates(resourceOf(request.target), request.operation);
      return mutate(admission, plugin, candidates, request);
    },
  };
  return plugin;
}

function memoryOf(plugin: AdmissionPlugin, rounds: MutationRounds | undefined): Memory {
  const known = rounds?.notes.get(plugin) as Memory | undefined;
  if (known !== undefined) return known;
  const memory: Memory = { output: undefined, asked: new Set(), due: new Set() };
  rounds?.notes.set(plugin, memory);
  return memory;
}

function requireAgain(memory: Memory): void {
  for (const id of memory.asked) memory.due.add(id);
  memory.asked.clear();
}

function mutate(
  admission: WebhookAdmission,
  plugin: AdmissionPlugin,
  candidates: readonly Webhook[],
  request: AdmissionRequest,
): Promise<KubeObject | undefined> | undefined {
  const isSecond = request.rounds?.isSecond === true;
  const memory = memoryOf(plugin, request.rounds);
  // Somebody between the rounds changed what the webhooks had made.
  if (isSecond && memory.output !== undefined && !equalJson(memory.output, request.object)) requireAgain(memory);
  // The first match decides whether anything is awaited at all.
  for (const [index, webhook] of candidates.entries()) {
    if (isSecond && !memory.due.has(webhook.id)) continue;
    const matched = invocationOf(admission, webhook, request);
    if (matched !== undefined) return mutateFrom(admission, candidates, index, matched, request, memory);
  }
  return undefined;
}

async function mutateFrom(
  admission: WebhookAdmission,
  candidates: readonly Webhook[],
  first: number,
  firstMatch: MatchedResource,
  request: AdmissionRequest,
  memory: Memory,
): Promise<KubeObject> {
  const round = request.rounds?.isSecond === true ? 1 : 0;
  let current = request.object;
  for (let index = first; index < candidates.length; index++) {
    const webhook = candidates[index]!;
    const asked: AdmissionRequest = { ...request, object: current };
    // A webhook that was passed by in the first round is not asked in the second, whatever it would match by now.
    if (round === 1 && !memory.due.has(webhook.id)) continue;
    const matched = index === first ? firstMatch : invocationOf(admission, webhook, asked);
    if (matched === undefined) continue;
    const position = `round_${round}_index_${index}`;
    let changed = false;
    try {
      const write = await reviewedWrite(admission, asked, matched, current);
      const answer = await callWebhook(admission, webhook, "mutate", write);
      noteAnswer(request, webhook, answer);
      if (!answer.allowed) throw denial(webhook, answer);
      const next = await patched(admission, asked, matched, write.object, answer, webhook);
      changed = next !== undefined && !equalJson(next, current);
      if (changed) current = next!;
    } catch (error) {
      const failure = failureOf(admission, webhook, request, error);
      if (failure !== undefined) throw failure;
      request.annotate(`failed-open.mutation.webhook.admission.k8s.io/${position}`, webhook.name);
    }
    const noted = { configuration: webhook.configuration, webhook: webhook.name, mutated: changed };
    request.annotate(`mutation.webhook.admission.k8s.io/${position}`, JSON.stringify(noted));
    memory.due.delete(webhook.id);
    if (changed) {
      requireAgain(memory);
      request.rounds?.askForSecond();
    }
    if (webhook.reinvocable) memory.asked.add(webhook.id);
  }
  memory.output = current;
  return current;
}

/** The object of the request after the webhook's patch, in the request's own version; undefined when there is no patch. */
async function patched(
  { registry }: WebhookAdmission,
  request: AdmissionRequest,
  matched: MatchedResource,
  shown: KubeObject | undefined,
  answer: ReviewAnswer,
  webhook: Webhook,
): Promise<KubeObject | undefined> {
  if (answer.patch.length === 0) return undefined;
  if (shown === undefined) {
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  let result: unknown;
  try {
    result = applyJsonPatch<unknown>(shown, answer.patch, { dialect: "api-server" });
  } catch (error) {
    throw internalError(messageOf(error));
  }
  if (!isObject(result)) {
    throw internalError(`the patch of admission webhook ${JSON.stringify(webhook.name)} leaves no object`);
  }
  const { target } = request;
  // The patch may share parts with the object shown, which is frozen.
  const json = cloneJson(result) as { [field: string]: JsonObject[string] };
  const isWhole = request.kind.kind === target.kind && request.kind.group === target.group;
  // Kind, apiVersion and metadata of what was shown, or changed by the patch: the handlers check them again.
  if (!isWhole) return json as unknown as KubeObject;
  const kind = strategyOf(registry, request, matched.kind);
  json["metadata"] ??= {};
  json["apiVersion"] = shown.apiVersion;
  json["kind"] = shown.kind;
  let object: KubeObject;
  try {
    object = kind.decode(json, []).object;
  } catch (error) {
    const prefix = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: `;
    const why = messageOf(error);
    throw internalError(why.startsWith(prefix) ? why.slice(prefix.length) : why);
  }
  kind.applyDefaults(object, request.oldObject);
  keepManagedFields(request, shown, object);
  if (kind === target) return object;
  const [back] = await convertAll(target, [object]);
  return cloneJson(back!);
}

/** As the reference: a webhook that makes the record of owners unreadable leaves it as it was. */
function keepManagedFields(request: AdmissionRequest, before: KubeObject, after: KubeObject): void {
  const { managedFields } = after.metadata;
  if (equalJson(managedFields, before.metadata.managedFields)) return;
  if (managedFields === undefined || decodeManagers(managedFields) !== undefined) return;
  const kept = before.metadata.managedFields;
  if (kept === undefined) delete after.metadata.managedFields;
  else after.metadata.managedFields = cloneJson(kept);
  request.warn(
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests",
  );
}
