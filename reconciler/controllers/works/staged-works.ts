// The Works of a binding whose changes reach the clusters in waves: which revision each cluster has now is decided and
// recorded first, and then its Work is built from that revision.
import type { Work } from "../../../api/work.ts";
import { findCondition, setCondition } from "../../../kube/conditions.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
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
import { type Needs, sameNeeds, worstOf } from "../../rollout/needs.ts";
import {
  ABORT_ANNOTATION,
  comparableContent,
  PAUSED_ANNOTATION,
  RETRY_ANNOTATION,
  type Revision,
  type RevisionContent,
  revisionOf,
} from "../../rollout/revision.ts";
import {
  type ClusterRollout,
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
import { type BuiltWork, type FailedWork, isDispatchingSuspended, type PreparedWorks } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Asking } from "../interpretation/interpretation.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";
import { buildStaged, type StagingDeps, type StagingRequest } from "./build-staged.ts";
import { buildInTurns } from "./build-works.ts";
import { leadOthers } from "./led-works.ts";
import { bindingKeysOf, type NeededObject, neededObjects, needStates, needsOf } from "./rollout-needs.ts";
import { manifestsOf } from "./work-status.ts";
import { writeBindingStatus } from "./write-binding-status.ts";

export interface StagedWorks {
  readonly works: readonly BuiltWork[];
  readonly failures: readonly FailedWork[];
  /** When to look again although nothing changed. */
  readonly requeueAfterMs: number | undefined;
  /** Keys of the bindings of what goes along, when they are to look at what was recorded. */
  readonly followers: readonly string[];
  /** Tells of the rollout once the Works are written. */
  readonly tell: () => Promise<void>;
}

/**
 * Decides, records and builds. What was recorded is on the binding before this returns, so that a process that ends at
 * any point, and the next one, send the same. Clusters that get nothing yet, or keep what they have, are in no list.
 */
export async function stageWorks(deps: StagingDeps, request: StagingRequest, asking: Asking): Promise<StagedWorks> {
  const { context, interpretation } = deps;
  const { binding, prepared } = request;
  const needed = await neededObjects(deps, binding, prepared, asking);
  const revision = await interpretation.decide(
    (interpreter) => revisionOf(prepared.template, prepared.overridePolicies, interpreter, needsOf(needed)),
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
  const subject = await subjectOfRollout(deps, request, { previous, revision, needed }, asking);
  const now = context.clock.now();
  const decision = decideRollout({
    settings: subject.settings,
    revision: revision.name,
    previous,
    clusters: subject.clusters,
    controls: readControls(context, binding, request.template),
    now,
  });
  await leadOthers(deps, binding, bindingKeysOf(needed));
  const { state } = decision;
  const stored = await record(deps, binding, { revision, needed, previous, recorded, state });
  const events = rolloutEvents(previous, decision, subject);
  const built = await buildStaged(deps, { ...request, binding: stored }, state, asking);
  const early = await tooEarly(deps, { ...request, binding: stored }, { needed, state, now });
  const waits = [
    ...(decision.nextAt === undefined ? [] : [Math.max(0, decision.nextAt - now)]),
    ...(early.size === 0 ? [] : [NEEDS_RETRY_MS]),
  ];
  return {
    ...built,
    works: built.works.filter(({ cluster }) => !early.has(cluster)),
    requeueAfterMs: waits.length === 0 ? undefined : Math.min(...waits),
    followers: formatRolloutState(state) === recorded ? [] : bindingKeysOf(needed),
    tell: async () => {
      for (const { type, reason, message } of events)
        for (const about of [subjectOf(stored), templateSubject(stored)])
          context.events.record(about, type, reason, message);
      await writeCondition(context, stored, decision, subject);
    },
  };
}

/** How often is looked whether what an object needs is there before it, and for how long: then it goes on without. */
const NEEDS_RETRY_MS = 200;
const NEEDS_WAIT_MS = 30_000;

/** Clusters to which what the object needs now has still to be sent: only then they are told of its revision. */
async function tooEarly(
  deps: StagingDeps,
  { binding, present }: StagingRequest,
  {
    needed,
    state,
    now,
  }: { readonly needed: readonly NeededObject[]; readonly state: RolloutState; readonly now: number },
): Promise<ReadonlySet<string>> {
  const early = new Set<string>();
  if (needed.length === 0) return early;
  const works = new Map(present.map((work) => [clusterOf(work) ?? "", work]));
  for (const [cluster, { revision, since }] of Object.entries(state.clusters)) {
    if (works.get(cluster)?.metadata.annotations?.[REVISION_ANNOTATION] === revision) continue;
    if (since === undefined || now - since > NEEDS_WAIT_MS) continue;
    const content = await deps.revisions.load(binding, revision);
    if (needStates(deps, cluster, needed, content?.needs).some(({ copy }) => copy === "pending")) early.add(cluster);
  }
  return early;
}

interface Revisions {
  readonly previous: RolloutState | undefined;
  readonly revision: Revision;
  readonly needed: readonly NeededObject[];
}

async function subjectOfRollout(
  deps: StagingDeps,
  { binding, prepared, present, template }: StagingRequest,
  { previous, revision, needed }: Revisions,
  asking: Asking,
): Promise<RolloutSubject> {
  const settings = readRolloutSettings(binding.spec.placement?.flaghoist?.rollout ?? {});
  const names = prepared.targets.map((target) => target.name);
  const waves = assignWaves(names, prepared.clusterOf, settings.waves);
  const works = new Map(present.map((work) => [clusterOf(work) ?? "", work]));
  const contents = new Map<string, RevisionContent | undefined>([[revision.name, revision.content]]);
  for (const { revision: name } of Object.values(previous?.clusters ?? {}))
    if (!contents.has(name)) contents.set(name, await deps.revisions.load(binding, name));
  const recordOf = (name: string): ClusterRollout | undefined =>
    previous !== undefined && Object.hasOwn(previous.clusters, name) ? previous.clusters[name] : undefined;
  const needsIn = (name: string): Needs | undefined => contents.get(recordOf(name)?.revision ?? "")?.needs;
  const changed = previous?.target === revision.name ? new Map<string, Work>() : new Map(works);
  for (const name of changed.keys()) if (!sameNeeds(needsIn(name), revision.content.needs)) changed.delete(name);
  const alike = changed.size === 0 ? new Set<string>() : await clustersAlike(deps, prepared, changed, asking);
  const clusters = names.map((name): ClusterView => {
    const work = works.get(name);
    const suspended = isDispatchingSuspended(binding, name);
    const known = recordOf(name);
    return {
      name,
      wave: waves.get(name) ?? settings.waves.length - 1,
      unavailableSince: suspended ? 0 : unavailableSince(prepared.clusterOf(name)),
      ...worstOf(copyState(work, known?.revision), needStates(deps, name, needed, needsIn(name))),
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
  readonly needed: readonly NeededObject[];
  readonly previous: RolloutState | undefined;
  readonly recorded: string | undefined;
  readonly state: RolloutState;
}

/** The content first, then who is to have it: what the record names can always be found. */
async function record(
  { context, revisions }: StagingDeps,
  binding: AnyBinding,
  { revision, needed, previous, recorded, state }: Recording,
): Promise<AnyBinding> {
  if (previous?.target !== state.target) {
    const inUse = new Set(Object.values(state.clusters).map((cluster) => cluster.revision));
    if (state.stable !== undefined) inUse.add(state.stable);
    await revisions.saveNeeds(binding, needed);
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
export async function forgetRollout(
  { context, revisions }: Pick<StagingDeps, "context" | "revisions">,
  binding: AnyBinding,
): Promise<void> {
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
