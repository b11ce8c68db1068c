// Sends along what an object needs: ConfigMaps, Secrets and the like follow the bindings of the objects that use them.
import type { ResourceBinding } from "../../../api/work.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { describeRef, equalJson, gvkOf, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { Dependency } from "../../interpreter/interpreter.ts";
import { isRelevantUpdate } from "../../policies/lazy.ts";
import { ROLLOUT_ANNOTATION } from "../../rollout/rollout-state.ts";
import { type AnyBinding, BINDING_API_VERSION, isOfEarlierObject } from "../../works/binding.ts";
import { dependsOn, planDependencies, propagatesDependencies } from "../../works/dependencies.ts";
import { AttachmentIndex, NeedIndex } from "../../works/dependency-index.ts";
import { DEPENDENCIES_ANNOTATION, DEPENDENCIES_FINALIZER } from "../../works/metadata-keys.ts";
import { bindingName } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { concernedBindings, type Interpretation } from "../interpretation/interpretation.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";
import { keyOf, splitKey } from "../sync/git-repository.ts";
import { heldDependencies, unionOfDependencies } from "../works/held-dependencies.ts";
import { RevisionStore } from "../works/revision-store.ts";
import { removeStaleBinding } from "./apply-policy.ts";
import type { TemplateWatch } from "./template-watch.ts";

const NOT_LOADED_RETRY_MS = 200;
const TEMPLATE_GONE_RETRY_MS = 5_000;

