// Match conditions of webhooks, over a write.
import type { Authorizer } from "../authorization/access.ts";
import type { AdmissionRequest } from "../registry/admission.ts";
import { compileMatchConditions, type MatchCondition, type MatchConditions } from "./match-conditions.ts";
import type { ConditionCheck } from "./webhooks/invocation.ts";
import { resourceOf } from "./webhooks/match-target.ts";

/** Decides the conditions of webhooks. They are compiled once for each configuration as it is stored. */
export function webhookConditions(authorizer: Authorizer): ConditionCheck {
  const compiled = new WeakMap<readonly MatchCondition[], MatchConditions>();
  return (conditions, request, ignoresFailure) => {
    let known = compiled.get(conditions);
    if (known === undefined) {
      known = compileMatchConditions(conditions);
      compiled.set(conditions, known);
    }
    const outcome = known.evaluate({ request, ...shownObjects(request), authorizer });
    if (typeof outcome === "string") return outcome === "match";
    if (ignoresFailure) return false;
    throw new Error(outcome.error);
  };
}

/** The objects of a write in its own version: of a deletion only what is there. */
export function shownObjects(request: AdmissionRequest) {
  const isDeletion = request.operation === "DELETE";
  return {
    matched: { resource: resourceOf(request.target), kind: request.kind },
    object: isDeletion ? undefined : request.object,
    oldObject: isDeletion ? (request.oldObject ?? request.object) : request.oldObject,
  };
}
