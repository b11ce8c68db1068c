// The Works of a binding whose changes reach the clusters in waves: which revision each cluster has now is decided and
// recorded first, and then its Work is built from that revision.
import type { TargetCluster, Work } from "../../../api/work.ts";
import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { listedOverridePolicies } from "../../overrides/override-policies.ts";
import { copyState, unavailableSince } from "../../rollout/copy-state.ts";
import {
  type ClusterView,
  decideRollout,
  type RolloutControls,
  type RolloutDecision,
} from "../../rollout/decide-rollout.ts";
import {
  objectWords,
  ROLLED_OUT,
  type RolloutSubject,
  rolloutCondition,
  rolloutEvents,
} from "../../rollout/describe-rollout.ts";
import {
  ABORT_ANNOTATION,
  comparableContent,
  PAUSED_ANNOTATION,
  RETRY_ANNOTATION,
  type Revision,
  revisionOf,
  templateOfRevision,
  withReplicas,
} from "../../rollout/revision.ts";
import {
  formatRolloutState,
  parseRolloutState,
  REVISION_ANNOTATION,
  ROLLOUT_ANNOTATION,
  type RolloutState,
  UNKNOWN_REVISION,
} from "../../rollout/rollout-state.ts";
import { readRolloutSettings } from "../../rollout/settings.ts";
import { assignWaves } from "../../rollout/waves.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { clusterOf } from "../../works/targets.ts";
import {
  type BuiltWork,
  type FailedWork,
  isDispatchingSuspended,
  isWorkload,
  type PreparedWorks,
  prepareWorks,
} from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";
import { buildInTurns } from "./build-works.ts";
import type { RevisionStore } from "./revision-store.ts";
import { manifestsOf } from "./work-status.ts";
import { writeBindingStatus } from "./write-binding-status.ts";

export interface StagingDeps {
  readonly context: ControllerContext;
  readonly interpretation: Interpretation;
  readonly revisions: RevisionStore;
}

export interface StagingRequest {
  readonly binding: AnyBinding;
  /** With what people ask of its rollout. */
  readonly template: KubeObject;
  /** Of the template as it is now, without that. */
  readonly prepared: PreparedWorks;
  /** The Works of the binding that there are. */
  readonly present: readonly Work[];
}

export interface StagedWorks {
  readonly works: readonly BuiltWork[];
  readonly failures: readonly FailedWork[];
  /** When to look again although nothing changed. */
  readonly requeueAfterMs: number | undefined;
  /** Tells of the rollout once the Works are written. */
  readonly tell: () => Promise<void>;
}

/** Whether changes of the binding's object go in waves. */
export function isStaged(binding: AnyBinding): boolean {
  return binding.spec.placement?.flaghoist?.rollout != null;
}

/**
 * Decides, records and builds. What was recorded is on the binding before this returns, so that a process that ends at
 * any point, and the next one, send the same. Clusters that get nothing yet, or keep what they have, are in no list.
 */
export async function stageWorks(deps: StagingDeps, request: StagingRequest, asking: Asking): Promise<StagedWorks> {
  const { context, interpretation } = deps;
  const { binding, prepared } = request;
  const revision = await interpretation.decide(
    (interpreter) => revisionOf(prepared.template, prepared.overridePolicies, interpreter),
    asking,
  );
  const recorded = binding.metadata.annotations?.[ROLLOUT_ANNOTATION];
  const previous = parseRolloutState(recorded);
  if (recorded !== undefined && previous === undefined)
    warn(
      context,
      binding,
      "RolloutRecordUnreadable",
      `annotation ${ROLLOUT_ANNOTATION} is no record of a rollout: it is made anew from what is in the clusters`,
    );
  const subject = await subjectOfRollout(deps, request, { previous, revision }, asking);
  const now = context.clock.now();
  const decision = decideRollout({
    settings: subject.settings,
    revision: revision.name,
    previous,
    clusters: subject.clusters,
    controls: readControls(context, binding, request.template),
    now,
  });
  const stored = await record(deps, binding, { revision, previous, recorded, state: decision.state });
  const events = rolloutEvents(previous, decision, subject);
  return {
    ...(await buildStaged(deps, { ...request, binding: stored }, decision.state, asking)),
    requeueAfterMs: decision.nextAt === undefined ? undefined : Math.max(0, decision.nextAt - now),
    tell: async () => {
      for (const { type, reason, message } of events)
        for (const about of [subjectOf(stored), templateSubject(stored)])
          context.events.record(about, type, reason, message);
      await writeCondition(context, stored, decision, subject);
    },
  };
}

interface Revisions {
  readonly previous: RolloutState | undefined;
  readonly revision: Revision;
}

