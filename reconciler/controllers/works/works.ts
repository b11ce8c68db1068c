// From bindings to Works: what each target cluster is to have, customised; and away with what has no place any more.
import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { OverridePolicySource } from "../../overrides/override-policies.ts";
import { unavailableSince } from "../../rollout/copy-state.ts";
import { withoutControls } from "../../rollout/revision.ts";
import { REVISION_ANNOTATION, ROLLOUT_ANNOTATION } from "../../rollout/rollout-state.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import {
  BINDING_FINALIZER,
  BINDING_NAME_ANNOTATION,
  BINDING_NAMESPACE_ANNOTATION,
  CLUSTER_BINDING_FINALIZER,
  CLUSTER_BINDING_NAME_ANNOTATION,
  HELD_REPLICAS_ANNOTATION,
  WORK_ID_LABEL,
} from "../../works/metadata-keys.ts";
import { bindingId, effectiveTargets, orphanWorks, worksToAwait } from "../../works/targets.ts";
import { metadataStrippingOf } from "../../works/tracking-metadata.ts";
import { type BuiltWork, mergeWork, prepareWorks, WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { type Asking, concernedBindings, type Interpretation } from "../interpretation/interpretation.ts";
import { allBindings, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";
import type { FleetState } from "../scheduling/fleet-state.ts";
import { MissingTemplates } from "../templates/missing-templates.ts";
import type { TemplateWatch } from "../templates/template-watch.ts";
import { isStaged } from "./build-staged.ts";
import { buildInTurns } from "./build-works.ts";
import { confirmWorkDeletion, MovedBindings } from "./confirmed-deletion.ts";
import { isHeldByRollout } from "./held-dependencies.ts";
import { leadWorks } from "./led-works.ts";
import { recordAppliedOverrides, recordFailedOverrides, writeOverrideCondition } from "./override-events.ts";
import { bindingsOfPolicies, watchOverridePolicies } from "./override-watch.ts";
import { RevisionStore } from "./revision-store.ts";
import { forgetRollout, stageWorks } from "./staged-works.ts";
import type { WorkIndex } from "./work-index.ts";

/** How often is asked whether an earlier revision still needs an object that is deleted. */
const HELD_RETRY_MS = 5_000;

interface Deps {
  readonly context: ControllerContext;
  readonly templates: TemplateWatch;
  readonly fleet: FleetState;
  readonly interpretation: Interpretation;
  readonly index: WorkIndex;
}

export function startWorkController(deps: Deps): Controller {
  const { context, fleet } = deps;
  const revisions = new RevisionStore(context);
  const moved = new MovedBindings(context);
  const queue = new WorkQueue(
    {
      name: "works",
      clock: context.clock,
      logger: context.logger,
      workers: 16,
      minBackoffMs: 200,
      maxBackoffMs: 30_000,
    },
    step,
  );
  /** Keys of those whose changes go in waves. */
  const inWaves = new Set<string>();
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type !== "deleted" && isStaged(change.object)) inWaves.add(bindingKey(change.object));
      else inWaves.delete(bindingKey(change.object));
      if (change.type === "deleted") return;
      const { metadata } = change.object;
      const unchanged =
        change.type === "updated" &&
        change.previous.metadata.generation === metadata.generation &&
        heldReplicas(change.previous) === heldReplicas(change.object) &&
        change.previous.metadata.deletionTimestamp === metadata.deletionTimestamp;
      if (!unchanged) queue.add(bindingKey(change.object));
    });
  }
  const missing = new MissingTemplates(deps.templates, (key) => queue.add(key));
  const overridePolicies = watchOverridePolicies(context, (versions) => {
    for (const binding of bindingsOfPolicies(context, deps.templates, versions)) queue.add(bindingKey(binding));
  });
  // Whoever deleted a Work, its binding may still want it; and one that is awaited has gone.
  context.informers.of<Work>(WORK_API_VERSION, "Work").subscribe((change) => {
    // A rollout goes by what copies report.
    const reports =
      change.type === "updated" &&
      revisionIn(change.object) !== undefined &&
      // Where only what goes along differs, what was said of the manifest holds for the new revision at once.
      (revisionIn(change.previous) !== revisionIn(change.object) ||
        !equalJson(change.previous.status, change.object.status));
    const key = change.type === "deleted" || reports ? bindingKeyOfWork(change.object) : undefined;
    if (key !== undefined) queue.add(key);
  });
  // Rules aim at clusters by label, region and provider, and variables say those and annotations.
  fleet.subscribe(({ before, after }) => {
    if (before === undefined || after === undefined) return;
    const sameFacts = equalJson(targetFacts(before), targetFacts(after));
    const sameReadiness = unavailableSince(before) === unavailableSince(after);
    if (sameFacts && sameReadiness) return;
    const concerned = sameFacts ? bindingsOf(inWaves) : allBindings(context);
    for (const binding of concerned) {
      if (effectiveTargets(binding).some((target) => target.name === after.metadata.name))
        queue.add(bindingKey(binding));
    }
  });

  function bindingsOf(keys: Iterable<string>): AnyBinding[] {
    return [...keys].flatMap((key) => findBinding(context, key) ?? []);
  }

  deps.interpretation.subscribe((change) => {
    for (const binding of concernedBindings(context, change, ["ReviseReplica"])) queue.add(bindingKey(binding));
  });

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    await context.urgent.passed();
    const binding = findBinding(context, key);
    if (binding === undefined) return undefined;
    try {
      return binding.metadata.deletionTimestamp === undefined
        ? await reconcile({ ...deps, overridePolicies, revisions, moved, missing }, binding, { signal, queue })
        : await finish({ ...deps, revisions }, binding, { signal, queue });
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return { requeueAfterMs: 20 };
      throw error;
    }
  }

  return { stop: () => queue.stop() };
}

