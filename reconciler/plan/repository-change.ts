// What a change of a repository does: which of its Syncs it concerns, and what they would do, new ones included.
import type { Sync } from "../../api/gitops.ts";
import type { RenderedSync } from "../../api/reporter.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { equalJson, type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { withoutIgnored } from "../../renderers/ignoring-tree.ts";
import { Turn } from "../../runtime/turn.ts";
import { AffectedFolders } from "./affected-folders.ts";
import type { FolderRendering, WrittenObject } from "./desired-objects.ts";
import {
  type ComparedFolder,
  type ComparedTrees,
  type FolderChange,
  hasErrors,
  joinChanges,
  readFolderChange,
} from "./folder-change.ts";
import { takenObjects } from "./taken-objects.ts";
import { renderFolders, unappliedFolders } from "./untouched-folders.ts";

export interface RepositoryRequest {
  readonly trees: ComparedTrees;
  /** Paths that differ between the trees; undefined when that is not known, as between files on disk and what runs. */
  readonly changedPaths: readonly string[] | undefined;
  /** Whether a source is this repository. */
  readonly isOurs: (source: Sync["spec"]["sourceRef"], namespace: string) => boolean;
  /** What a source leaves out of its files, in the form of a .gitignore file; none does when absent. */
  readonly ignoreOf?: (source: Sync["spec"]["sourceRef"], namespace: string) => string | undefined;
  readonly rendering: Omit<FolderRendering, "sync">;
  /** All Syncs of the control plane; absent: they are asked for. */
  readonly syncs?: readonly Sync[];
}

/** The Syncs that are concerned, and what they do together. */
export interface RepositoryChange {
  readonly change: FolderChange;
  /** `shop/apps`, in order. */
  readonly syncs: readonly string[];
  /** What each of them that stays would apply; where something is refused, of those that were rendered. */
  readonly rendered: readonly RenderedSync[];
  /** What untouched folders would have, of which nothing was applied yet; absent when there are none. */
  readonly renderUntouched?: () => AsyncIterable<readonly WrittenObject[]>;
}

/** The folder of a Sync as trees name it. */
export function folderOf(sync: Sync): string {
  return (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
}

/** A Sync that is there on both sides, as it is. */
export function presentSync(sync: Sync): ComparedFolder {
  return { path: folderOf(sync), basePath: folderOf(sync), sync };
}

export function syncName({ metadata }: Sync): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/**
 * Plans those of the folders that may render otherwise, and then the Syncs that they bring, change or remove.
 */
export async function readRepositoryChange(
  client: KubeClient,
  folders: readonly ComparedFolder[],
  request: RepositoryRequest,
): Promise<RepositoryChange> {
  const { rendering } = request;
  const isAffected = affectedBy(request);
  const planned = new Map<string, ComparedFolder>();
  const changes = new Map<string, FolderChange>();
  const rendered: RenderedSync[] = [];
  const turn = new Turn();
  let next = folders.filter(({ path, basePath }) => isAffected(path ?? basePath ?? ""));
  while (next.length > 0) {
    const fresh: FolderChange[] = [];
    for (const folder of next) {
      if (turn.isOver) await turn.next();
      rendering.signal.throwIfAborted();
      planned.set(nameOf(folder), folder);
      const change = await readFolderChange(client, seenBy(folder, request), folder, rendering);
      changes.set(nameOf(folder), change);
      fresh.push(change);
      rendered.push(...renderedBy(folder, change));
    }
    if (fresh.some(({ problems }) => hasErrors(problems))) break;
    next = (await followSyncs(client, fresh, request)).filter((folder) => !planned.has(nameOf(folder)));
  }
  const all = request.syncs ?? (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
  const change = { ...joinChanges([...changes.values()]), taken: takenObjects(changes, all) };
  const untouched = unappliedFolders(folders.filter((folder) => !planned.has(nameOf(folder))));
  return {
    change,
    syncs: [...planned.keys()].sort(),
    rendered,
    ...(untouched.length === 0
      ? {}
      : {
          renderUntouched: () => renderFolders(client, untouched, (folder) => seenBy(folder, request).head, rendering),
        }),
  };
}

/** The trees as the source of a folder's Sync has them. */
function seenBy({ sync, baseSync }: ComparedFolder, { ignoreOf, trees }: RepositoryRequest): ComparedTrees {
  const either = sync ?? baseSync;
  const ignored = either && ignoreOf?.(either.spec.sourceRef, either.metadata.namespace ?? "");
  if (!ignored) return trees;
  const { base, commit, head } = trees;
  return { head: withoutIgnored(head, ignored), base: base && withoutIgnored(base, ignored), commit };
}

function renderedBy({ sync }: ComparedFolder, { baseDigest, digest }: FolderChange): RenderedSync[] {
  if (sync === undefined || digest === undefined) return [];
  const { name = "", namespace = "" } = sync.metadata;
  return [{ namespace, name, digest, ...(baseDigest === undefined ? {} : { before: baseDigest }) }];
}

function nameOf({ sync, baseSync }: ComparedFolder): string {
  const either = sync ?? baseSync;
  return either === undefined ? "" : syncName(either);
}

function affectedBy({ trees, changedPaths }: RepositoryRequest): (folder: string) => boolean {
  if (changedPaths === undefined) return () => true;
  const sides = [trees.head, ...(trees.base === undefined ? [] : [trees.base])].map(
    (tree) => new AffectedFolders(tree, changedPaths),
  );
  return (folder) => sides.some((side) => side.isAffected(folder));
}

/** Syncs of this repository among what these changes write, where they say something else than before. */
async function followSyncs(
  client: KubeClient,
  changes: readonly FolderChange[],
  { isOurs, trees }: RepositoryRequest,
): Promise<ComparedFolder[]> {
  const found: ComparedFolder[] = [];
  for (const { desired, removed, base = [] } of changes) {
    const before = new Map(base.filter(isSync).map(({ object }) => [refKey(refOf(object)), object]));
    for (const { object } of desired.filter(isSync)) {
      const sync = object as unknown as Sync;
      if (!isOurs(sync.spec.sourceRef, sync.metadata.namespace ?? "")) continue;
      const live = await client.find<Sync>(refOf(object));
      // The control plane knows what it applied; the base says what it was to apply.
      const old =
        (before.get(refKey(refOf(object))) as Sync | undefined) ?? (trees.base === undefined ? live : undefined);
      if (old !== undefined && equalJson(old.spec, sync.spec)) continue;
      const head = live?.status === undefined ? sync : { ...sync, status: live.status };
      found.push({ path: folderOf(sync), basePath: old && folderOf(old), sync: head, baseSync: old });
    }
    for (const { object } of removed) {
      if (!isSync({ object })) continue;
      const known = before.get(refKey(object)) as Sync | undefined;
      const old = known ?? (trees.base === undefined ? await client.find<Sync>(object) : undefined);
      if (old === undefined || !isOurs(old.spec.sourceRef, old.metadata.namespace ?? "")) continue;
      if (old.spec.deletionPolicy === "Orphan" || old.spec.prune === false) continue;
      found.push({ path: undefined, basePath: folderOf(old), sync: undefined, baseSync: old });
    }
  }
  return found;
}

function isSync({ object }: { readonly object: Pick<KubeObject, "apiVersion" | "kind"> }): boolean {
  return object.kind === "Sync" && object.apiVersion.startsWith("gitops.flaghoist.io/");
}
