// What a simulated controller may do to its cluster.
import type { ApiStatusError } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject } from "../../../kube/object.ts";

/** Something that happened to an object, for `kubectl describe`. */
export interface EventDraft {
  readonly regarding: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** A part of the object, such as `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/**
 * One write. `object` is the object as the controller has seen it: updates are refused (409) when it has changed since,
 * deletions when it is another one by now.
 */
export type Action =
  | { readonly do: "create"; readonly object: KubeObject }
  /** PUT of the whole object, or of its status. */
  | { readonly do: "update"; readonly object: KubeObject; readonly subresource?: "status" | "scale" }
  /** A merge patch, whatever happened to the object meanwhile. */
  | {
      readonly do: "patch";
      readonly object: KubeObject;
      readonly patch: Readonly<Record<string, unknown>>;
      readonly subresource?: "status" | "scale";
    }
  | {
      readonly do: "delete";
      readonly object: KubeObject;
      readonly gracePeriodSeconds?: number;
      /** What becomes of what the object owns; `Background` by default. */
      readonly propagation?: "Background" | "Foreground" | "Orphan";
    }
  | { readonly do: "evict"; readonly pod: KubeObject }
  | { readonly do: "bind"; readonly pod: KubeObject; readonly node: string }
  | ({ readonly do: "event" } & EventDraft);

/** What became of an action. `object` is the server's answer; undefined for deletions, evictions, bindings and events. */
export type Outcome =
  | { readonly ok: true; readonly object: KubeObject | undefined }
  | { readonly ok: false; readonly error: ApiStatusError };

/** Asks to be called again after a while although nothing changed. */
export interface WakeUp {
  readonly afterMs: number;
}

/**
 * One run of a controller: yields what it does and is given what became of it. State read after a yield is the state
 * after the action. What it throws brings the key back later.
 */
export type Reconcile = Generator<Action, WakeUp | undefined, Outcome>;

/** A part of a run. */
export type Steps<T> = Generator<Action, T, Outcome>;

/** Does an action and answers what became of it. */
export function* attempt(action: Action): Steps<Outcome> {
  return yield action;
}

/** Does an action that must succeed; a refusal ends the run, and the key comes back. */
export function* perform(action: Action): Steps<KubeObject | undefined> {
  const outcome = yield action;
  if (!outcome.ok) throw outcome.error;
  return outcome.object;
}

/** Writes the status of an object unless it is that already; answers the object as it is then. */
export function* writeStatus(object: KubeObject, status: Readonly<Record<string, unknown>>): Steps<KubeObject> {
  if (equalJson(object["status"] ?? {}, status)) return object;
  return (yield* perform({ do: "update", object: { ...object, status }, subresource: "status" })) ?? object;
}

/** Deletes an object; one that is gone already is as good. */
export function* remove(object: KubeObject, gracePeriodSeconds?: number): Steps<void> {
  const outcome = yield { do: "delete", object, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) };
  if (!outcome.ok && outcome.error.status.code !== 404) throw outcome.error;
}

/** Tells that something happened. */
export function* tell(
  regarding: KubeObject,
  type: EventDraft["type"],
  reason: string,
  message: string,
  fieldPath?: string,
): Steps<void> {
  yield { do: "event", regarding, type, reason, message, ...(fieldPath === undefined ? {} : { fieldPath }) };
}
