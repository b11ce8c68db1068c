// Asks interpreter webhooks over HTTPS.
import { readJsonAnswer } from "../../../../fleets/apiserver/admission/webhooks/json-answer.ts";
import { CallError, JsonCaller } from "../../../../fleets/apiserver/http/json-call.ts";
import type { Clock } from "../../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../../runtime/errors.ts";
import type { Question } from "../../../interpreter/answers.ts";
import { webhookFailed } from "../../../interpreter/webhook/errors.ts";
import type { InterpreterHook } from "../../../interpreter/webhook/hooks.ts";
import { requestBody, WEBHOOK_ASKER, WebhookQuestion } from "../../../interpreter/webhook/question.ts";
import {
  InvalidResponse,
  readResponse,
  UnsuccessfulResponse,
  type WebhookAnswer,
} from "../../../interpreter/webhook/response.ts";
import type { Asker } from "../interpretation.ts";
import { HookGate } from "./hook-gate.ts";
import { type FindService, webhookTarget } from "./webhook-target.ts";

export interface WebhookAskerOptions {
  readonly clock: Clock;
  readonly newUuid: () => string;
  readonly findService: FindService;
}

export class WebhookAsker implements Asker {
  readonly name = WEBHOOK_ASKER;
  readonly #options: WebhookAskerOptions;
  readonly #caller: JsonCaller;
  /** By id of the hook. One that was changed begins anew. */
  readonly #gates = new Map<string, { readonly version: string; readonly gate: HookGate }>();

  constructor(options: WebhookAskerOptions) {
    this.#options = options;
    this.#caller = new JsonCaller(options.clock, "flaghoist");
  }

  /** The verified answer. Throws `interpreter-webhook-failed` for whatever keeps the webhook from giving one. */
  async ask(question: Question, signal: AbortSignal): Promise<WebhookAnswer> {
    if (!(question instanceof WebhookQuestion)) throw new Error(`not a question to webhooks: ${question.subject}`);
    return this.#gateOf(question.hook).pass(() => this.#call(question, signal), isUnreachable);
  }

  close(): void {
    this.#caller.close();
  }

  async #call(question: WebhookQuestion, signal: AbortSignal): Promise<WebhookAnswer> {
    const { hook, request } = question;
    const uid = this.#options.newUuid();
    let json: unknown;
    try {
      const target = await webhookTarget(hook.client, hook.timeoutMs, this.#options.findService);
      const body = requestBody(question, uid);
      json = readJsonAnswer(await this.#caller.post(target, { body, timeoutMs: hook.timeoutMs, signal }));
    } catch (error) {
      // The caller has left: there is no answer for anybody.
      if (signal.aborted) throw error;
      const isCall = error instanceof CallError;
      throw webhookFailed(
        hook,
        `failed to call webhook: ${isCall || !isSecret(question) ? messageOf(error) : WITHHELD}`,
        error,
      );
    }
    try {
      return readResponse(json, uid, request.operation);
    } catch (error) {
      if (error instanceof InvalidResponse)
        throw webhookFailed(hook, `received invalid webhook response: ${messageOf(error)}`);
      if (!(error instanceof UnsuccessfulResponse)) throw error;
      const said = isSecret(question) ? new UnsuccessfulResponse(error.code, WITHHELD) : error;
      throw webhookFailed(hook, said.message);
    }
  }

  #gateOf({ id, version }: InterpreterHook): HookGate {
    const known = this.#gates.get(id);
    if (known?.version === version) return known.gate;
    const gate = new HookGate(this.#options.clock);
    this.#gates.set(id, { version, gate });
    return gate;
  }
}

/** What a webhook says about a Secret may repeat it, and messages end up in events. */
const WITHHELD = "its words are withheld, as the object is a Secret";

function isSecret({ request: { object } }: WebhookQuestion): boolean {
  return object.kind === "Secret" && object.apiVersion === "v1";
}

function isUnreachable(error: unknown): error is AppError {
  return error instanceof AppError && error.cause instanceof CallError;
}
