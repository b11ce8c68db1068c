// Around what changes: which objects select it, and what else these select. So that what is found about selectors needs no
// whole world, and holds all the same.
import type { KubeObject } from "../../../kube/object.ts";
import { podsOf } from "./pods.ts";
import { POD_KINDS, SELECTING_KINDS, type Selection, selectionOf } from "./selections.ts";

/** In more than so many namespaces, or around more objects, nothing is looked for: the cost would be that of the fleet. */
const MOST_NAMESPACES = 20;
const MOST_SUBJECTS = 200;

type List = (
  kind: { readonly apiVersion: string; readonly kind: string },
  namespace: string,
) => Promise<readonly KubeObject[]>;

export interface RelatedObjects {
  readonly objects: readonly KubeObject[];
  /** Namespaces in which all that the subjects select, or are selected by, is known. */
  readonly namespaces: ReadonlySet<string>;
}

/** `subjects`: what changes, in each of its versions. `list` gives nothing of kinds that are not served. */
export async function findRelated(subjects: readonly KubeObject[], list: List): Promise<RelatedObjects> {
  const relevant = subjects.filter((object) => podsOf(object) !== undefined || selectionOf(object) !== undefined);
  const byNamespace = Map.groupBy(relevant, ({ metadata }) => metadata.namespace ?? "");
  byNamespace.delete("");
  if (byNamespace.size > MOST_NAMESPACES || relevant.length > MOST_SUBJECTS)
    return { objects: [], namespaces: new Set() };
  const objects: KubeObject[] = [];
  for (const [namespace, own] of byNamespace) {
    const selections = own.map(selectionOf).filter((selection) => selection !== undefined);
    for (const kind of SELECTING_KINDS)
      for (const object of await list(kind, namespace)) {
        const selection = selectionOf(object);
        if (selection === undefined || !own.some((subject) => selection.matches(subject))) continue;
        objects.push(object);
        selections.push(selection);
      }
    if (selections.length === 0) continue;
    for (const kind of POD_KINDS)
      objects.push(...(await list(kind, namespace)).filter((object) => isMeant(object, selections)));
  }
  return { objects, namespaces: new Set(byNamespace.keys()) };
}

function isMeant(object: KubeObject, selections: readonly Selection[]): boolean {
  return selections.some((selection) => selection.matches(object));
}
