// Creates and removes ControllerRevisions.
import type { KubeObject } from "../../../../kube/object.ts";
import { attempt, remove, type Steps } from "../../kernel/action.ts";
import type { World } from "../../kernel/controller.ts";
import { type ControllerRevision, hashOfData, isSameData, revisionName } from "./controller-revisions.ts";

const REVISIONS = "apps/controllerrevisions";

/**
 * Creates a revision of a StatefulSet. A name that another template's revision has is one more collision, and gives
 * another name; one that this template's has already will do.
 */
export function* createRevision(
  owner: KubeObject,
  draft: ControllerRevision,
  collisionCount: number,
  { state }: World,
): Steps<{ readonly revision: ControllerRevision; readonly collisionCount: number }> {
  for (let collisions = collisionCount; ; collisions++) {
    const name = revisionName(owner, hashOfData(draft.data, collisions));
    const outcome = yield* attempt({ do: "create", object: { ...draft, metadata: { ...draft.metadata, name } } });
    // The server answers with what it was given, completed.
    if (outcome.ok) return { revision: outcome.object as ControllerRevision, collisionCount: collisions };
    if (outcome.error.status.reason !== "AlreadyExists") throw outcome.error;
    const known = state.get(REVISIONS, owner.metadata.namespace, name) as ControllerRevision | undefined;
    if (known === undefined) throw outcome.error;
    if (isSameData(known.data, draft.data)) return { revision: known, collisionCount: collisions };
  }
}

/** Deletes revisions. */
export function* removeRevisions(revisions: readonly ControllerRevision[]): Steps<void> {
  for (const revision of revisions) yield* remove(revision);
}