async function subjectOfRollout(
  deps: StagingDeps,
  { binding, prepared, present, template }: StagingRequest,
  { previous, revision }: Revisions,
  asking: Asking,
): Promise<RolloutSubject> {
  const settings = readRolloutSettings(binding.spec.placement?.flaghoist?.rollout ?? {});
  const names = prepared.targets.map((target) => target.name);
  const waves = assignWaves(names, prepared.clusterOf, settings.waves);
  const works = new Map(present.map((work) => [clusterOf(work) ?? "", work]));
  const alike =
    previous?.target === revision.name ? new Set<string>() : await clustersAlike(deps, prepared, works, asking);
  const clusters = names.map((name): ClusterView => {
    const work = works.get(name);
    const suspended = isDispatchingSuspended(binding, name);
    const known =
      previous !== undefined && Object.hasOwn(previous.clusters, name) ? previous.clusters[name] : undefined;
    return {
      name,
      wave: waves.get(name) ?? settings.waves.length - 1,
      unavailableSince: suspended ? 0 : unavailableSince(prepared.clusterOf(name)),
      ...copyState(work, known?.revision),
      sameAsTarget: alike.has(name),
      present:
        work === undefined
          ? undefined
          : alike.has(name)
            ? revision.name
            : (work.metadata.annotations?.[REVISION_ANNOTATION] ?? UNKNOWN_REVISION),
    };
  });
  return { settings, clusters, object: objectWords(template) };
}

/** Clusters whose Work already holds what the present revision comes out as there. */
async function clustersAlike(
  { interpretation }: StagingDeps,
  prepared: PreparedWorks,
  works: ReadonlyMap<string, Work>,
  asking: Asking,
): Promise<Set<string>> {
  const targets = prepared.targets.filter(({ name }) => works.has(name));
  const { works: built } = await buildInTurns(prepared, targets, interpretation, asking);
  const alike = new Set<string>();
  for (const { cluster, work } of built) {
    const pair = [...manifestsOf(work), ...manifestsOf(works.get(cluster) ?? work)];
    const [wanted, found] = await interpretation.decide(
      (interpreter) => pair.map((manifest) => comparableContent(manifest, interpreter)),
      asking,
    );
    if (equalJson(wanted, found)) alike.add(cluster);
  }
  return alike;
}

/** What people ask by annotations of the template. What cannot be read is told of, and counts as absent. */
function readControls(context: ControllerContext, binding: AnyBinding, template: KubeObject): RolloutControls {
  const annotations = template.metadata.annotations ?? {};
  const paused = annotations[PAUSED_ANNOTATION] ?? "";
  if (!["true", "false", ""].includes(paused))
    warn(
      context,
      binding,
      "RolloutAnnotationIgnored",
      `annotation ${PAUSED_ANNOTATION} takes true or false, not ${JSON.stringify(paused.slice(0, 40))}`,
    );
  return {
    paused: paused === "true",
    abort: annotations[ABORT_ANNOTATION] || undefined,
    retry: annotations[RETRY_ANNOTATION] || undefined,
  };
}

function warn(context: ControllerContext, binding: AnyBinding, reason: string, message: string): void {
  for (const about of [subjectOf(binding), templateSubject(binding)])
    context.events.record(about, "Warning", reason, message);
}

interface Recording {
  readonly revision: Revision;
  readonly previous: RolloutState | undefined;
  readonly recorded: string | undefined;
  readonly state: RolloutState;
}

/** The content first, then who is to have it: what the record names can always be found. */
async function record(
  { context, revisions }: StagingDeps,
  binding: AnyBinding,
  { revision, previous, recorded, state }: Recording,
): Promise<AnyBinding> {
  if (previous?.target !== state.target) {
    const inUse = new Set(Object.values(state.clusters).map((cluster) => cluster.revision));
    if (state.stable !== undefined) inUse.add(state.stable);
    await revisions.save(binding, revision, inUse);
  }
  const text = formatRolloutState(state);
  return text === recorded ? binding : writeAnnotation(context, binding, text);
}

async function writeAnnotation(
  context: ControllerContext,
  binding: AnyBinding,
  text: string | null,
): Promise<AnyBinding> {
  const { resourceVersion } = binding.metadata;
  const stored = await context.client.patch<AnyBinding>(
    refOf(binding),
    { metadata: { resourceVersion, annotations: { [ROLLOUT_ANNOTATION]: text } } },
    "merge",
    { fieldManager: "flaghoist" },
  );
  context.informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind).adopt(stored);
  return stored;
}

async function buildStaged(
  deps: StagingDeps,
  request: StagingRequest,
  state: RolloutState,
  asking: Asking,
): Promise<{ readonly works: readonly BuiltWork[]; readonly failures: readonly FailedWork[] }> {
  const { interpretation } = deps;
  const { prepared } = request;
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  const byRevision = new Map<string, TargetCluster[]>();
  for (const target of prepared.targets) {
    const revision = state.clusters[target.name]?.revision;
    if (revision === undefined) continue;
    byRevision.set(revision, [...(byRevision.get(revision) ?? []), target]);
  }
  for (const [revision, targets] of byRevision) {
    const of = revision === state.target ? prepared : await prepareRevision(deps, request, revision, asking);
    const built =
      of === undefined
        ? await keepWorks(deps, request, targets, revision, asking)
        : await buildInTurns(of, targets, interpretation, asking);
    works.push(...built.works.map((each) => ({ ...each, work: withRevision(each.work, revision) })));
    failures.push(...built.failures);
  }
  return { works, failures };
}