/** What clusters keep for the time being is no part of the spec, and changes no generation. */
function heldReplicas(binding: AnyBinding): string | undefined {
  return binding.metadata.annotations?.[HELD_REPLICAS_ANNOTATION];
}

function revisionIn({ metadata }: Work): string | undefined {
  return metadata.annotations?.[REVISION_ANNOTATION];
}

/** `ResourceBinding/namespace/name` of the binding that a Work was made for; undefined for Works without one. */
export function bindingKeyOfWork(work: Work): string | undefined {
  const annotations = work.metadata.annotations ?? {};
  const name = annotations[BINDING_NAME_ANNOTATION];
  if (name !== undefined) return `ResourceBinding/${annotations[BINDING_NAMESPACE_ANNOTATION] ?? ""}/${name}`;
  const clusterWide = annotations[CLUSTER_BINDING_NAME_ANNOTATION];
  return clusterWide === undefined ? undefined : `ClusterResourceBinding//${clusterWide}`;
}

function targetFacts(cluster: Cluster): unknown {
  const { provider, region, zone, zones } = cluster.spec;
  const { labels, annotations } = cluster.metadata;
  return { labels, annotations, provider, region, zone, zones };
}

async function reconcile(
  deps: Deps & {
    readonly overridePolicies: OverridePolicySource;
    readonly revisions: RevisionStore;
    readonly moved: MovedBindings;
    readonly missing: MissingTemplates;
  },
  binding: AnyBinding,
  asking: Asking,
): Promise<StepResult | undefined> {
  const { context, templates, interpretation, index } = deps;
  if (bindingId(binding) === undefined)
    throw new AppError("binding-not-ready", "the binding has no permanent id yet", { recovery: "wait", afterMs: 500 });
  const present = index.of(binding);
  for (const work of orphanWorks(binding, present)) {
    if (deps.moved.hasMoved(binding, work)) await confirmWorkDeletion(context, work, "moved to other clusters");
    // Meanwhile it may have been sent there again.
    if (isOrphan(context, binding, work)) await deleteWork(context, work);
  }
  if (worksToAwait(binding, present).length > 0) return { requeueAfterMs: 500 };
  const { apiVersion, kind, namespace, name } = binding.spec.resource;
  const template = templates.find(apiVersion, kind, namespace, name);
  if (template === undefined) deps.missing.await(binding.spec.resource, bindingKey(binding));
  if (template === undefined || template.metadata.deletionTimestamp !== undefined) return undefined;

  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const prepared = prepareWorks({
    binding,
    template: withoutControls(template),
    clusterOf: (cluster) =>
      context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster").get(undefined, cluster),
    overridePolicies: deps.overridePolicies,
    compatibility: context.profile.compatibility,
    stripping: metadataStrippingOf(context.profile),
    workIdOf: (workNamespace, workName) =>
      works.get(workNamespace, workName)?.metadata.labels?.[WORK_ID_LABEL] ?? context.newUuid(),
  });
  const led = await leadWorks(deps, binding, prepared, asking);
  for (const leader of led?.concerned ?? []) asking.queue?.add(leader);
  const free = led === undefined ? prepared : { ...prepared, targets: led.free };
  // Where others lead everywhere, there is nothing to decide here.
  const staged =
    isStaged(binding) && (led === undefined || led.free.length > 0)
      ? await stageWorks(deps, { binding, template, prepared: free, present }, asking)
      : undefined;
  if (staged === undefined) await forgetRollout(deps, binding);
  const own = staged ?? (await buildInTurns(free, free.targets, interpretation, asking));
  const plan = {
    works: [...own.works, ...(led?.works ?? [])],
    failures: [...own.failures, ...(led?.failures ?? [])],
  };
  for (const follower of staged?.followers ?? []) asking.queue?.add(follower);
  // Whoever was asked may have taken long: clusters that are no longer meant get nothing.
  if (findBinding(context, bindingKey(binding))?.metadata.generation !== binding.metadata.generation)
    return { requeueAfterMs: 0 };
  const problems: string[] = plan.failures.map(({ cluster, error }) => `cluster ${cluster}: ${error.message}`);
  recordFailedOverrides(context, templateSubject(binding), plan.failures);
  await writeOverrideCondition(context, binding, plan.failures);
  let changed = false;
  await mapLimit(plan.works, 8, async (built) => {
    try {
      changed = (await writeWork(context, binding, built)) || changed;
    } catch (error) {
      problems.push(`cluster ${built.cluster}: ${messageOf(error)}`);
    }
  });
  await staged?.tell();
  if (problems.length > 0) {
    for (const subject of [subjectOf(binding), templateSubject(binding)])
      context.events.record(subject, "Warning", "SyncWorkFailed", problems.join("; "));
    throw new AppError("sync-work-failed", problems.join("; "), { recovery: "retry" });
  }
  if (changed) {
    for (const subject of [subjectOf(binding), templateSubject(binding)]) {
      context.events.record(
        subject,
        "Normal",
        "SyncWorkSucceed",
        `Sync work of ${binding.kind}(${binding.metadata.namespace ?? ""}/${binding.metadata.name}) successful.`,
      );
    }
  }
  return staged?.requeueAfterMs === undefined ? undefined : { requeueAfterMs: staged.requeueAfterMs };
}

