// Where the objects of a control plane are written, as far as this machine can tell.
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { render } from "../../renderers/render.ts";
import { openWorkingCopy, type WorkingCopy } from "../../sources/git/working-copy.ts";
import { originByLabels } from "../plan/explain.ts";
import type { Origin } from "../plan/origin.ts";

/**
 * Finds the origin of objects that a Sync put there: its revision and folder, and the very file and line when `folder`
 * is a checkout that has the revision.
 */
export async function originFinder(
  client: KubeClient,
  folder: string,
): Promise<(object: KubeObject) => Origin | undefined> {
  const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
  const files = new Map<string, ReadonlyMap<string, string>>();
  return (object) => {
    const origin = originByLabels(object);
    const sync = syncs.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === origin?.sync);
    const revision = sync?.status?.lastAppliedRevision;
    if (origin === undefined || sync === undefined || revision === undefined) return origin;
    const key = origin.sync ?? "";
    const lines = files.get(key) ?? filesOf(sync, revision, folder);
    files.set(key, lines);
    return { ...origin, revision, file: lines.get(keyOf(object)) };
  };
}

/** Names as a file gives them; a Sync may move objects into another namespace. */
function keyOf(object: KubeObject): string {
  return [parseApiVersion(object.apiVersion).group, object.kind, object.metadata.name].join("/");
}

function filesOf(sync: Sync, revision: string, folder: string): ReadonlyMap<string, string> {
  let copy: WorkingCopy | undefined;
  try {
    copy = openWorkingCopy(folder);
    const commit = copy.resolve(revision.slice(revision.lastIndexOf(":") + 1));
    const path = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
    const { objects } = render(copy.tree(commit), path, { renderer: sync.spec.renderer ?? "auto" });
    return new Map(
      objects.map(({ object, origin }) => [
        keyOf(object),
        origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`,
      ]),
    );
  } catch {
    // Another folder, another repository, or a commit that is not fetched here: the file is not known then.
    return new Map();
  } finally {
    copy?.close();
  }
}
