// The revisions of a DaemonSet.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { attempt, perform, remove, type Steps } from "../../kernel/action.ts";
import type { World } from "../../kernel/controller.ts";
import { claimObjects } from "../controller-refs.ts";
import {
  type ControllerRevision,
  isSameData,
  newDaemonSetRevision,
  REVISION_LABEL,
  sortRevisions,
  templatePatch,
} from "../revisions/controller-revisions.ts";

interface DaemonSetHistory {
  /** The hash of the present template, which its Pods carry. */
  readonly hash: string;
  /** Other templates, oldest first. */
  readonly old: readonly ControllerRevision[];
}

/** Finds the revision of the present template or creates it, and makes it the last one. */
export function* readHistory(set: KubeObject, pods: readonly KubeObject[], world: World): Steps<DaemonSetHistory> {
  const claimed = sortRevisions(yield* claimObjects(set, "apps/controllerrevisions", world));
  const labelled: ControllerRevision[] = [];
  for (const revision of claimed) labelled.push(yield* withHashLabel(revision));
  const data = templatePatch(set);
  const same = labelled.filter((revision) => isSameData(revision.data, data));
  const old = labelled.filter((revision) => !same.includes(revision));
  const number = (old.at(-1)?.revision ?? 0) + 1;
  const current = same.at(-1);
  if (current === undefined) return { hash: hashOf(yield* createCurrent(set, number, world)), old };
  yield* removeDuplicates(current, same, pods);
  if (current.revision < number) yield* perform({ do: "update", object: { ...current, revision: number } });
  return { hash: hashOf(current), old };
}

function hashOf(revision: ControllerRevision): string {
  return revision.metadata.labels?.[REVISION_LABEL] ?? "";
}

function* withHashLabel(revision: ControllerRevision): Steps<ControllerRevision> {
  const { labels = {}, name = "" } = revision.metadata;
  if (labels[REVISION_LABEL] !== undefined) return revision;
  const metadata = { ...revision.metadata, labels: { ...labels, [REVISION_LABEL]: name } };
  return ((yield* perform({ do: "update", object: { ...revision, metadata } })) ?? revision) as ControllerRevision;
}

function* createCurrent(set: KubeObject, number: number, { state }: World): Steps<ControllerRevision> {
  const status = isObject(set["status"]) ? set["status"] : {};
  const collisions = typeof status["collisionCount"] === "number" ? status["collisionCount"] : undefined;
  const draft = newDaemonSetRevision(set, number, collisions);
  const outcome = yield* attempt({ do: "create", object: draft });
  // The server answers with what it was given, completed.
  if (outcome.ok) return outcome.object as ControllerRevision;
  if (outcome.error.status.reason !== "AlreadyExists") throw outcome.error;
  const { namespace, name = "" } = draft.metadata;
  const known = state.get("apps/controllerrevisions", namespace, name) as ControllerRevision | undefined;
  if (known !== undefined && isSameData(known.data, draft.data)) return known;
  const present = state.get("apps/daemonsets", namespace, set.metadata.name ?? "");
  if (present !== undefined) {
    const counted = {
      ...(isObject(present["status"]) ? present["status"] : {}),
      collisionCount: (collisions ?? 0) + 1,
    };
    yield* perform({ do: "update", object: { ...present, status: counted }, subresource: "status" });
  }
  throw outcome.error;
}

function* removeDuplicates(
  current: ControllerRevision,
  same: readonly ControllerRevision[],
  pods: readonly KubeObject[],
): Steps<void> {
  if (same.length === 1) return;
  const hash = hashOf(current);
  for (const pod of pods) {
    if (pod.metadata.labels?.[REVISION_LABEL] === hash) continue;
    yield* perform({ do: "patch", object: pod, patch: { metadata: { labels: { [REVISION_LABEL]: hash } } } });
  }
  for (const revision of same) if (revision !== current) yield* remove(revision);
}

/** The revisions beyond the limit, oldest first, that no Pod is of. */
export function surplusHistory(
  old: readonly ControllerRevision[],
  pods: readonly KubeObject[],
  limit: number,
): ControllerRevision[] {
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[REVISION_LABEL]));
  // As Kubernetes: live ones count against the limit but stay.
  return old.filter((revision) => !live.has(hashOf(revision))).slice(0, Math.max(0, old.length - limit));
}