/** Creates or updates the Work of one cluster. Answers whether anything was written. */
async function writeWork(context: ControllerContext, binding: AnyBinding, built: BuiltWork): Promise<boolean> {
  const works = context.informers.of<Work>(WORK_API_VERSION, "Work");
  const { namespace, name = "" } = built.work.metadata;
  const existing = works.get(namespace, name);
  if (existing === undefined) {
    works.adopt(await context.client.create(built.work, { fieldManager: "flaghoist" }));
    recordAppliedOverrides(context, templateSubject(binding), built.overrides.applied, built.cluster);
    return true;
  }
  const merged = withRevisionOf(mergeWork(existing, built.work), built.work);
  if (equalJson(merged.spec, existing.spec) && sameMarks(merged, existing)) return false;
  works.adopt(await context.client.update(merged, { fieldManager: "flaghoist" }));
  recordAppliedOverrides(context, templateSubject(binding), built.overrides.applied, built.cluster);
  return true;
}

/** Of all annotations, this one says what the manifest is now, and goes when that is no longer counted. */
function withRevisionOf(merged: Work, built: Work): Work {
  if (revisionIn(built) !== undefined) return merged;
  const { [REVISION_ANNOTATION]: former, ...annotations } = merged.metadata.annotations ?? {};
  return former === undefined ? merged : { ...merged, metadata: { ...merged.metadata, annotations } };
}

function sameMarks(a: KubeObject, b: KubeObject): boolean {
  const { labels, annotations, finalizers } = b.metadata;
  return equalJson(
    { labels: a.metadata.labels, annotations: a.metadata.annotations, finalizers: a.metadata.finalizers },
    { labels, annotations, finalizers },
  );
}

function isOrphan(context: ControllerContext, binding: AnyBinding, work: Work): boolean {
  return orphanWorks(findBinding(context, bindingKey(binding)) ?? binding, [work]).length > 0;
}

async function deleteWork(context: ControllerContext, work: Work): Promise<void> {
  if (work.metadata.deletionTimestamp !== undefined) return;
  await context.client.delete(refOf(work), { uid: work.metadata.uid });
}

/** A deleted binding takes its Works along, then lets go. The Works have finalizers of their own. */
async function finish(
  deps: Deps & { readonly revisions: RevisionStore },
  binding: AnyBinding,
  asking: Asking,
): Promise<StepResult | undefined> {
  const { context, index, revisions } = deps;
  const ours = [BINDING_FINALIZER, CLUSTER_BINDING_FINALIZER];
  const present = binding.metadata.finalizers ?? [];
  if (!present.some((finalizer) => ours.includes(finalizer))) return undefined;
  if (await isHeldByRollout(deps, binding, asking)) return { requeueAfterMs: HELD_RETRY_MS };
  for (const work of index.of(binding)) await deleteWork(context, work);
  // A store without a garbage collector has only us.
  if (binding.metadata.annotations?.[ROLLOUT_ANNOTATION] !== undefined) await revisions.clear(binding);
  const finalizers = present.filter((finalizer) => !ours.includes(finalizer));
  try {
    await context.client.patch(
      refOf(binding),
      { metadata: { resourceVersion: binding.metadata.resourceVersion, finalizers } },
      "merge",
      { fieldManager: "flaghoist" },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return undefined;
}