/** As the present template, from the content of an earlier revision; undefined when nobody has that any more. */
async function prepareRevision(
  { revisions, interpretation }: StagingDeps,
  { binding, prepared }: StagingRequest,
  revision: string,
  asking: Asking,
): Promise<PreparedWorks | undefined> {
  const content = revision === UNKNOWN_REVISION ? undefined : await revisions.load(binding, revision);
  if (content === undefined) return undefined;
  const template = await interpretation.decide(
    (interpreter) => templateOfRevision(content, prepared.template, interpreter),
    asking,
  );
  const clusterWide = content.overrides.filter((policy) => policy.kind === "ClusterOverridePolicy");
  const namespaced = content.overrides.filter((policy) => policy.kind === "OverridePolicy");
  return prepareWorks({
    ...prepared,
    binding,
    template,
    overridePolicies: listedOverridePolicies(clusterWide, namespaced),
  });
}

/** Works of which only the content is known that they have: that stays, with the replicas of now. */
async function keepWorks(
  { interpretation }: StagingDeps,
  { binding, present }: StagingRequest,
  targets: readonly TargetCluster[],
  revision: string,
  asking: Asking,
): Promise<{ readonly works: readonly BuiltWork[]; readonly failures: readonly FailedWork[] }> {
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  for (const { name, replicas = 0 } of targets) {
    const work = present.find((each) => clusterOf(each) === name);
    if (work === undefined || (work.metadata.annotations?.[REVISION_ANNOTATION] ?? UNKNOWN_REVISION) !== revision) {
      failures.push({ cluster: name, error: revisionLost(revision) });
      continue;
    }
    const manifests = isWorkload(binding)
      ? await interpretation.decide(
          (interpreter) => manifestsOf(work).map((manifest) => withReplicas(manifest, replicas, interpreter)),
          asking,
        )
      : manifestsOf(work);
    const spec = {
      ...work.spec,
      suspendDispatching: isDispatchingSuspended(binding, name),
      preserveResourcesOnDeletion: binding.spec.preserveResourcesOnDeletion === true,
      // Manifests are objects as the server keeps them.
      workload: { manifests: manifests as unknown as Record<string, unknown>[] },
    };
    works.push({
      cluster: name,
      work: { ...work, spec },
      overrides: { object: manifests[0] ?? work, applied: [], appliedAnnotations: {}, provenance: [] },
    });
  }
  return { works, failures };
}

function revisionLost(revision: string): AppError {
  const message = `the content of revision ${revision} is gone: push a change, or take the rollout out of the policy to send the present one`;
  return new AppError("rollout-revision-lost", message, { recovery: "stall" });
}

function withRevision(work: Work, revision: string): Work {
  const annotations = { ...work.metadata.annotations, [REVISION_ANNOTATION]: revision };
  return { ...work, metadata: { ...work.metadata, annotations } };
}

async function writeCondition(
  context: ControllerContext,
  binding: AnyBinding,
  decision: RolloutDecision,
  subject: RolloutSubject,
): Promise<void> {
  const conditions = binding.status?.conditions;
  const condition = rolloutCondition(decision, subject, rfc3339(context.clock.now()));
  const known = findCondition(conditions, ROLLED_OUT);
  if (known?.status === condition.status && known.reason === condition.reason && known.message === condition.message)
    return;
  await writeBindingStatus(context, binding, { conditions: setCondition(conditions, condition) });
}

/** Forgets the rollout of a binding that has none any more. Answers whether there was one. */
export async function forgetRollout({ context, revisions }: StagingDeps, binding: AnyBinding): Promise<void> {
  if (binding.metadata.annotations?.[ROLLOUT_ANNOTATION] === undefined) return;
  const conditions = binding.status?.conditions;
  if (findCondition(conditions, ROLLED_OUT) !== undefined) {
    const condition = {
      type: ROLLED_OUT,
      status: "Unknown" as const,
      reason: "NoRollout",
      message: "the placement has no rollout any more: every cluster has the present revision",
      lastTransitionTime: rfc3339(context.clock.now()),
    };
    await writeBindingStatus(context, binding, { conditions: setCondition(conditions, condition) });
  }
  await revisions.clear(binding);
  const current = context.informers
    .of<AnyBinding>(BINDING_API_VERSION, binding.kind)
    .get(binding.metadata.namespace, binding.metadata.name ?? "");
  await writeAnnotation(context, current ?? binding, null);
}
