// From templates and policies to bindings: decides for each template which policy applies, and applies it.
import type { ClusterPropagationPolicy, PropagationPolicy } from "../../../api/policy.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { formatApiVersion, type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { readClaim } from "../../policies/claim.ts";
import { whyNotTemplate } from "../../policies/considered.ts";
import { decideTemplate, type TemplateDecision } from "../../policies/decide-template.ts";
import { isChangedByUs, isRelevantUpdate } from "../../policies/lazy.ts";
import { PolicyIndex } from "../../policies/policy-index.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import type { Asking } from "../interpretation/interpretation.ts";
import { allBindings } from "../scheduling/binding-key.ts";
import { type ApplyDeps, applyPolicy, tellFailed } from "./apply-policy.ts";
import { Awaited } from "./awaited.ts";
import { releaseTemplate } from "./claim-marks.ts";
import { priorityClassValue, templatePriority } from "./template-priority.ts";
import type { TemplateWatch } from "./template-watch.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";

interface Deps extends ApplyDeps {
  readonly templates: TemplateWatch;
  readonly policies: PolicyIndex;
}

export interface TemplateController extends Controller {
  /** Looks at a template again. `held`: because of a change on which a lazy policy does not act. */
  enqueue(ref: ObjectRef, held: boolean): void;
  /** Looks for bindings whose template went while nobody watched. To be called once the caches are full. */
  sweep(): void;
}

export function startTemplateController(deps: Deps): TemplateController {
  const { context, templates } = deps;
  const references = new Map<string, ObjectRef>();
  /** Keys for which no change since the last pass is one that a lazy policy acts on. */
  const onlyHeld = new Map<string, boolean>();
  const awaited = new Awaited();
  const queue = new WorkQueue(
    {
      name: "templates",
      clock: context.clock,
      logger: context.logger,
      workers: 16,
      minBackoffMs: 100,
      maxBackoffMs: 30_000,
      priorityOf,
    },
    step,
  );

  function priorityOf(key: string): number {
    const ref = references.get(key);
    if (ref === undefined || !context.profile.featureGates.PriorityBasedScheduling) return 0;
    const template = templates.find(ref.apiVersion, ref.kind, ref.namespace, ref.name);
    return templatePriority(template, deps.policies, (name) => priorityClassValue(context, name));
  }

  function enqueue(ref: ObjectRef, held: boolean): void {
    const key = refKey(ref);
    references.set(key, ref);
    onlyHeld.set(key, held && (onlyHeld.get(key) ?? true));
    queue.add(key);
  }

  /** The version of each template in which something last changed that its binding is about. */
  const contentVersions = new Map<string, string>();

  templates.subscribe((change) => {
    if (change.type === "updated" && !isRelevantUpdate(change.previous, change.object)) return;
    const key = refKey(refOf(change.object));
    if (change.type === "deleted") contentVersions.delete(key);
    else contentVersions.set(key, change.object.metadata.resourceVersion ?? "");
    const held = change.type === "updated" && isLazy(change.object) && isChangedByUs(change.previous, change.object);
    enqueue(refOf(change.object), held);
  });

  /** As Karmada: only a template that a lazy policy has by now is held back by what we write. */
  function isLazy(template: KubeObject): boolean {
    const claim = readClaim(template.metadata);
    if (claim === undefined) return false;
    return deps.policies.get(`${claim.namespace}/${claim.name}`)?.spec.activationPreference === "Lazy";
  }

  // Whoever deleted a binding, its template still wants one; and one that was made anew under its old name does too.
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type !== "deleted") return;
      const { apiVersion, kind: templateKind, namespace, name } = change.object.spec.resource;
      if (templates.find(apiVersion, templateKind, namespace, name) !== undefined)
        enqueue({ apiVersion, kind: templateKind, namespace, name }, false);
    });
  }

  deps.interpretation.subscribe((change) => {
    for (const gvk of templates.kinds()) {
      if (!DEMANDS.some((operation) => change.concerns(gvk, operation))) continue;
      for (const template of templates.ofKind(formatApiVersion(gvk.group, gvk.version), gvk.kind))
        enqueue(refOf(template), false);
    }
  });

  // What a template waits for wakes it up with the changes that it still has to act on.
  for (const [apiVersion, kind] of AWAITED_KINDS) {
    context.informers.of(apiVersion, kind).subscribe((change) => {
      if (change.type !== "added") return;
      const { namespace = "", name = "" } = change.object.metadata;
      for (const key of awaited.waitingFor(causeOf(kind, namespace, name))) queue.add(key);
    });
  }

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const ref = references.get(key);
    if (ref === undefined) return undefined;
    const template = templates.find(ref.apiVersion, ref.kind, ref.namespace, ref.name);
    awaited.forget(key);
    if (template === undefined) {
      await removeBinding(context, ref);
      // Only now: a removal that failed is tried again by this key. It may have been asked for again meanwhile.
      if (templates.find(ref.apiVersion, ref.kind, ref.namespace, ref.name) === undefined) {
        references.delete(key);
        onlyHeld.delete(key);
      }
      return undefined;
    }
    if (template.metadata.deletionTimestamp !== undefined || whyNotTemplate(template, templates.skipped) !== undefined)
      return undefined;
    const changedByUs = onlyHeld.get(key) ?? false;
    // Changes from here on are marked for the next pass, our own claim among them.
    onlyHeld.delete(key);
    const decision = decideTemplate(template, {
      policies: deps.policies,
      overrideExists: overrideExists(context),
      changedByUs,
    });
    try {
      return await act(deps, template, decision, () => contentVersions.get(key), { signal, queue });
    } catch (error) {
      // What was not dealt with counts again.
      onlyHeld.set(key, changedByUs && (onlyHeld.get(key) ?? true));
      // The next version of the template is on its way.
      if (isConflict(error)) return { requeueAfterMs: 20 };
      const causes = causesOf(decision, error);
      awaited.set(key, causes);
      if (causes.some((cause) => exists(context, cause))) return { requeueAfterMs: 0 };
      throw error;
    }
  }

  function sweep(): void {
    for (const binding of allBindings(context)) {
      const { apiVersion, kind, namespace, name } = binding.spec.resource;
      if (templates.find(apiVersion, kind, namespace, name) === undefined)
        enqueue({ apiVersion, kind, namespace, name }, true);
    }
  }

  return { stop: () => queue.stop(), enqueue, sweep };
}

