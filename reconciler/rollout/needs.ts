// Objects that go with the rollout of another one: a cluster has them as they were in the revision that it has of that one.
import type { KubeObject } from "../../kube/object.ts";
import { readClaim } from "../policies/claim.ts";
import type { CopyState } from "./decide-rollout.ts";

/** Names of revisions by key (`refKey`) of the object that is needed. */
export type Needs = Readonly<Record<string, string>>;

/** Ours, on bindings: those whose rollout the object goes with although it does not follow them, as JSON. */
export const ROLLOUT_WITH_ANNOTATION = "gitops.flaghoist.io/rollout-with";

/** Names of bindings (`namespace/name`); what is no list of those names none. */
export function readRolloutWith({ metadata }: KubeObject): string[] {
  const text = metadata.annotations?.[ROLLOUT_WITH_ANNOTATION];
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

/**
 * Whether `needed` goes with the rollout of `referrer`, which needs it: what the same policy has, and what merely follows
 * because others need it, if `follows` says that those are sent along. Any other policy decides about its own objects.
 */
export function goesWith(referrer: KubeObject, needed: KubeObject, follows: boolean): boolean {
  const own = readClaim(needed.metadata);
  return own === undefined ? follows : own.id === readClaim(referrer.metadata)?.id;
}

/** Whether a cluster that has `before` of what an object needs has `after` as well. Nothing recorded: it had what there was. */
export function sameNeeds(before: Needs | undefined, after: Needs | undefined): boolean {
  if (before === undefined) return true;
  const keys = new Set([...Object.keys(before), ...Object.keys(after ?? {})]);
  return [...keys].every((key) => before[key] === after?.[key]);
}

export interface Led {
  /** Revision of the needed object; undefined: the referrer does not say, and it is sent as it is now. */
  readonly revision: string | undefined;
}

/**
 * Which revision of an object a cluster is to have, of those that its referrers there need: the present one as soon as one
 * of them has come to it.
 */
export function chooseLed(led: readonly Led[], present: string): string | undefined {
  if (led.length === 0) return undefined;
  const wanted = led.map(({ revision }) => revision ?? present);
  return wanted.includes(present) ? present : wanted[0];
}

type Shown = { readonly copy: CopyState; readonly message?: string | undefined };

const ORDER: readonly CopyState[] = ["failed", "unhealthy", "pending", "healthy"];

/** An object is no better than the worst of what it needs. */
export function worstOf(own: Shown, needs: readonly Shown[]): Shown {
  return needs.reduce((worst, each) => (ORDER.indexOf(each.copy) < ORDER.indexOf(worst.copy) ? each : worst), own);
}
