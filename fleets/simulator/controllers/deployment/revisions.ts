// How the ReplicaSets of a Deployment keep its history: numbers and sizes in their annotations.
import type { ReplicaSet } from "../replica-set/replica-set.ts";
import { type Deployment, maxSurgeOf, wantedOf } from "./deployment.ts";

const PREFIX = "deployment.kubernetes.io/";
/** Annotation: the number of the revision that a set holds. */
export const REVISION = `${PREFIX}revision`;
const REVISION_HISTORY = `${PREFIX}revision-history`;
/** Annotation of a set: the Deployment's size when the set was last sized. */
export const DESIRED_REPLICAS = `${PREFIX}desired-replicas`;
/** Annotation of a set: how many Pods the Deployment could have at most then, surge included. */
export const MAX_REPLICAS = `${PREFIX}max-replicas`;
/** Asks for a rollback, as Deployments of old API versions did with a field. */
export const ROLLBACK_TO = "deprecated.deployment.rollback.to";

/** What Deployment and ReplicaSet do not take from each other. */
const NOT_SHARED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
]);

const LONGEST_HISTORY = 2000;

type Annotations = Readonly<Record<string, string>>;

/** The revision of a set: 0 when it has none, undefined when that is no number. */
export function revisionOf(set: ReplicaSet): number | undefined {
  return parseInteger(set.metadata.annotations?.[REVISION] ?? "0");
}

/** The highest revision number of the sets; 0 when none has one. */
export function highestRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map((set) => revisionOf(set) ?? 0));
}

/** The highest revision but one; 0 when there is none. */
export function lastRevision(sets: readonly ReplicaSet[]): number {
  const revisions = sets.map((set) => revisionOf(set) ?? 0).sort((a, b) => b - a);
  return revisions[1] ?? 0;
}

/** Whether the set carries the sizes that the Deployment has now. */
export function hasReplicasAnnotations(set: ReplicaSet, deployment: Deployment): boolean {
  return Object.entries(replicasAnnotations(deployment)).every(
    ([key, value]) => set.metadata.annotations?.[key] === value,
  );
}

/** The size of the Deployment and the most Pods that it may have, for its sets to remember. */
export function replicasAnnotations(deployment: Deployment): Annotations {
  const wanted = wantedOf(deployment);
  return { [DESIRED_REPLICAS]: String(wanted), [MAX_REPLICAS]: String(wanted + maxSurgeOf(deployment)) };
}

/** A size that an annotation of a set remembers; undefined when there is none. */
export function rememberedSize(
  set: ReplicaSet,
  key: typeof DESIRED_REPLICAS | typeof MAX_REPLICAS,
): number | undefined {
  const text = set.metadata.annotations?.[key];
  return text !== undefined && /^[0-9]+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined;
}

/**
 * The annotations of the set that has the Deployment's template: the Deployment's own, and the next revision. One that
 * has served before remembers which revisions it was.
 */
export function currentSetAnnotations(deployment: Deployment, before: Annotations, nextRevision: number): Annotations {
  const annotations: Record<string, string> = { ...before };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!NOT_SHARED.has(key)) annotations[key] = value;
  const known = before[REVISION];
  const revision = parseInteger(known ?? "0");
  // As Kubernetes: a set with a revision that makes no sense keeps it.
  if (revision === undefined || revision >= nextRevision) return annotations;
  annotations[REVISION] = String(nextRevision);
  if (known !== undefined) annotations[REVISION_HISTORY] = historyWith(before[REVISION_HISTORY] ?? "", known);
  return annotations;
}

/** The list with one revision more; the oldest make room when it gets too long. */
function historyWith(history: string, revision: string): string {
  if (history === "") return revision;
  const revisions = history.split(",");
  let length = history.length + revision.length + 1;
  while (length > LONGEST_HISTORY && revisions.length > 0) length -= (revisions.shift() ?? "").length + 1;
  return [...revisions, revision].join(",");
}

/** The annotations of a Deployment that goes back to a set: the set's, but for what they do not share. */
export function annotationsAfterRollback(deployment: Deployment, set: ReplicaSet): Annotations {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => NOT_SHARED.has(key));
  const taken = Object.entries(set.metadata.annotations ?? {}).filter(([key]) => !NOT_SHARED.has(key));
  return Object.fromEntries([...own, ...taken]);
}

/** The revision that a rollback is asked to, 0 for the last one; undefined when none is asked for. */
export function rollbackOf(deployment: Deployment): number | undefined {
  const text = deployment.metadata.annotations?.[ROLLBACK_TO];
  return text === undefined || text === "" ? undefined : parseInteger(text);
}

function parseInteger(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? Number(text) : undefined;
}