async function act(
  deps: Deps,
  template: KubeObject,
  decision: TemplateDecision,
  contentVersion: () => string | undefined,
  asking: Asking,
): Promise<StepResult | undefined> {
  switch (decision.action) {
    case "apply":
      await applyPolicy(deps, template, decision, contentVersion, asking);
      return undefined;
    case "release":
      await releaseTemplate(deps.context, template, decision.claim);
      return { requeueAfterMs: 0 };
    case "retry": {
      const { awaits = [], policy, reason } = decision;
      // Their coming is noticed, so nobody has to look again until then.
      const error = new AppError("policy-not-ready", reason, { recovery: awaits.length > 0 ? "stall" : "retry" });
      if (awaits.length > 0) tellFailed(deps.context, template, policy, error);
      throw error;
    }
    case "wait":
    case "stop":
      return undefined;
  }
}

/** What a binding says of its object. */
const DEMANDS = ["InterpretReplica", "InterpretComponent"] as const;

const AWAITED_KINDS = [
  [POLICY_API, "OverridePolicy"],
  [POLICY_API, "ClusterOverridePolicy"],
  ["scheduling.k8s.io/v1", "PriorityClass"],
] as const;

function causesOf(decision: TemplateDecision, error: unknown): readonly string[] {
  if (decision.action === "retry")
    return (decision.awaits ?? []).map(({ namespace, name }) =>
      causeOf(namespace === "" ? "ClusterOverridePolicy" : "OverridePolicy", namespace, name),
    );
  if (!(error instanceof AppError) || error.code !== "binding-priority-class-missing") return [];
  return [causeOf("PriorityClass", "", String(error.details["name"]))];
}

/** It may have come while the decision was on its way. */
function exists(context: ControllerContext, cause: string): boolean {
  const [kind = "", namespace, name = ""] = cause.split("/");
  const apiVersion = AWAITED_KINDS.find(([, awaited]) => awaited === kind)?.[0] ?? POLICY_API;
  return context.informers.of(apiVersion, kind).get(namespace, name) !== undefined;
}

function causeOf(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

export function overrideExists(context: ControllerContext): (namespace: string, name: string) => boolean {
  return (namespace, name) => {
    const kind = namespace === "" ? "ClusterOverridePolicy" : "OverridePolicy";
    return context.informers.of(POLICY_API, kind).get(namespace, name) !== undefined;
  };
}

/**
 * Deletes the binding of a template that is gone. The garbage collector of the store would do it too; a store without
 * one (a bare API server) has only us.
 */
async function removeBinding(context: ControllerContext, ref: ObjectRef): Promise<void> {
  const kind = ref.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
  const binding = context.informers
    .of<AnyBinding>(BINDING_API_VERSION, kind)
    .get(ref.namespace, bindingName(ref.kind, ref.name));
  const { resource } = binding?.spec ?? {};
  if (binding === undefined || resource?.kind !== ref.kind || resource.apiVersion !== ref.apiVersion) return;
  if (binding.metadata.deletionTimestamp !== undefined) return;
  // Everything that runs would go with the binding: a cache that is behind, or has no such kind, is not enough.
  if ((await context.client.find(ref)) !== undefined) return;
  try {
    await context.client.delete(refOf(binding), { uid: binding.metadata.uid });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

/** An index of all propagation policies that follows the store. */
export function watchPolicies(context: ControllerContext): PolicyIndex {
  const index = new PolicyIndex();
  for (const kind of ["PropagationPolicy", "ClusterPropagationPolicy"]) {
    context.informers.of<PropagationPolicy | ClusterPropagationPolicy>(POLICY_API, kind).subscribe((change) => {
      if (change.type === "deleted")
        index.delete(`${change.object.metadata.namespace ?? ""}/${change.object.metadata.name ?? ""}`);
      else index.set(change.object);
    });
  }
  return index;
}
