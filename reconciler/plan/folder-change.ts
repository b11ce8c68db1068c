// What a revision of a folder does to the control plane: against what is there, or against another revision.
import type { InventoryEntry, Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { equalJson, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { belongsTo, entriesOf, planPrune, refOfEntry } from "../controllers/sync/sync-decisions.ts";
import {
  checkObjects,
  desiredObjects,
  type FolderRendering,
  findDuplicates,
  type InputProblem,
  renderObjects,
  type WrittenObject,
} from "./desired-objects.ts";
import type { DesiredObject } from "./source-changes.ts";

/** The two sides of a comparison. */
export interface ComparedFolder {
  /** The folder within both trees; empty for the root. */
  readonly path: string;
  readonly head: SourceTree;
  /** Undefined: what the control plane has is the base. */
  readonly base: SourceTree | undefined;
  /** The folder in the base; `path` when absent. */
  readonly basePath?: string | undefined;
  /** The commit of the head; undefined for files on disk. */
  readonly commit: string | undefined;
}

/** Everything that the head does to the control plane. */
export interface FolderChange {
  /** What the base has of the objects that change; undefined when the control plane is the base. */
  readonly base: readonly DesiredObject[] | undefined;
  /** What is to be stored: all objects of the head, or with a base those that it has not, or not like this. */
  readonly desired: readonly DesiredObject[];
  readonly removed: readonly RemovedObject[];
  /** Why deletions wait for a person. */
  readonly held: string | undefined;
  /** Why nothing is known of deletions. */
  readonly deletionsUnknown: string | undefined;
  readonly problems: readonly InputProblem[];
  /** Everything that the head renders to, for a hash. */
  readonly rendered: readonly KubeObject[];
}

export interface RemovedObject {
  readonly object: ObjectRef;
  /** Where the base has it: `apps/web.yaml:3`. */
  readonly origin: string | undefined;
}

/** Renders and compares. With errors among the problems nothing else is known. Writes nothing. */
export async function readFolderChange(
  client: KubeClient,
  folder: ComparedFolder,
  rendering: FolderRendering,
): Promise<FolderChange> {
  const { sync, signal } = rendering;
  const head = await renderObjects(client, folder.head, folder.path, rendering);
  const base =
    folder.base === undefined
      ? undefined
      : await renderObjects(client, folder.base, folder.basePath ?? folder.path, rendering);
  const rendered = head.objects.map(({ object }) => object);
  const touched = base === undefined ? head.objects : differing(head.objects, base.objects);
  const checked = await checkObjects(client, touched);
  const problems = [...head.problems, ...checked.problems, ...findDuplicates(head.objects)];
  const unknown = { base: undefined, desired: [], removed: [], held: undefined, deletionsUnknown: undefined, rendered };
  if (hasErrors(problems)) return { ...unknown, problems };
  const stored = await desiredObjects(client, checked.objects, signal);
  problems.push(...stored.problems);
  const deletions = await plannedDeletions(client, sync, rendered, folder.commit);
  if (base === undefined) {
    const deletionsUnknown =
      sync === undefined ? "No Sync applies this folder yet, so that nothing is known of deletions." : undefined;
    return { ...unknown, ...deletions, desired: stored.desired, deletionsUnknown, problems };
  }
  const keys = new Set(rendered.map((object) => refKey(refOf(object))));
  const gone = base.objects.filter(({ object }) => !keys.has(refKey(refOf(object))));
  const old = await desiredObjects(client, [...differing(base.objects, head.objects)], signal);
  const before = new Map(old.desired.map((one) => [refKey(refOf(one.object)), one.object]));
  return {
    ...unknown,
    base: old.desired,
    desired: stored.desired.map((one) => ({ ...one, before: before.get(refKey(refOf(one.object))) })),
    removed: gone.map(({ object, origin }) => ({ object: refOf(object), origin })),
    held: deletions.held,
    problems,
  };
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

/** What the Sync would prune, and whether it would be held. Objects that are gone, or another's, are not deleted. */
async function plannedDeletions(
  client: KubeClient,
  sync: Sync | undefined,
  wanted: readonly KubeObject[],
  commit: string | undefined,
): Promise<{ readonly removed: readonly RemovedObject[]; readonly held: string | undefined }> {
  if (sync === undefined) return { removed: [], held: undefined };
  const { prune, held } = planPrune(sync, entriesOf(wanted), `sha1:${commit ?? UNKNOWN_COMMIT}`);
  const removed = await mapLimit(prune, 16, (entry) => findOwn(client, sync, entry));
  return {
    removed: removed.filter((ref) => ref !== undefined).map((object) => ({ object, origin: undefined })),
    held: held?.replace(`revision sha1:${UNKNOWN_COMMIT}`, "this change"),
  };
}

/** Stands in messages for the commit that files on disk will become. */
const UNKNOWN_COMMIT = "COMMIT";

async function findOwn(client: KubeClient, sync: Sync, entry: InventoryEntry): Promise<ObjectRef | undefined> {
  const ref = refOfEntry(entry);
  if (ref === undefined || (await client.mapper.find(ref.apiVersion, ref.kind)) === undefined) return undefined;
  const live = await client.find(ref);
  return live !== undefined && belongsTo(live, sync) ? ref : undefined;
}
