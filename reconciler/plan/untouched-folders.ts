// Folders that a change does not concern, of Syncs that have applied nothing yet: what is in them is in no control plane.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { AppError } from "../../runtime/errors.ts";
import { Turn } from "../../runtime/turn.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { planSteps } from "../controllers/sync/sync-steps.ts";
import { type FolderRendering, renderObjects, type WrittenObject } from "./desired-objects.ts";
import type { ComparedFolder } from "./folder-change.ts";

/** Past so many a repository is not about to be set up. */
const MOST_FOLDERS = 200;

/** Those that nothing was applied of. */
export function unappliedFolders(folders: readonly ComparedFolder[]): readonly ComparedFolder[] {
  return folders
    .filter(({ path, sync }) => path !== undefined && (sync?.status?.inventory?.entries ?? []).length === 0)
    .slice(0, MOST_FOLDERS);
}

/** What each folder would have applied, hooks left out. One that cannot be rendered is no matter of the change. */
export async function* renderFolders(
  client: KubeClient,
  folders: readonly ComparedFolder[],
  treeOf: (folder: ComparedFolder) => SourceTree,
  rendering: Omit<FolderRendering, "sync">,
): AsyncGenerator<readonly WrittenObject[]> {
  const turn = new Turn();
  for (const folder of folders) {
    const { path = "", sync } = folder;
    if (turn.isOver) await turn.next();
    rendering.signal.throwIfAborted();
    try {
      const { objects } = await renderObjects(client, treeOf(folder), path, { ...rendering, sync });
      const ordinary = new Set(planSteps(objects.map(({ object }) => object)).objects);
      yield objects.filter(({ object }) => ordinary.has(object));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
}
