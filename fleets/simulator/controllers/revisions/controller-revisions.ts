// ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, which `kubectl rollout undo` goes back to.
import { encodeSafe, fnv1Of32 } from "../../../../kube/hash.ts";
import { sortKeys, stringifyJson } from "../../../../kube/json.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { controllerRef } from "../controller-refs.ts";
import { podTemplateOf } from "../pod-template.ts";

/** Names the revision that a Pod was made from; of DaemonSets' revisions, their hash. */
export const REVISION_LABEL = "controller-revision-hash";
/** The hash of a StatefulSet's revision. */
const HASH_LABEL = "controller.kubernetes.io/hash";
/** What is left of the owner's name when the hash comes behind it. */
const LONGEST_PREFIX = 223;

export interface ControllerRevision extends KubeObject {
  /** Counted up from 1; a template that comes back gets the next number. */
  readonly revision: number;
  /** A strategic merge patch that brings the owner back to this revision. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The patch that brings a workload back to the pod template that it has now. */
export function templatePatch(workload: KubeObject): Record<string, unknown> {
  return { spec: { template: { ...podTemplateOf(workload), $patch: "replace" } } };
}

const TEXTS = new WeakMap<object, string>();

/** A patch as Go prints it, which is what hashes and comparisons are of. */
function textOf(data: Readonly<Record<string, unknown>>): string {
  const known = TEXTS.get(data);
  if (known !== undefined) return known;
  const text = stringifyJson(sortKeys(data)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  TEXTS.set(data, text);
  return text;
}

/** Whether two patches lead to the same template. */
export function isSameData(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return a === b || textOf(a) === textOf(b) || textOf(modernData(a)) === textOf(modernData(b));
}

/** Servers before 1.34 wrote a creation time of null into each template: it means nothing. */
function modernData(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const spec = isObject(data["spec"]) ? data["spec"] : {};
  const template = isObject(spec["template"]) ? spec["template"] : {};
  const metadata = isObject(template["metadata"]) ? template["metadata"] : {};
  if (metadata["creationTimestamp"] !== null) return data;
  const { creationTimestamp: _, ...others } = metadata;
  return { ...data, spec: { ...spec, template: { ...template, metadata: others } } };
}

/** The hash of a patch, told apart from another one's by the number of collisions so far. */
export function hashOfData(data: Readonly<Record<string, unknown>>, collisionCount: number | undefined): string {
  return encodeSafe(String(fnv1Of32(`${textOf(data)}${collisionCount ?? ""}`)));
}

/** The name of the revision with that hash. */
export function revisionName(owner: KubeObject, hash: string): string {
  return `${(owner.metadata.name ?? "").slice(0, LONGEST_PREFIX)}-${hash}`;
}

/** A StatefulSet's revision of its present template, not yet created. */
export function newStatefulSetRevision(set: KubeObject, revision: number, collisionCount: number): ControllerRevision {
  const data = templatePatch(set);
  const hash = hashOfData(data, collisionCount);
  return newRevision(set, revisionName(set, hash), { [HASH_LABEL]: hash }, data, revision);
}

/** A DaemonSet's revision of its present template, not yet created. */
export function newDaemonSetRevision(
  set: KubeObject,
  revision: number,
  collisionCount: number | undefined,
): ControllerRevision {
  const data = templatePatch(set);
  // As Kubernetes: the hash is the value of a label, not a name.
  const hash = hashOfData(data, collisionCount);
  return newRevision(set, `${set.metadata.name ?? ""}-${hash}`, { [REVISION_LABEL]: hash }, data, revision);
}

function newRevision(
  set: KubeObject,
  name: string,
  labels: Readonly<Record<string, string>>,
  data: ControllerRevision["data"],
  revision: number,
): ControllerRevision {
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name,
      namespace: set.metadata.namespace ?? "",
      labels: { ...podTemplateOf(set).metadata?.labels, ...labels },
      ...(set.metadata.annotations === undefined ? {} : { annotations: { ...set.metadata.annotations } }),
      ownerReferences: [controllerRef(set)],
    },
    data,
    revision,
  };
}

/** Oldest revision first; of equal numbers, the one that was created first. */
export function sortRevisions(revisions: readonly KubeObject[]): ControllerRevision[] {
  // Every ControllerRevision has these fields: the server demands them.
  return (revisions as ControllerRevision[]).toSorted(
    (a, b) =>
      a.revision - b.revision ||
      Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") ||
      ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1),
  );
}

/** A workload as it would be with the template of a revision. */
export function applyRevision(workload: KubeObject, revision: ControllerRevision): KubeObject {
  const spec = isObject(workload["spec"]) ? workload["spec"] : {};
  const saved = isObject(revision.data["spec"]) ? revision.data["spec"] : {};
  const { $patch: _, ...template } = isObject(saved["template"]) ? saved["template"] : {};
  return { ...workload, spec: { ...spec, template } };
}

type RevisionChoice =
  /** The template is that of the last revision. */
  | { readonly do: "keep"; readonly revision: ControllerRevision }
  /** It is that of an earlier one, which becomes the last. */
  | { readonly do: "raise"; readonly revision: ControllerRevision; readonly to: number }
  | { readonly do: "create"; readonly revision: ControllerRevision };

/** Which revision the present template of a StatefulSet is, of those it has had (sorted). */
export function chooseStatefulSetRevision(
  set: KubeObject,
  revisions: readonly ControllerRevision[],
  collisionCount: number,
): RevisionChoice {
  const last = revisions.at(-1);
  const draft = newStatefulSetRevision(set, (last?.revision ?? 0) + 1, collisionCount);
  const equal = revisions.findLast((revision) => isSameData(revision.data, draft.data));
  if (last === undefined || equal === undefined) return { do: "create", revision: draft };
  if (isSameData(last.data, equal.data)) return { do: "keep", revision: last };
  return { do: "raise", revision: equal, to: draft.revision };
}

/** Revisions that nobody needs any more, oldest first: what is neither live nor among the `limit` last of the others. */
export function surplusRevisions(
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  if (limit < 0) return [];
  const history = revisions.filter((revision) => !isLive(revision));
  return history.slice(0, Math.max(0, history.length - limit));
}
