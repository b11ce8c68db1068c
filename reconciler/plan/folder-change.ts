// What a revision of a folder does to the control plane: against what is there, or against another revision.
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { equalJson, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { hasGeneratedName, withDistinctNames } from "../controllers/sync/hook-names.ts";
import { findFullContainers } from "../controllers/sync/sync-containers.ts";
import { digestOf } from "../controllers/sync/sync-digest.ts";
import { decideOperation } from "../controllers/sync/sync-operation.ts";
import { findOwnObjects } from "../controllers/sync/sync-prune.ts";
import {
  type KeptObject,
  type OwnObject,
  ownObject,
  planInventory,
  sortByWishes,
  unwantedEntries,
} from "../controllers/sync/sync-removals.ts";
import { planSteps, type SyncPlan } from "../controllers/sync/sync-steps.ts";
import {
  checkObjects,
  desiredObjects,
  type FolderRendering,
  findDuplicates,
  type InputProblem,
  type RenderedFolder,
  renderObjects,
  type WrittenObject,
} from "./desired-objects.ts";
import { type PlannedPrunes, plannedEnd, plannedPrunes, type SyncPrune } from "./prunes.ts";
import type { DesiredObject } from "./source-changes.ts";
import type { TakenObject } from "./taken-objects.ts";

/** The two sides of a comparison. */
export interface ComparedTrees {
  readonly head: SourceTree;
  /** Undefined: what the control plane has is the base. */
  readonly base: SourceTree | undefined;
  /** The commit of the head; undefined for files on disk. */
  readonly commit: string | undefined;
}

/** A folder of both trees, and what applies it. */
export interface ComparedFolder {
  /** In the head, empty for the root; undefined when nothing is rendered from it any more. */
  readonly path: string | undefined;
  /** In the base; undefined when nothing was rendered from it. */
  readonly basePath: string | undefined;
  /** The Sync that applies it, as it is to be. */
  readonly sync: Sync | undefined;
  /** The Sync as it is, where it changes. */
  readonly baseSync?: Sync | undefined;
}

/** Everything that the head does to the control plane. */
export interface FolderChange {
  /** What the base has of the objects that change; undefined when the control plane is the base. */
  readonly base: readonly DesiredObject[] | undefined;
  /** What is to be stored: all objects of the head, or with a base those that it has not, or not like this. */
  readonly desired: readonly DesiredObject[];
  readonly removed: readonly RemovedObject[];
  /** What is no longer there and stays. */
  readonly kept: readonly KeptObject[];
  /** Of each folder. */
  readonly hooks: readonly ChangeHooks[];
  /** Why deletions wait for a person. */
  readonly held: string | undefined;
  /** Why nothing is known of deletions. */
  readonly deletionsUnknown: string | undefined;
  readonly problems: readonly InputProblem[];
  /** Everything that the head renders to, for a hash. */
  readonly rendered: readonly WrittenObject[];
  /** Of what the Sync of one folder would apply, as its operations have it; undefined when that is refused. */
  readonly digest?: string | undefined;
  /** The same of the base; undefined without one. */
  readonly baseDigest?: string | undefined;
  /** Whose files places are in; absent when that is not known. */
  readonly trees?: Pick<ComparedTrees, "head" | "base"> | undefined;
  /** Of each Sync that takes something out. */
  readonly prunes?: readonly SyncPrune[];
  /** What Syncs that the change does not concern have already. */
  readonly taken?: readonly TakenObject[];
}

/** Hooks run: they are no objects that come, change and go. */
export interface ChangeHooks {
  readonly plan: SyncPlan;
  /** Why those of an attempt do not run this time. */
  readonly idle: string | undefined;
}

export interface RemovedObject {
  readonly object: ObjectRef;
  /** Where the base has it: `apps/web.yaml:3`. */
  readonly origin: string | undefined;
}

/** Renders and compares. With errors among the problems nothing else is known. Writes nothing. */
export async function readFolderChange(
  client: KubeClient,
  trees: ComparedTrees,
  folder: ComparedFolder,
  rendering: Omit<FolderRendering, "sync">,
): Promise<FolderChange> {
  const { sync } = folder;
  const { signal } = rendering;
  const head = await renderSide(client, trees.head, folder.path, { ...rendering, sync });
  const base =
    trees.base === undefined
      ? undefined
      : await renderSide(client, trees.base, folder.basePath, { ...rendering, sync: folder.baseSync ?? sync });
  const rendered = withDistinctNames(head.objects.map(({ object }) => object));
  const steps = planSteps(rendered);
  const touched = base === undefined ? head.objects : differing(head.objects, base.objects);
  const checked = await checkObjects(client, trees.head, touched);
  const problems = [...head.problems, ...checked.problems, ...findDuplicates(head.objects)];
  const unknown = {
    ...NOTHING_REMOVED,
    base: undefined,
    desired: [],
    deletionsUnknown: undefined,
    hooks: [{ plan: steps, idle: undefined }],
    rendered: head.objects,
    trees,
  };
  if (hasErrors(problems)) return { ...unknown, problems };
  const digest = await digestOf(rendered);
  const ordinary = ordinaryOf(checked.objects, steps);
  const stored = await desiredObjects(
    client,
    [...ordinary, ...(await newHooks(client, checked.objects, steps))],
    signal,
  );
  problems.push(...stored.problems);
  const keys = new Set(ordinary.map(({ object }) => refKey(refOf(object))));
  const desired = stored.desired.filter(({ object }) => keys.has(refKey(refOf(object))));
  const ended = sync === undefined ? folder.baseSync : undefined;
  const prunes =
    base === undefined && ended !== undefined
      ? await plannedEndOf(client, ended)
      : await plannedDeletions(client, sync, steps, trees.commit);
  if (base === undefined) {
    const deletionsUnknown =
      sync === undefined && ended === undefined
        ? "No Sync applies this folder yet, so that nothing is known of deletions."
        : undefined;
    const hooks = [{ plan: steps, idle: whyIdle(sync, digest) }];
    const had = (sync ?? ended)?.status?.inventory?.entries?.length ?? 0;
    return {
      ...unknown,
      ...prunes,
      digest,
      prunes: prunesOf(sync ?? ended, had, ordinary.length, prunes.removed),
      desired,
      hooks,
      deletionsUnknown,
      problems,
    };
  }
  const baseRendered = withDistinctNames(base.objects.map(({ object }) => object));
  const before = ordinaryOf(base.objects, planSteps(baseRendered));
  const old = await desiredObjects(client, differing(before, head.objects), signal);
  const earlier = new Map(old.desired.map((one) => [refKey(refOf(one.object)), one.object]));
  const baseDigest = await digestOf(baseRendered);
  const gone = removedSince(before, rendered, folder);
  const wanted = ordinaryOf(head.objects, steps).length;
  return {
    ...unknown,
    ...gone,
    digest,
    baseDigest,
    prunes: prunesOf(sync ?? folder.baseSync, before.length, wanted, gone.removed),
    base: old.desired,
    desired: desired.map((one) => ({ ...one, before: earlier.get(refKey(refOf(one.object))) })),
    held: prunes.held,
    hooks: [{ plan: steps, idle: baseDigest === digest ? NOTHING_NEW : undefined }],
    problems,
  };
}

function prunesOf(
  sync: Sync | undefined,
  total: number,
  wanted: number,
  removed: readonly RemovedObject[],
): readonly SyncPrune[] {
  if (sync === undefined || removed.length === 0) return [];
  return [{ sync, total, wanted, removed: removed.map(({ object }) => object) }];
}

async function renderSide(
  client: KubeClient,
  tree: SourceTree,
  path: string | undefined,
  rendering: FolderRendering,
): Promise<RenderedFolder> {
  return path === undefined ? { objects: [], problems: [] } : renderObjects(client, tree, path, rendering);
}

/**
 * The changes of several folders as one. What leaves one folder for another is not removed; what two of them want is an
 * error.
 */
export function joinChanges(changes: readonly FolderChange[]): FolderChange {
  const [first] = changes;
  if (first !== undefined && changes.length === 1) return first;
  const rendered = changes.flatMap((change) => change.rendered);
  const wanted = new Set(rendered.map(({ object }) => refKey(refOf(object))));
  const texts = (of: (change: FolderChange) => string | undefined): string | undefined =>
    [...new Set(changes.map(of).filter((text) => text !== undefined))].join("\n") || undefined;
  const base = changes.flatMap((change) => change.base ?? []);
  const before = new Map(base.map(({ object }) => [refKey(refOf(object)), object]));
  return {
    base: changes.some((change) => change.base !== undefined) ? base : undefined,
    desired: changes.flatMap((change) =>
      change.desired.map((one) => ({ ...one, before: one.before ?? before.get(refKey(refOf(one.object))) })),
    ),
    removed: changes.flatMap((change) => change.removed.filter(({ object }) => !wanted.has(refKey(object)))),
    held: texts((change) => change.held),
    deletionsUnknown: texts((change) => change.deletionsUnknown),
    kept: changes.flatMap((change) => change.kept),
    hooks: changes.flatMap((change) => change.hooks),
    prunes: changes.flatMap((change) => change.prunes ?? []),
    problems: [...changes.flatMap((change) => change.problems), ...sharedObjects(changes)],
    rendered,
    trees: first?.trees,
  };
}

/** Duplicates within one folder were found before. */
function sharedObjects(changes: readonly FolderChange[]): readonly InputProblem[] {
  const seen = new Map<string, { readonly change: FolderChange; readonly origin: string }>();
  return changes.flatMap((change) =>
    change.rendered.flatMap(({ object, origin }): InputProblem[] => {
      const ref = refOf(object);
      const first = seen.get(refKey(ref));
      if (first === undefined) seen.set(refKey(ref), { change, origin });
      if (first === undefined || first.change === change) return [];
      return [
        { origin, message: `${ref.kind} ${ref.name} is also in ${first.origin}, of another Sync`, severity: "error" },
      ];
    }),
  );
}

const NOTHING_REMOVED = { removed: [], kept: [], held: undefined };
const NOTHING_NEW = "nothing that is rendered changes";

/** What is kept and compared: neither hooks nor what the Sync is to leave alone. */
function ordinaryOf(objects: readonly WrittenObject[], plan: SyncPlan): readonly WrittenObject[] {
  const ordinary = new Set(plan.objects);
  return objects.filter(({ object }) => ordinary.has(object));
}

/** Hooks that the server is to check: what is there of the last time is deleted before, so that no change of it is refused. */
async function newHooks(
  client: KubeClient,
  objects: readonly WrittenObject[],
  { hooks }: SyncPlan,
): Promise<readonly WrittenObject[]> {
  const named = objects.filter(({ object }) => hooks.includes(object) && !hasGeneratedName(object));
  const found = await mapLimit(named, 16, async (one) => {
    const isKnown = (await client.mapper.find(one.object.apiVersion, one.object.kind)) !== undefined;
    return isKnown && (await client.find(refOf(one.object))) !== undefined ? undefined : one;
  });
  return found.filter((one) => one !== undefined);
}

/** Hooks belong to what is rendered: as long as that is as it was applied, none runs. */
function whyIdle(sync: Sync | undefined, digest: string): string | undefined {
  if (sync === undefined) return undefined;
  const subject = { revision: "", digest, generation: sync.metadata.generation ?? 0, request: undefined };
  // The time only names an operation.
  const decision = decideOperation(sync, subject, 0);
  if (decision.kind === "give-up") return `this was given up before: ${decision.message}`;
  return decision.kind === "repeat" ? NOTHING_NEW : undefined;
}

export function hasErrors(problems: readonly InputProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}

/** Those that the other side has not, or not like this. Writers may differ: another file may say the same. */
function differing(objects: readonly WrittenObject[], others: readonly WrittenObject[]): readonly WrittenObject[] {
  const known = new Map(others.map(({ object }) => [refKey(refOf(object)), object]));
  return objects.filter(({ object }) => {
    const other = known.get(refKey(refOf(object)));
    return other === undefined || !equalJson(other, object);
  });
}

/** What the Sync would prune. Objects that are gone, or another's, are not deleted. */
async function plannedDeletions(
  client: KubeClient,
  sync: Sync | undefined,
  plan: SyncPlan,
  commit: string | undefined,
): Promise<Pick<FolderChange, "removed" | "kept" | "held">> {
  if (sync === undefined) return NOTHING_REMOVED;
  const entries = sync.status?.inventory?.entries ?? [];
  const { wanted } = planInventory(plan, entries);
  const own = await findOwnObjects({ client }, sync, unwantedEntries(plan, entries));
  const full = await findFullContainers(client, sortByWishes(own, "prune").deletable);
  const prunes = plannedPrunes({ sync, wanted, own, full, revision: `sha1:${commit ?? UNKNOWN_COMMIT}` });
  return {
    removed: prunes.removed.map((object) => ({ object, origin: undefined })),
    kept: prunes.kept,
    held: prunes.held?.replace(`revision sha1:${UNKNOWN_COMMIT}`, "this change"),
  };
}

/** What goes with a Sync that is deleted, of what the control plane has. */
async function plannedEndOf(client: KubeClient, sync: Sync): Promise<Pick<FolderChange, "removed" | "kept" | "held">> {
  const own = await findOwnObjects({ client }, sync, sync.status?.inventory?.entries ?? []);
  const { removed, kept, held } = plannedEnd(sync, own);
  return { removed: removed.map((object) => ({ object, origin: undefined })), kept, held };
}

/** What the base has and the head has not: what of it goes, and what would stay in spite of that. */
function removedSince(
  before: readonly WrittenObject[],
  rendered: readonly KubeObject[],
  { sync, baseSync }: ComparedFolder,
): Pick<FolderChange, "removed" | "kept" | "held"> {
  const keys = new Set(rendered.map((object) => refKey(refOf(object))));
  const gone = before.filter(({ object }) => !keys.has(refKey(refOf(object))));
  const origins = new Map(gone.map(({ object, origin }) => [refKey(refOf(object)), origin]));
  const own = gone.map(({ object }) => ownObject(object));
  const { removed, kept, held } = removalOf(own, sync, baseSync);
  return { removed: removed.map((object) => ({ object, origin: origins.get(refKey(object)) })), kept, held };
}

function removalOf(own: readonly OwnObject[], sync: Sync | undefined, baseSync: Sync | undefined): PlannedPrunes {
  // How much is deleted at once is held by what the control plane has.
  if (sync !== undefined) return { ...plannedPrunes({ sync, wanted: [], own, revision: "" }), held: undefined };
  if (baseSync !== undefined) return plannedEnd(baseSync, own);
  return { removed: own.map(({ ref }) => ref), kept: [], held: undefined };
}

/** Stands in messages for the commit that files on disk will become. */
const UNKNOWN_COMMIT = "COMMIT";
