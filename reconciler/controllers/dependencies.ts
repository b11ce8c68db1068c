// Sends along what an object needs: ConfigMaps, Secrets and the like follow the bindings of the objects that use them.
import type { ResourceBinding } from "../../api/work.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { equalJson, gvkOf, type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import type { Dependency, Interpreter } from "../interpreter/interpreter.ts";
import { BINDING_API_VERSION } from "../works/binding.ts";
import { dependedByLabel, dependsOn, planDependencies, propagatesDependencies } from "../works/dependencies.ts";
import { DEPENDENCIES_FINALIZER } from "../works/metadata-keys.ts";
import { templateSubject } from "./binding-writer.ts";
import type { Controller, ControllerContext } from "./context.ts";
import { keyOf, splitKey } from "./git-repository.ts";
import type { TemplateWatch } from "./template-watch.ts";

export function startDependencyController(
  context: ControllerContext,
  templates: TemplateWatch,
  interpreter: Interpreter,
): Controller {
  const bindings = context.informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding");
  /** What each referrer needs, as last read: says whom a changed object concerns. */
  const needs = new Map<string, readonly Dependency[]>();
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
    if (change.type === "deleted") {
      needs.delete(keyOf(change.object));
      return;
    }
    const sameSpec =
      change.type === "updated" && change.previous.metadata.generation === change.object.metadata.generation;
    const deleting = change.object.metadata.deletionTimestamp !== undefined;
    if ((!sameSpec || deleting) && concerns(change.object)) queue.add(keyOf(change.object));
  });
  templates.subscribe((change) => {
    for (const [key, dependencies] of needs)
      if (dependencies.some((dependency) => dependsOn(dependency, change.object))) queue.add(key);
  });

  function concerns(binding: ResourceBinding): boolean {
    return (
      binding.spec.propagateDeps === true || binding.metadata.finalizers?.includes(DEPENDENCIES_FINALIZER) === true
    );
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const referrer = bindings.get(...splitKey(key));
    if (referrer === undefined || !concerns(referrer)) {
      needs.delete(key);
      return undefined;
    }
    try {
      await follow(key, referrer);
      return undefined;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 20 };
      if (isNotFound(error)) return undefined;
      context.events.record(templateSubject(referrer), "Warning", "GetDependenciesFailed", messageOf(error));
      throw error;
    }
  }

  async function follow(key: string, referrer: ResourceBinding): Promise<void> {
    const { apiVersion, kind, namespace, name } = referrer.spec.resource;
    const template = templates.find(apiVersion, kind, namespace, name);
    const active =
      propagatesDependencies(referrer) && template !== undefined && (referrer.spec.clusters?.length ?? 0) > 0;
    const dependencies =
      active && interpreter.hookEnabled(gvkOf(template), "InterpretDependency")
        ? interpreter.getDependencies(template)
        : [];
    if (active) needs.set(key, dependencies);
    else needs.delete(key);
    const label = dependedByLabel(referrer);
    const attached = [...bindings.all()].filter(
      (binding) =>
        binding.metadata.namespace === referrer.metadata.namespace && binding.metadata.labels?.[label] !== undefined,
    );
    const plan = planDependencies({
      referrer,
      dependencies,
      objects: dependencies.flatMap((dependency) => find(dependency)),
      attached,
      bindingOf: (bindingNamespace, bindingName) => bindings.get(bindingNamespace, bindingName),
      newId: () => context.newUuid(),
    });
    for (const binding of [...plan.attach, ...plan.detach]) await write(binding);
    if (plan.referrer !== referrer) await write(plan.referrer);
    for (const disagreement of plan.disagreements) {
      context.events.record(
        templateSubject(referrer),
        "Warning",
        "DependencyPolicyConflict",
        `the objects that need ${disagreement} disagree on conflictResolution or preserveResourcesOnDeletion`,
      );
    }
  }

  function find(dependency: Dependency): KubeObject[] {
    if (dependency.name !== undefined && dependency.name !== "") {
      const object = templates.find(dependency.apiVersion, dependency.kind, dependency.namespace, dependency.name);
      return object === undefined ? [] : [object];
    }
    return [...templates.all()].filter((object) => dependsOn(dependency, object));
  }

  async function write(binding: ResourceBinding): Promise<void> {
    const { resourceVersion } = binding.metadata;
    if (resourceVersion === undefined) {
      bindings.adopt(await context.client.create(binding, { fieldManager: "flaghoist" }));
      return;
    }
    const present = bindings.get(binding.metadata.namespace, binding.metadata.name ?? "");
    if (present !== undefined && equalJson(decided(present), decided(binding))) return;
    bindings.adopt(await context.client.update(binding, { fieldManager: "flaghoist" }));
    context.logger.debug("dependency follows", { binding: refKey(refOf(binding)) });
  }

  return { stop: () => queue.stop() };
}

/** What a write of a binding can change. The object's own version alone is no reason to write. */
function decided(binding: ResourceBinding): unknown {
  const { labels, annotations, finalizers } = binding.metadata;
  return { labels, annotations, finalizers, spec: binding.spec };
}
