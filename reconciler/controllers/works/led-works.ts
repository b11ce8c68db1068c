// The Works of an object that goes with the rollout of others: each cluster has it as the object that needs it is there.
import type { TargetCluster } from "../../../api/work.ts";
import { refKey } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";
import { chooseLed, goesWith, type Led, ROLLOUT_WITH_ANNOTATION, readRolloutWith } from "../../rollout/needs.ts";
import { type Revision, revisionOf } from "../../rollout/revision.ts";
import {
  parseRolloutState,
  ROLLOUT_ANNOTATION,
  type RolloutState,
  UNKNOWN_REVISION,
} from "../../rollout/rollout-state.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { effectiveTargets } from "../../works/targets.ts";
import type { BuiltWork, FailedWork, PreparedWorks } from "../../works/work.ts";
import type { Asking } from "../interpretation/interpretation.ts";
import { bindingKey, findBinding } from "../scheduling/binding-key.ts";
import { isStaged, prepareRevisionContent, type StagingDeps, withRevision } from "./build-staged.ts";
import { buildInTurns } from "./build-works.ts";
import type { RevisionStore } from "./revision-store.ts";

export interface LedWorks {
  readonly works: readonly BuiltWork[];
  readonly failures: readonly FailedWork[];
  /** Clusters that nobody leads. */
  readonly free: readonly TargetCluster[];
  /** Keys of bindings whose rollouts are to look at this object: at its present revision, or at what its copies report. */
  readonly concerned: readonly string[];
}

interface Leader {
  readonly binding: AnyBinding;
  readonly state: RolloutState | undefined;
}

/** Undefined for an object that goes with nobody's rollout. */
export async function leadWorks(
  deps: StagingDeps,
  binding: AnyBinding,
  prepared: PreparedWorks,
  asking: Asking,
): Promise<LedWorks | undefined> {
  const leaders = leadersOf(deps, binding, prepared);
  if (leaders.length === 0) return undefined;
  const { interpretation, revisions } = deps;
  const { template, overridePolicies } = prepared;
  const present = await interpretation.decide(
    (interpreter) => revisionOf(template, overridePolicies, interpreter),
    asking,
  );
  const key = refKey(binding.spec.resource);
  const led = await ledClusters(deps, leaders, key);
  const byRevision = new Map<string, TargetCluster[]>();
  for (const target of prepared.targets) {
    const of = led.get(target.name);
    // Its turn has not come: it gets nothing, or keeps what it has.
    const revision = of === undefined ? undefined : chooseLed(of, present.name);
    if (revision !== undefined) byRevision.set(revision, [...(byRevision.get(revision) ?? []), target]);
  }
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  for (const [revision, targets] of byRevision) {
    const content = revision === present.name ? undefined : await loadNeed(revisions, leaders, binding, revision);
    // What nobody has any more stays as it is in the cluster.
    if (revision !== present.name && content === undefined) continue;
    const of =
      content === undefined ? prepared : await prepareRevisionContent(deps, { binding, prepared, content }, asking);
    const built = await buildInTurns(of, targets, interpretation, asking);
    works.push(...built.works.map((each) => ({ ...each, work: withRevision(each.work, revision) })));
    failures.push(...built.failures);
  }
  return {
    works,
    failures,
    free: prepared.targets.filter(({ name }) => !led.has(name)),
    concerned: await concerned(revisions, leaders, key, present),
  };
}

/** Bindings with a rollout that need the object of this one, and take it along. */
function leadersOf({ context, templates }: StagingDeps, binding: AnyBinding, { template }: PreparedWorks): Leader[] {
  const names = new Set((binding.spec.requiredBy ?? []).map(({ namespace = "", name }) => `${namespace}/${name}`));
  for (const name of readRolloutWith(binding)) names.add(name);
  return [...names].flatMap((name): Leader[] => {
    const found = findBinding(context, `ResourceBinding/${name}`);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined || !isStaged(found)) return [];
    const { apiVersion, kind, namespace, name: object } = found.spec.resource;
    const referrer = templates.find(apiVersion, kind, namespace, object);
    if (referrer === undefined || !goesWith(referrer, template, found.spec.propagateDeps === true)) return [];
    return [{ binding: found, state: stateOf(found) }];
  });
}

