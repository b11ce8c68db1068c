// Where the objects of a control plane are written, as far as this machine can tell.
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { render } from "../../renderers/render.ts";
import { openWorkingCopy } from "../../sources/git/working-copy.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { originByLabels } from "../plan/explain.ts";
import type { Origin } from "../plan/origin.ts";

type FilesOf = (sync: Sync, commit: string) => ReadonlyMap<string, string>;

/**
 * Finds the origin of objects that a Sync put there: its revision and folder, and the very file and line when `folder`
 * is a checkout that has the revision.
 */
export function originFinder(client: KubeClient, folder: string): Promise<(object: KubeObject) => Origin | undefined> {
  return findOrigins(client, (sync, name) => filesIn(folder, sync, name));
}

/** As `originFinder`, with the files of commits that `treeAt` knows. */
export function originFinderAt(
  client: KubeClient,
  treeAt: (commit: string) => SourceTree | undefined,
): Promise<(object: KubeObject) => Origin | undefined> {
  return findOrigins(client, (sync, commit) => {
    const tree = treeAt(commit);
    return tree === undefined ? new Map() : filesOf(tree, sync);
  });
}

async function findOrigins(client: KubeClient, filesAt: FilesOf): Promise<(object: KubeObject) => Origin | undefined> {
  const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
  const files = new Map<string, ReadonlyMap<string, string>>();
  return (object) => {
    const origin = originByLabels(object);
    const sync = syncs.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === origin?.sync);
    const revision = sync?.status?.lastAppliedRevision;
    if (origin === undefined || sync === undefined || revision === undefined) return origin;
    const key = origin.sync ?? "";
    let lines = files.get(key);
    if (lines === undefined) {
      try {
        lines = filesAt(sync, revision.slice(revision.lastIndexOf(":") + 1));
      } catch {
        // Another folder, another repository, or a commit that is not fetched here: the file is not known then.
        lines = new Map();
      }
      files.set(key, lines);
    }
    return { ...origin, revision, file: lines.get(keyOf(object)) };
  };
}

/** Names as a file gives them; a Sync may move objects into another namespace. */
function keyOf(object: KubeObject): string {
  return [parseApiVersion(object.apiVersion).group, object.kind, object.metadata.name].join("/");
}

function filesIn(folder: string, sync: Sync, commit: string): ReadonlyMap<string, string> {
  const copy = openWorkingCopy(folder);
  try {
    return filesOf(copy.tree(copy.resolve(commit)), sync);
  } finally {
    copy.close();
  }
}

function filesOf(tree: SourceTree, sync: Sync): ReadonlyMap<string, string> {
  const path = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const { objects } = render(tree, path, { renderer: sync.spec.renderer ?? "auto" });
  return new Map(
    objects.map(({ object, origin }) => [
      keyOf(object),
      origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`,
    ]),
  );
}
