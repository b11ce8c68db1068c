// Which policies a write concerns, with which bindings and parameters.
import type { KubeObject } from "../../../../kube/object.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { Authorizer } from "../../authorization/access.ts";
import type { AdmissionRequest } from "../../registry/admission.ts";
import type { KindStrategy } from "../../registry/kind.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Store } from "../../storage/store.ts";
import { type AdmissionInput, type AdmissionVariables, admissionVariables } from "../admission-input.ts";
import {
  type MatchedResource,
  type MatchResources,
  type MatchSurroundings,
  matchResources,
} from "../match-resources.ts";
import { shownObjects } from "../webhook-conditions.ts";
import { matchTargetOf } from "../webhooks/match-target.ts";
import { namespaceOf } from "../webhooks/review.ts";
import { collectParams, paramStrategy } from "./policy-params.ts";
import type { BoundPolicy, PolicyBinding } from "./policy-set.ts";

/** What policies are evaluated with. */
export interface PolicyServer {
  readonly store: Store;
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  readonly surroundings: MatchSurroundings;
}

/** A policy that is to be evaluated for a write, once for each parameter of a binding. */
export interface PolicyInvocation<Compiled> {
  readonly policy: BoundPolicy<Compiled>;
  readonly binding: PolicyBinding;
  readonly matched: MatchedResource;
  readonly params: readonly (KubeObject | null)[];
}

/** A policy or binding that cannot be used. */
export interface PolicyProblem<Compiled> {
  readonly policy: BoundPolicy<Compiled>;
  readonly binding: PolicyBinding | undefined;
  readonly message: string;
}

export type PolicyMatch<Compiled> = PolicyInvocation<Compiled> | PolicyProblem<Compiled>;

/** The invocations of a policy for a write, in the order of its bindings. */
export function matchPolicy<Compiled>(
  policy: BoundPolicy<Compiled>,
  request: AdmissionRequest,
  server: PolicyServer,
): PolicyMatch<Compiled>[] {
  let matched: MatchedResource | undefined;
  let kind: KindStrategy | undefined;
  try {
    matched = matches(policy.match, request, server);
    if (matched === undefined) return [];
    kind = policy.paramKind === undefined ? undefined : paramStrategy(policy.paramKind, server.registry);
  } catch (error) {
    return [{ policy, binding: undefined, message: `failed to configure policy: ${messageOf(error)}` }];
  }
  const found: PolicyMatch<Compiled>[] = [];
  for (const binding of policy.bindings) {
    try {
      if (binding.match !== undefined && matches(binding.match, request, server) === undefined) continue;
      const params = collectParams(kind, binding.paramRef, request.namespace ?? "", server.store);
      found.push({ policy, binding, matched, params });
    } catch (error) {
      found.push({ policy, binding, message: `failed to configure binding: ${messageOf(error)}` });
    }
  }
  return found;
}

function matches(
  match: MatchResources,
  request: AdmissionRequest,
  { surroundings }: PolicyServer,
): MatchedResource | undefined {
  const target = matchTargetOf(request, namespaceOf(request));
  const isDeletion = request.operation === "DELETE";
  const shown = isDeletion ? { ...target, oldObject: request.oldObject ?? request.object } : target;
  return matchResources(match, shown, surroundings);
}

/** The kind of the version that a rule named; the request's own for subresources with an object of their own. */
export function shownKind(request: AdmissionRequest, matched: MatchedResource, registry: Registry): KindStrategy {
  const { kind, target } = request;
  const isOwn = kind.kind === target.kind && kind.group === target.group && kind.version === target.version;
  if (!isOwn) return target;
  return registry.findKind(matched.kind.group, matched.kind.version, matched.kind.kind) ?? target;
}

/** The variables of a policy's expressions; `current` is the object as it is by now. */
export function policyVariables(
  request: AdmissionRequest,
  matched: MatchedResource,
  params: KubeObject | null,
  server: PolicyServer,
  current?: KubeObject,
): AdmissionVariables {
  const objects = shownObjects(request);
  const kind = shownKind(request, matched, server.registry);
  const shown = (object: KubeObject | undefined): KubeObject | undefined =>
    object === undefined || kind === request.target ? object : kind.convert(object);
  const input: AdmissionInput = {
    request,
    matched:
      kind === request.target && matched.kind.version !== kind.version ? { ...matched, kind: request.kind } : matched,
    object: shown(current ?? objects.object),
    oldObject: shown(objects.oldObject),
    authorizer: server.authorizer,
    params,
    namespace: namespaceObjectOf(request, server.store),
  };
  return admissionVariables(input);
}

/** The namespace of the object; a namespace has none. */
function namespaceObjectOf({ target, namespace = "" }: AdmissionRequest, store: Store): KubeObject | undefined {
  if (namespace === "" || (target.group === "" && target.plural === "namespaces")) return undefined;
  return store.get({ resource: "namespaces", namespace: "", name: namespace })?.object;
}