/** Read once for each state of a binding: many may need the same object. */
const states = new WeakMap<AnyBinding, { readonly state: RolloutState | undefined }>();

function stateOf(binding: AnyBinding): RolloutState | undefined {
  const known = states.get(binding);
  if (known !== undefined) return known.state;
  const state = parseRolloutState(binding.metadata.annotations?.[ROLLOUT_ANNOTATION]);
  states.set(binding, { state });
  return state;
}

/** By cluster what its leaders there need; a cluster that they have not come to yet has an empty list. */
async function ledClusters(
  { revisions }: StagingDeps,
  leaders: readonly Leader[],
  key: string,
): Promise<ReadonlyMap<string, Led[]>> {
  const led = new Map<string, Led[]>();
  const turn = new Turn();
  for (const { binding, state } of leaders) {
    if (turn.isOver) await turn.next();
    const needs = new Map<string, Promise<string | undefined>>();
    for (const { name } of effectiveTargets(binding)) {
      const known = led.get(name) ?? [];
      led.set(name, known);
      const revision =
        state !== undefined && Object.hasOwn(state.clusters, name) ? state.clusters[name]?.revision : undefined;
      if (revision === undefined) continue;
      const need = needs.get(revision) ?? needIn(revisions, binding, revision, key);
      needs.set(revision, need);
      known.push({ revision: await need });
    }
  }
  return led;
}

async function needIn(
  revisions: RevisionStore,
  binding: AnyBinding,
  revision: string,
  key: string,
): Promise<string | undefined> {
  if (revision === UNKNOWN_REVISION) return undefined;
  return (await revisions.load(binding, revision))?.needs?.[key];
}

const UNDER_WAY: ReadonlySet<RolloutState["phase"]> = new Set(["Progressing", "Paused", "Returning"]);

async function loadNeed(
  revisions: RevisionStore,
  leaders: readonly Leader[],
  { spec: { resource } }: AnyBinding,
  revision: string,
): Promise<Revision["content"] | undefined> {
  for (const { binding } of leaders) {
    const content = await revisions.loadNeed(binding, resource, revision);
    if (content !== undefined) return content;
  }
  return undefined;
}

async function concerned(
  revisions: RevisionStore,
  leaders: readonly Leader[],
  key: string,
  present: Revision,
): Promise<string[]> {
  const keys: string[] = [];
  for (const { binding, state } of leaders) {
    const isUnderWay = state !== undefined && UNDER_WAY.has(state.phase);
    const isBehind =
      isUnderWay || state === undefined || (await needIn(revisions, binding, state.target, key)) !== present.name;
    if (isBehind) keys.push(bindingKey(binding));
  }
  return keys;
}

/** Has objects that need not follow this binding go with its rollout from now on: written on their bindings. */
export async function leadOthers(
  { context }: StagingDeps,
  binding: AnyBinding,
  keys: readonly string[],
): Promise<void> {
  const { namespace = "", name = "" } = binding.metadata;
  const own = `${namespace}/${name}`;
  for (const key of keys) {
    const other = findBinding(context, key);
    if (other === undefined || other.spec.placement == null || other.metadata.deletionTimestamp !== undefined) continue;
    const known = readRolloutWith(other);
    if (known.includes(own)) continue;
    const { resourceVersion } = other.metadata;
    const annotations = { [ROLLOUT_WITH_ANNOTATION]: JSON.stringify([...known, own].sort()) };
    const { apiVersion, kind } = other;
    const stored = await context.client.patch<AnyBinding>(
      { apiVersion, kind, namespace: other.metadata.namespace, name: other.metadata.name ?? "" },
      { metadata: { resourceVersion, annotations } },
      "merge",
      { fieldManager: "flaghoist" },
    );
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).adopt(stored);
  }
}
