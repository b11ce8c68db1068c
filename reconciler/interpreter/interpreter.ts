// What an object means: how many replicas, what it needs, whether it is healthy, what its status adds up to. Four levels
// can know the answer; the first that does gives it, and an error there is final.

import type { LabelSelector } from "../../api/schema.ts";
import type { AggregatedStatusItem, Component, ReplicaRequirements } from "../../api/work.ts";
import type { GroupVersionKind, KubeObject } from "../../kube/object.ts";

export type InterpreterOperation =
  | "InterpretReplica"
  | "InterpretComponent"
  | "ReviseReplica"
  | "Retain"
  | "AggregateStatus"
  | "InterpretDependency"
  | "InterpretStatus"
  | "InterpretHealth";

/** How many replicas an object asks for, and what each of them needs; no requirements when it asks for nothing special. */
export interface ReplicaDemand {
  readonly replicas: number;
  readonly requirements?: ReplicaRequirements;
}

/** An object, or by label several, that another cannot do without. */
export interface Dependency {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: LabelSelector;
}

export type Status = Readonly<Record<string, unknown>>;

/**
 * The items of a binding that has no aggregated status at all. As Karmada: some rules for custom resources tell it, by
 * identity, from a list that is empty.
 */
export const NOTHING_REPORTED: readonly AggregatedStatusItem[] = Object.freeze([]);

/**
 * Answers about objects. Nothing is changed in place: revised, retained and aggregated objects are new where they
 * differ and share what stays. Every method throws an `AppError` when the object cannot be understood, and
 * `interpreter-not-found` when no level knows the kind; only `reflectStatus` always has an answer.
 */
export interface Interpreter {
  hookEnabled(gvk: GroupVersionKind, operation: InterpreterOperation): boolean;
  getReplicas(object: KubeObject): ReplicaDemand;
  getComponents(object: KubeObject): readonly Component[];
  reviseReplica(object: KubeObject, replicas: number): KubeObject;
  /** `desired` with those fields of `observed` that belong to the member cluster. */
  retain(desired: KubeObject, observed: KubeObject): KubeObject;
  getDependencies(object: KubeObject): readonly Dependency[];
  /** The part of the status worth collecting; undefined for none. */
  reflectStatus(object: KubeObject): Status | undefined;
  interpretHealth(object: KubeObject): boolean;
  /** The template with the status that its copies add up to. `now` is an RFC 3339 time for new conditions. */
  aggregateStatus(object: KubeObject, items: readonly AggregatedStatusItem[], now: string): KubeObject;
}

/**
 * One level of interpretation. A method is only called after `hookEnabled` said yes for its operation.
 *
 * Levels answer at once. One that has to ask somebody outside (a webhook) throws `AnswerPending` until it is made with
 * the answer.
 */
export type InterpreterLevel = Pick<Interpreter, "hookEnabled"> & Partial<Interpreter>;

/** The levels in order of precedence; absent ones know nothing. */
export interface InterpreterLevels {
  /** Scripts written by the users of the fleet. */
  readonly customization?: InterpreterLevel | undefined;
  readonly webhook?: InterpreterLevel | undefined;
  /** Scripts shipped for well-known custom resources. */
  readonly thirdParty?: InterpreterLevel | undefined;
  /** Rules for the kinds of Kubernetes itself. */
  readonly native: InterpreterLevel;
}
