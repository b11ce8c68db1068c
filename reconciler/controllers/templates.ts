// From templates and policies to bindings: claims each template for its policy and writes its binding, already scheduled.
import type { ClusterPropagationPolicy, PropagationPolicy } from "../../api/policy.ts";
import { isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { describeRef, equalJson, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { changeMetadata, type MetadataChange, policyId, readClaim } from "../policies/claim.ts";
import { whyNotTemplate } from "../policies/considered.ts";
import { decideTemplate, type TemplateDecision } from "../policies/decide-template.ts";
import { isChangedByUs, isRelevantUpdate } from "../policies/lazy.ts";
import { type Policy, PolicyIndex } from "../policies/policy-index.ts";
import { type AnyBinding, BINDING_API_VERSION, buildBinding, mergeBinding } from "../works/binding.ts";
import { bindingName } from "../works/naming.ts";
import type { BindingWriter } from "./binding-writer.ts";
import { allBindings } from "./bindings.ts";
import type { Controller, ControllerContext } from "./context.ts";
import { subjectOf } from "./events.ts";
import type { TemplateWatch } from "./template-watch.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";

interface Deps {
  readonly context: ControllerContext;
  readonly templates: TemplateWatch;
  readonly policies: PolicyIndex;
  readonly interpreter: Interpreter;
  readonly writer: BindingWriter;
}

export interface TemplateController extends Controller {
  /** Looks at a template again. `byUs`: because of a change that we made, which lazy policies do not act on. */
  enqueue(ref: ObjectRef, byUs: boolean): void;
  /** Templates that no policy selects at present. */
  waiting(): ReadonlySet<string>;
  /** Looks for bindings whose template went while nobody watched. To be called once the caches are full. */
  sweep(): void;
}

export function startTemplateController(deps: Deps): TemplateController {
  const { context, templates } = deps;
  const references = new Map<string, ObjectRef>();
  const waiting = new Set<string>();
  /** Keys for which every change since the last pass was made by us. */
  const onlyUs = new Map<string, boolean>();
  const queue = new WorkQueue(
    {
      name: "templates",
      clock: context.clock,
      logger: context.logger,
      workers: 16,
      minBackoffMs: 100,
      maxBackoffMs: 30_000,
    },
    step,
  );

  function enqueue(ref: ObjectRef, byUs: boolean): void {
    const key = refKey(ref);
    references.set(key, ref);
    onlyUs.set(key, byUs && (onlyUs.get(key) ?? true));
    queue.add(key);
  }

  templates.subscribe((change) => {
    if (change.type === "updated" && !isRelevantUpdate(change.previous, change.object)) return;
    enqueue(refOf(change.object), change.type === "updated" && isChangedByUs(change.previous, change.object));
  });

  // Whoever deleted a binding, its template still wants one; and one that was made anew under its old name does too.
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type !== "deleted") return;
      const { apiVersion, kind: templateKind, namespace, name } = change.object.spec.resource;
      if (templates.find(apiVersion, templateKind, namespace, name) !== undefined)
        enqueue({ apiVersion, kind: templateKind, namespace, name }, false);
    });
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const ref = references.get(key);
    if (ref === undefined) return undefined;
    const template = templates.find(ref.apiVersion, ref.kind, ref.namespace, ref.name);
    if (template === undefined) {
      waiting.delete(key);
      await removeBinding(context, ref);
      // Only now: a removal that failed is tried again by this key. It may have been asked for again meanwhile.
      if (templates.find(ref.apiVersion, ref.kind, ref.namespace, ref.name) === undefined) {
        references.delete(key);
        onlyUs.delete(key);
      }
      return undefined;
    }
    if (template.metadata.deletionTimestamp !== undefined || whyNotTemplate(template, templates.skipped) !== undefined)
      return undefined;
    const changedByUs = onlyUs.get(key) ?? false;
    // Changes from here on are marked for the next pass, our own claim among them.
    onlyUs.delete(key);
    const decision = decideTemplate(template, {
      policies: deps.policies,
      overrideExists: overrideExists(context),
      changedByUs,
    });
    try {
      const result = await act(deps, template, decision);
      if (decision.action === "wait") waiting.add(key);
      else waiting.delete(key);
      return result;
    } catch (error) {
      // What was not dealt with counts again.
      onlyUs.set(key, changedByUs && (onlyUs.get(key) ?? true));
      // The next version of the template is on its way.
      if (isConflict(error)) return { requeueAfterMs: 20 };
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

  return { stop: () => queue.stop(), enqueue, waiting: () => waiting, sweep };
}

