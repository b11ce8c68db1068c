// What people ask of Flux in a member cluster stays asked: `flux suspend`, `flux resume` and `flux reconcile`.

import type { KubeObject } from "../../../../kube/object.ts";
import { retaining } from "../rules/fields.ts";

/** Annotations with the time of a request. Flux acts on those that say the same as the first. */
const REQUESTED_AT = "reconcile.fluxcd.io/requestedAt";
const REQUESTS = [REQUESTED_AT, "reconcile.fluxcd.io/forceAt", "reconcile.fluxcd.io/resetAt"];

const retainSuspension = retaining(["spec", "suspend"]);

/**
 * Keeps `spec.suspend` of the copy as Karmada does, and its requests where they are later than those of the template:
 * `flux reconcile` waits for its own request to be handled, and would wait in vain if the older one came back.
 */
export function retainRequests(desired: KubeObject, observed: KubeObject): KubeObject {
  const retained = retainSuspension(desired, observed);
  const mine = desired.metadata.annotations ?? {};
  const theirs = observed.metadata.annotations ?? {};
  if (!isLater(theirs[REQUESTED_AT], mine[REQUESTED_AT])) return retained;
  const annotations: Record<string, string> = { ...mine };
  for (const key of REQUESTS) if (theirs[key] !== undefined) annotations[key] = theirs[key];
  return { ...retained, metadata: { ...retained.metadata, annotations } };
}

// A request may be any text; only times tell which is the later one, and the template has the last word on others.
function isLater(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || one === other) return false;
  return other === undefined || Date.parse(one) > Date.parse(other);
}
