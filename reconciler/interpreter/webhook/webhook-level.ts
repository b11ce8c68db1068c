// The level of webhooks: what they answered about an object, applied to it.
import { applyJsonPatch } from "../../../kube/json-patch.ts";
import { gvkOf, type KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Answers } from "../answers.ts";
import type { Compatibility } from "../betterments.ts";
import { checkDependencies } from "../dependency-check.ts";
import { interpreterNotFound } from "../errors.ts";
import type { Dependency, InterpreterLevel } from "../interpreter.ts";
import { webhookFailed } from "./errors.ts";
import type { InterpreterHook, InterpreterHooks } from "./hooks.ts";
import { WebhookQuestion, type WebhookRequest } from "./question.ts";
import type { WebhookAnswer } from "./response.ts";

/**
 * A level that knows the kinds of `hooks`; it throws `AnswerPending` for every answer that `answers` lacks. With
 * `compatibility: karmada` it also takes negative replicas, and patches that make another object of the one they are for.
 */
export function webhookLevel(
  hooks: InterpreterHooks,
  answers: Answers,
  compatibility: Compatibility = "flaghoist",
): InterpreterLevel {
  const isStrict = compatibility !== "karmada";

  function ask(request: WebhookRequest): { readonly answer: WebhookAnswer; readonly hook: InterpreterHook } {
    const { object, operation } = request;
    const hook = hooks.find(gvkOf(object), operation);
    if (hook === undefined) throw interpreterNotFound(operation, object.apiVersion, object.kind);
    // Askers of webhooks answer with what the operation is about.
    return { answer: answers.valueOf(new WebhookQuestion(hook, request)) as WebhookAnswer, hook };
  }

  function patched(request: WebhookRequest): KubeObject {
    const { answer, hook } = ask(request);
    if (!("patch" in answer)) throw unfit(request);
    const changed = applyPatch(hook, request.object, answer.patch);
    const problem = isStrict ? identityProblem(request.object, changed) : undefined;
    if (problem !== undefined) throw webhookFailed(hook, `response.patch ${problem}`);
    return changed;
  }

  function countChecked(hook: InterpreterHook, replicas: number, field: string): void {
    if (isStrict && replicas < 0)
      throw webhookFailed(hook, `response.${field} is ${replicas}: there are no negative replicas`);
  }

  return {
    hookEnabled: (gvk, operation) => hooks.find(gvk, operation) !== undefined,
    getReplicas: (object) => {
      const { answer, hook } = ask({ operation: "InterpretReplica", object });
      if ("demand" in answer) {
        countChecked(hook, answer.demand.replicas, "replicas");
        return answer.demand;
      }
      throw unfit({ operation: "InterpretReplica", object });
    },
    getComponents: (object) => {
      const { answer, hook } = ask({ operation: "InterpretComponent", object });
      if ("components" in answer) {
        for (const [index, { replicas }] of answer.components.entries())
          countChecked(hook, replicas, `components[${index}].replicas`);
        return answer.components;
      }
      throw unfit({ operation: "InterpretComponent", object });
    },
    getDependencies: (object) => {
      const { answer, hook } = ask({ operation: "InterpretDependency", object });
      if ("dependencies" in answer) return checked(hook, object, answer.dependencies);
      throw unfit({ operation: "InterpretDependency", object });
    },
    reflectStatus: (object) => {
      const { answer } = ask({ operation: "InterpretStatus", object });
      if ("status" in answer) return answer.status;
      throw unfit({ operation: "InterpretStatus", object });
    },
    interpretHealth: (object) => {
      const { answer } = ask({ operation: "InterpretHealth", object });
      if ("healthy" in answer) return answer.healthy;
      throw unfit({ operation: "InterpretHealth", object });
    },
    reviseReplica: (object, replicas) => patched({ operation: "ReviseReplica", object, replicas }),
    retain: (desired, observed) => patched({ operation: "Retain", object: desired, observed }),
    aggregateStatus: (object, items) => {
      const { status } = patched({ operation: "AggregateStatus", object, items }) as KubeObject & { status?: unknown };
      // The status is all that is asked for; whatever else the patch changes is not.
      return status === object["status"] ? object : { ...object, status };
    },
  };
}

function checked(
  hook: InterpreterHook,
  object: KubeObject,
  dependencies: readonly Dependency[],
): readonly Dependency[] {
  try {
    return checkDependencies(object, dependencies);
  } catch (error) {
    throw webhookFailed(hook, `received invalid webhook response: ${messageOf(error)}`, error);
  }
}

function applyPatch(
  hook: InterpreterHook,
  object: KubeObject,
  patch: Parameters<typeof applyJsonPatch>[1],
): KubeObject {
  if (patch.length === 0) return object;
  try {
    return applyJsonPatch(object, patch);
  } catch (error) {
    throw webhookFailed(hook, `response.patch does not apply: ${messageOf(error)}`, error);
  }
}

/** How a patch made another object of the one it is for, if it did. */
function identityProblem(before: KubeObject, after: unknown): string | undefined {
  if (typeof after !== "object" || after === null) return "leaves no object";
  const { apiVersion, kind, metadata } = after as Partial<KubeObject>;
  if (apiVersion !== before.apiVersion) return "changes apiVersion";
  if (kind !== before.kind) return "changes kind";
  if (metadata?.name !== before.metadata.name) return "changes metadata.name";
  if ((metadata?.namespace ?? "") !== (before.metadata.namespace ?? "")) return "changes metadata.namespace";
  return undefined;
}

/** Only an asker that is wrong gives such an answer. */
function unfit({ operation }: WebhookRequest): Error {
  return new Error(`the answer is not one to ${operation}`);
}