async function act(deps: Deps, template: KubeObject, decision: TemplateDecision): Promise<StepResult | undefined> {
  switch (decision.action) {
    case "apply":
      await applyPolicy(deps, template, decision);
      return undefined;
    case "release":
      await releaseTemplate(deps.context, template, decision.change);
      return { requeueAfterMs: 0 };
    case "retry":
      throw new AppError("policy-not-ready", decision.reason, { recovery: "retry" });
    case "wait":
    case "stop":
      return undefined;
  }
}

async function applyPolicy(
  deps: Deps,
  template: KubeObject,
  decision: Extract<TemplateDecision, { action: "apply" }>,
): Promise<void> {
  const { context, interpreter, writer } = deps;
  const { policy } = decision;
  if (policyId(policy) === "")
    throw new AppError("policy-not-ready", `policy ${policy.metadata.name} has no permanent id yet`, {
      recovery: "wait",
      afterMs: 200,
    });
  const claimed = decision.claim === undefined ? template : await writeMarks(context, template, decision.claim);
  if (decision.holdBinding) return;
  try {
    const desired = buildBinding({
      template: claimed,
      policy,
      interpreter,
      id: context.newUuid(),
      priorityOf: (name) => priorityOf(context, name),
    });
    const existing = context.informers
      .of<AnyBinding>(BINDING_API_VERSION, desired.kind)
      .get(desired.metadata.namespace, desired.metadata.name ?? "");
    // What is written to it goes with it. Its end brings us back.
    if (existing?.metadata.deletionTimestamp !== undefined) return;
    const merged = existing === undefined ? desired : mergeBinding(existing, desired, policy);
    const before = existing?.metadata.resourceVersion;
    await writer.write(existing, merged, (stored) => {
      if (stored.metadata.resourceVersion !== before) tellApplied(context, claimed, policy);
    });
  } catch (error) {
    if (!isConflict(error))
      context.events.record(subjectOf(template), "Warning", "ApplyPolicyFailed", messageOf(error));
    throw error;
  }
}

function tellApplied(context: ControllerContext, template: KubeObject, policy: Policy): void {
  const name = policy.metadata.name ?? "";
  const message =
    policy.kind === "PropagationPolicy"
      ? `Apply policy(${policy.metadata.namespace}/${name}) succeed`
      : `Apply cluster policy(${name}) succeed`;
  context.events.record(subjectOf(template), "Normal", "ApplyPolicySucceed", message);
  context.logger.debug("applied policy", { object: describeRef(refOf(template)), policy: name });
}

function priorityOf(context: ControllerContext, name: string): number | undefined {
  const value = context.informers.of("scheduling.k8s.io/v1", "PriorityClass").get(undefined, name)?.["value"];
  return typeof value === "number" ? value : undefined;
}

export function overrideExists(context: ControllerContext): (namespace: string, name: string) => boolean {
  return (namespace, name) => {
    const kind = namespace === "" ? "ClusterOverridePolicy" : "OverridePolicy";
    return context.informers.of(POLICY_API, kind).get(namespace, name) !== undefined;
  };
}

/** Adds and removes labels and annotations. Conflicts with a writer in between are the caller's to repeat. */
export async function writeMarks(
  context: ControllerContext,
  object: KubeObject,
  change: MetadataChange,
): Promise<KubeObject> {
  if (equalJson(changeMetadata(object.metadata, change), object.metadata)) return object;
  const nulled = (map: Readonly<Record<string, string | undefined>>): Record<string, string | null> =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value ?? null]));
  const metadata = {
    resourceVersion: object.metadata.resourceVersion,
    labels: nulled(change.labels),
    annotations: nulled(change.annotations),
  };
  const written = await context.client.patch(refOf(object), { metadata }, "merge", {
    fieldManager: "flaghoist-policy",
  });
  context.informers.known(object.apiVersion, object.kind)?.adopt(written);
  return written;
}

/** Takes a policy's marks off the binding, then off the template: in this order, so that a crash between is found again. */
export async function releaseTemplate(
  context: ControllerContext,
  template: KubeObject,
  change: MetadataChange,
): Promise<void> {
  const kind = template.metadata.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
  const bindings = context.informers.of<AnyBinding>(BINDING_API_VERSION, kind);
  const binding = bindings.get(template.metadata.namespace, bindingName(template.kind, template.metadata.name ?? ""));
  if (binding !== undefined && readClaim(binding.metadata) !== undefined) await writeMarks(context, binding, change);
  await writeMarks(context, template, change);
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
