// What a webhook is asked.
import { createHash } from "node:crypto";
import type { AggregatedStatusItem } from "../../../api/work.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { describeRef, gvkOf, type KubeObject, refOf } from "../../../kube/object.ts";
import type { Question } from "../answers.ts";
import type { InterpreterOperation } from "../interpreter.ts";
import type { InterpreterHook } from "./hooks.ts";

export const WEBHOOK_ASKER = "webhook";

export interface WebhookRequest {
  readonly operation: InterpreterOperation;
  readonly object: KubeObject;
  /** Retain: the copy in the member. */
  readonly observed?: KubeObject | undefined;
  /** ReviseReplica: the wanted number. */
  readonly replicas?: number | undefined;
  /** AggregateStatus: what the members say. */
  readonly items?: readonly AggregatedStatusItem[] | undefined;
}

/** An operation on an object that a webhook is to do. */
export class WebhookQuestion implements Question {
  readonly asker = WEBHOOK_ASKER;
  readonly hook: InterpreterHook;
  readonly request: WebhookRequest;
  readonly key: string;

  constructor(hook: InterpreterHook, request: WebhookRequest) {
    this.hook = hook;
    this.request = request;
    const { operation, object, observed, replicas, items } = request;
    this.key = [hook.id, hook.version, operation, replicas, ...[object, observed, items].map(digest)].join(" ");
  }

  get subject(): string {
    return `${this.request.operation} of ${describeRef(refOf(this.request.object))} by webhook ${this.hook.id}`;
  }
}

const digests = new WeakMap<object, string>();

/** Objects are never changed in place, so that each is read once. */
function digest(value: object | undefined): string {
  if (value === undefined) return "-";
  let known = digests.get(value);
  if (known === undefined) {
    known = createHash("sha256").update(stringifyJson(value)).digest("base64");
    digests.set(value, known);
  }
  return known;
}

/** The body of the request: a ResourceInterpreterContext. */
export function requestBody({ request }: WebhookQuestion, uid: string): string {
  const { operation, object, observed, replicas = 0, items = [] } = request;
  const { group, version, kind } = gvkOf(object);
  const { namespace } = object.metadata;
  return stringifyJson({
    kind: "ResourceInterpreterContext",
    apiVersion: "config.karmada.io/v1alpha1",
    request: {
      uid,
      kind: { group, version, kind },
      name: object.metadata.name ?? "",
      ...(namespace ? { namespace } : {}),
      operation,
      object,
      ...(observed === undefined ? {} : { observedObject: observed }),
      // As Karmada: sent with every operation.
      replicas,
      ...(items.length === 0 ? {} : { aggregatedStatus: items }),
    },
  });
}