export function startDependencyController(
  context: ControllerContext,
  templates: TemplateWatch,
  interpretation: Interpretation,
): Controller {
  if (!context.profile.featureGates.PropagateDeps) return { stop: async () => {} };
  const bindings = context.informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding");
  const revisions = new RevisionStore(context);
  const needs = new NeedIndex();
  const attachments = new AttachmentIndex();
  const queue = new WorkQueue(
    {
      name: "dependencies",
      clock: context.clock,
      logger: context.logger,
      workers: 4,
      minBackoffMs: 100,
      maxBackoffMs: 10_000,
    },
    step,
  );

  bindings.subscribe((change) => {
    if (change.type === "updated") attachments.delete(change.previous);
    if (change.type === "deleted") {
      attachments.delete(change.object);
      needs.delete(keyOf(change.object));
      // Whoever deleted it, those that it followed want it to.
      for (const { namespace = "", name } of change.object.spec.requiredBy ?? []) queue.add(`${namespace}/${name}`);
      return;
    }
    attachments.set(change.object);
    const before = change.type === "updated" ? change.previous : undefined;
    const sameSpec =
      before?.metadata.generation === change.object.metadata.generation &&
      before?.metadata.annotations?.[ROLLOUT_ANNOTATION] === change.object.metadata.annotations?.[ROLLOUT_ANNOTATION];
    const deleting = change.object.metadata.deletionTimestamp !== undefined;
    if ((!sameSpec || deleting) && concerns(change.object)) queue.add(keyOf(change.object));
  });
  templates.subscribe((change) => {
    if (change.type === "updated" && !isRelevantUpdate(change.previous, change.object)) return;
    const versions = change.type === "updated" ? [change.previous, change.object] : [change.object];
    for (const version of versions) for (const referrer of needs.whoNeeds(version)) queue.add(referrer);
  });

  interpretation.subscribe((change) => {
    for (const binding of concernedBindings(context, change, ["InterpretDependency"]))
      if (isFollowed(binding)) queue.add(keyOf(binding));
  });

  function isFollowed(binding: AnyBinding): binding is ResourceBinding {
    return binding.kind === "ResourceBinding" && concerns(binding);
  }

  function concerns(binding: ResourceBinding): boolean {
    return binding.spec.propagateDeps === true || hasFinalizer(binding);
  }

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const referrer = bindings.get(...splitKey(key));
    if (referrer === undefined || !concerns(referrer)) {
      needs.delete(key);
      return undefined;
    }
    try {
      return await follow(key, referrer, signal);
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 20 };
      if (isNotFound(error)) return undefined;
      if (error instanceof AppError && error.recovery === "wait") throw error;
      const reason = "SyncScheduleResultToDependenciesFailed";
      context.events.record(subjectOf(referrer), "Warning", reason, messageOf(error));
      throw error;
    }
  }

  async function follow(key: string, referrer: ResourceBinding, signal: AbortSignal): Promise<StepResult | undefined> {
    const dependencies = propagatesDependencies(referrer) ? await readDependencies(referrer, signal) : [];
    if (dependencies === undefined) {
      needs.delete(key);
      return undefined;
    }
    needs.set(key, dependencies);
    // After a start, what is not known yet is not gone.
    if (!dependencies.every(({ apiVersion, kind }) => templates.isLoaded(apiVersion, kind)))
      return { requeueAfterMs: NOT_LOADED_RETRY_MS };
    const found = dependencies.flatMap((dependency) => find(dependency));
    const objects: KubeObject[] = [];
    for (const object of found) {
      const binding = bindings.get(referrer.metadata.namespace, bindingName(object.kind, object.metadata.name ?? ""));
      // Its end brings its referrers back.
      if (binding !== undefined && isOfEarlierObject(binding, object))
        await removeStaleBinding(context, binding, object);
      else objects.push(object);
    }
    const plan = planDependencies({
      referrer,
      dependencies,
      objects,
      attached: attachments.following(referrer),
      bindingOf: (bindingNamespace, name) => bindings.get(bindingNamespace, name),
      newId: () => context.newUuid(),
    });
    // The finalizer comes before the first thing that it has to clean up, and goes after the last.
    const follows = propagatesDependencies(referrer);
    if (follows && plan.referrer !== referrer) {
      await write(plan.referrer);
      const message = `objects needed: ${plan.referrer.metadata.annotations?.[DEPENDENCIES_ANNOTATION]}`;
      context.events.record(templateSubject(referrer), "Normal", "GetDependenciesSucceed", message);
    }
    let written = 0;
    for (const binding of [...plan.detach, ...plan.attach]) if (await write(binding)) written++;
    if (!follows && plan.referrer !== referrer) await write(plan.referrer);
    if (written > 0) {
      const message = `${written} of the objects needed follow to the clusters that were chosen`;
      context.events.record(subjectOf(referrer), "Normal", "SyncScheduleResultToDependenciesSucceed", message);
    }
    for (const name of plan.disagreements) tellDisagreement(referrer, name);
    return undefined;
  }

  /** What the binding's object needs. Undefined: nothing is to be done, neither now nor about what was done before. */
  async function readDependencies(
    referrer: ResourceBinding,
    signal: AbortSignal,
  ): Promise<readonly Dependency[] | undefined> {
    // As Karmada: what is not scheduled yet takes nothing along.
    if ((referrer.spec.clusters?.length ?? 0) === 0 && !hasFinalizer(referrer)) return undefined;
    const { apiVersion, kind, namespace, name } = referrer.spec.resource;
    const template = templates.find(apiVersion, kind, namespace, name);
    // Its binding goes with it, or it is not loaded yet.
    if (template === undefined)
      throw new AppError("template-missing", `${describeRef({ apiVersion, kind, namespace, name })} is not there`, {
        recovery: "wait",
        afterMs: templates.isLoaded(apiVersion, kind) ? TEMPLATE_GONE_RETRY_MS : NOT_LOADED_RETRY_MS,
      });
    if (!interpretation.hookEnabled(gvkOf(template), "InterpretDependency")) return undefined;
    try {
      const asking = { signal, queue };
      const needed = await interpretation.decide((interpreter) => interpreter.getDependencies(template), asking);
      // What a revision needs that clusters still have, or may return to, stays with it.
      const held = await heldDependencies({ interpretation, revisions }, referrer, template, asking);
      return unionOfDependencies(needed, held);
    } catch (error) {
      if (signal.aborted) throw error;
      const message = messageOf(error);
      context.events.record(templateSubject(referrer), "Warning", "GetDependenciesFailed", message);
      throw new AppError("dependencies-unknown", message, { recovery: "retry", cause: error });
    }
  }

  function tellDisagreement(referrer: ResourceBinding, name: string): void {
    const { namespace } = referrer.metadata;
    const binding = bindings.get(namespace, name);
    if (binding === undefined) return;
    const message = `the objects that need ${name} disagree on conflictResolution or preserveResourcesOnDeletion: what overwrites and what preserves prevails; make their policies agree`;
    context.events.record(subjectOf(binding), "Warning", "DependencyPolicyConflict", message);
  }

  function find(dependency: Dependency): KubeObject[] {
    const { apiVersion, kind, namespace, name } = dependency;
    if (name !== undefined && name !== "") {
      const object = templates.find(apiVersion, kind, namespace, name);
      return object === undefined ? [] : [object];
    }
    return [...templates.ofKind(apiVersion, kind)].filter((object) => dependsOn(dependency, object));
  }

  /** Whether anything was written. */
  async function write(binding: ResourceBinding): Promise<boolean> {
    const { resourceVersion } = binding.metadata;
    if (resourceVersion === undefined) {
      bindings.adopt(await context.client.create(binding, { fieldManager: "flaghoist" }));
      return true;
    }
    const present = bindings.get(binding.metadata.namespace, binding.metadata.name ?? "");
    // What is written to a binding that goes would go with it; its end brings its referrers back.
    const isFollower = binding.spec.propagateDeps !== true && binding.metadata.deletionTimestamp !== undefined;
    if (isFollower || (present !== undefined && equalJson(decided(present), decided(binding)))) return false;
    bindings.adopt(await context.client.update(binding, { fieldManager: "flaghoist" }));
    context.logger.debug("dependency follows", { binding: refKey(refOf(binding)) });
    return true;
  }

  return { stop: () => queue.stop() };
}

function hasFinalizer(binding: ResourceBinding): boolean {
  return binding.metadata.finalizers?.includes(DEPENDENCIES_FINALIZER) === true;
}

/** What a write of a binding can change. The object's own version alone is no reason to write. */
function decided(binding: ResourceBinding): unknown {
  const { labels, annotations, finalizers } = binding.metadata;
  return { labels, annotations, finalizers, spec: binding.spec };
}
