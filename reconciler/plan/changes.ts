// What lies between two runs of the river, cluster by cluster.
import { equalJson, isObject, type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import type { Writer } from "../../renderers/rendered.ts";
import { onceEach } from "../../runtime/once-each.ts";
import { completeSteps, runSteps, type Steps } from "../../runtime/steps.ts";
import type { Turn } from "../../runtime/turn.ts";
import type { Copy } from "./copy.ts";
import { RUN_MASK } from "./diff/mask.ts";
import { joinPath } from "./field-path.ts";
import { type OverriddenField, overriddenFields, type PolicyOrigin } from "./overridden-fields.ts";
import type { Outcome } from "./river.ts";

export interface FieldChange {
  /** `spec.template.spec.containers[web].image`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** The entry of a kustomization that wrote the new value, when it is not the object's own file. */
  readonly writer?: Writer;
}

export interface ObjectChange {
  readonly cluster: string;
  readonly object: ObjectRef;
  readonly change: "created" | "changed" | "deleted";
  readonly replicasBefore: number | undefined;
  readonly replicasAfter: number | undefined;
  /** For changed objects; values of Secrets are hidden. */
  readonly fields: readonly FieldChange[];
  /** What overrides make of the new copy. */
  readonly overrides: readonly OverriddenField[];
}

const KEYS = new WeakMap<ObjectRef, string>();

/** `refKey` of what changes. Copies that change alike share the name of their object. */
export function changeKey({ object }: { readonly object: ObjectRef }): string {
  let key = KEYS.get(object);
  if (key === undefined) {
    key = refKey(object);
    KEYS.set(object, key);
  }
  return key;
}

export interface ClusterSummary {
  readonly cluster: string;
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  /** Replicas of the objects that change anywhere. */
  readonly replicasBefore: number;
  readonly replicasAfter: number;
}

export interface Plan {
  readonly clusters: readonly ClusterSummary[];
  readonly changes: readonly ObjectChange[];
  /** Replicas that start in another cluster than before. */
  readonly movedReplicas: number;
  /** What would not work, by object. */
  readonly problems: readonly { readonly object: ObjectRef; readonly problem: string }[];
  /** Objects of which nothing is known, and what decides about them. They count nowhere else. */
  readonly unknown: readonly { readonly object: ObjectRef; readonly reason: string }[];
}

type Outcomes = ReadonlyMap<string, Outcome>;

/** Compares two runs. `clusters` names every cluster, so that untouched ones appear too. */
export function comparePlans(
  before: Outcomes,
  after: Outcomes,
  clusters: readonly string[],
  policyOrigin?: PolicyOrigin,
): Plan {
  return completeSteps(compare(before, after, clusters, policyOrigin, undefined));
}

/** As `comparePlans`, resting now and then. */
export async function comparePlansInTurns(
  before: Outcomes,
  after: Outcomes,
  clusters: readonly string[],
  policyOrigin: PolicyOrigin,
  turn: Turn,
): Promise<Plan> {
  return runSteps(compare(before, after, clusters, policyOrigin, turn));
}

/** Without a turn it never rests. */
function* compare(
  allBefore: Outcomes,
  allAfter: Outcomes,
  clusters: readonly string[],
  policyOrigin: PolicyOrigin | undefined,
  turn: Turn | undefined,
): Steps<Plan> {
  const unknown = new Map([...allBefore, ...allAfter].filter(([, outcome]) => outcome.unknown !== undefined));
  const known = (outcomes: Outcomes): Outcomes => new Map([...outcomes].filter(([key]) => !unknown.has(key)));
  const [before, after] = [known(allBefore), known(allAfter)];
  const changes: ObjectChange[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    if (turn?.isOver === true) yield turn.next();
    for (const change of objectChanges(before.get(key), after.get(key), policyOrigin)) changes.push(change);
  }
  return {
    ...summarize(changes, before, after, clusters),
    changes,
    unknown: [...unknown]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { ref, unknown: reason = "" }]) => ({ object: ref, reason })),
  };
}

function summarize(
  changes: readonly ObjectChange[],
  before: Outcomes,
  after: Outcomes,
  clusters: readonly string[],
): Pick<Plan, "clusters" | "movedReplicas" | "problems"> {
  const known = new Set(
    [...before.values()].flatMap((outcome) => outcome.problems.map((problem) => `${refKey(outcome.ref)} ${problem}`)),
  );
  const touched = new Set(changes.map(changeKey));
  const concerned = (outcomes: Outcomes): ReadonlyMap<string, number> =>
    replicasByCluster([...touched].map((key) => outcomes.get(key)).filter((outcome) => outcome !== undefined));
  const ofCluster = Map.groupBy(changes, ({ cluster }) => cluster);
  const [replicasBefore, replicasAfter] = [concerned(before), concerned(after)];
  return {
    clusters: [...clusters].sort().map((cluster) => ({
      cluster,
      ...countKinds(ofCluster.get(cluster) ?? []),
      replicasBefore: replicasBefore.get(cluster) ?? 0,
      replicasAfter: replicasAfter.get(cluster) ?? 0,
    })),
    movedReplicas: countMoves(changes),
    problems: [...after.values()].flatMap((outcome) =>
      outcome.problems
        .filter((problem) => !known.has(`${refKey(outcome.ref)} ${problem}`))
        .map((problem) => ({ object: outcome.ref, problem })),
    ),
  };
}

function objectChanges(
  before: Outcome | undefined,
  after: Outcome | undefined,
  policyOrigin: PolicyOrigin | undefined,
): ObjectChange[] {
  const old = new Map(before?.copies.map((copy) => [copy.cluster, copy]));
  const fresh = new Map(after?.copies.map((copy) => [copy.cluster, copy]));
  const compared = new ComparedCopies(policyOrigin);
  const changes: ObjectChange[] = [];
  for (const cluster of [...new Set([...old.keys(), ...fresh.keys()])].sort()) {
    const change = copyChange(cluster, old.get(cluster), fresh.get(cluster), compared);
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

/** The copies of one object in many clusters are few different ones: what is said of them is found out once, and shared. */
class ComparedCopies {
  readonly #fields = onceEach((before: KubeObject) => onceEach((after: KubeObject) => fieldChanges(before, after)));
  readonly #refs = onceEach(refOf);
  readonly #overridden: (overrides: Copy["overrides"]) => readonly OverriddenField[];

  constructor(policyOrigin: PolicyOrigin | undefined) {
    this.#overridden = onceEach((overrides) => overriddenFields({ overrides }, policyOrigin));
  }

  ref(manifest: KubeObject): ObjectRef {
    return this.#refs(manifest);
  }

  fields(before: Copy, after: Copy): readonly FieldChange[] {
    return this.#fields(before.manifest)(after.manifest);
  }

  overridden({ overrides }: Copy): readonly OverriddenField[] {
    return this.#overridden(overrides);
  }
}

function copyChange(
  cluster: string,
  old: Copy | undefined,
  fresh: Copy | undefined,
  compared: ComparedCopies,
): ObjectChange | undefined {
  const manifest = fresh?.manifest ?? old?.manifest;
  if (manifest === undefined) return undefined;
  const fields = old === undefined || fresh === undefined ? [] : compared.fields(old, fresh);
  if (old !== undefined && fresh !== undefined && fields.length === 0) return undefined;
  return {
    cluster,
    object: compared.ref(manifest),
    change: old === undefined ? "created" : fresh === undefined ? "deleted" : "changed",
    replicasBefore: old?.replicas,
    replicasAfter: fresh?.replicas,
    fields,
    overrides: fresh === undefined ? [] : compared.overridden(fresh),
  };
}

/** Keys that we write for our own bookkeeping; they change with every revision and say nothing to people. */
export function isBookkeeping(key: string): boolean {
  return key.includes("karmada.io/") || key.startsWith("gitops.flaghoist.io/");
}

/** The fields that differ between two manifests, without our own bookkeeping; what is secret is masked. */
export function fieldChanges(before: KubeObject, after: KubeObject): FieldChange[] {
  const hide = after.kind === "Secret";
  const found: FieldChange[] = [];
  const root = { path: "", old: [], fresh: [] };
  if (equalJson(before, after)) return found;
  walk(root, before, after, ({ path, old: oldKeys, fresh: freshKeys }, old, fresh) => {
    const secret = hide && /^(data|stringData)\b/.test(path);
    found.push({
      path,
      before: secret ? "(hidden)" : RUN_MASK.at(before, oldKeys, old),
      after: secret ? "(hidden, changed)" : RUN_MASK.at(after, freshKeys, fresh),
    });
  });
  return found;
}

/** A field as people read it, and the way to it on either side. */
interface Place {
  readonly path: string;
  readonly old: readonly string[];
  readonly fresh: readonly string[];
}

/** Below two values that differ. */
function walk(
  place: Place,
  before: unknown,
  after: unknown,
  report: (place: Place, before: unknown, after: unknown) => void,
): void {
  const { path } = place;
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if ((path === "metadata.annotations" || path === "metadata.labels") && isBookkeeping(key)) continue;
      if (equalJson(before[key], after[key])) continue;
      const below = { path: joinPath(path, key), old: [...place.old, key], fresh: [...place.fresh, key] };
      walk(below, before[key], after[key], report);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const pairs = pairUp(before, after);
    for (const { label, old, fresh } of pairs) {
      if (equalJson(old, fresh)) continue;
      const keysOf = (keys: readonly string[], list: readonly unknown[], item: unknown): string[] => [
        ...keys,
        String(item === undefined ? label : list.indexOf(item)),
      ];
      const below = {
        path: `${path}[${label}]`,
        old: keysOf(place.old, before, old),
        fresh: keysOf(place.fresh, after, fresh),
      };
      walk(below, old, fresh, report);
    }
    return;
  }
  report(place, before, after);
}

/** Elements with a name are compared by name, others by place. */
function pairUp(
  before: readonly unknown[],
  after: readonly unknown[],
): { label: string; old: unknown; fresh: unknown }[] {
  const nameOf = (item: unknown): string | undefined =>
    isObject(item) && typeof item["name"] === "string" ? item["name"] : undefined;
  if (![...before, ...after].every((item) => nameOf(item) !== undefined)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => ({
      label: String(i),
      old: before[i],
      fresh: after[i],
    }));
  }
  const names = new Set([...before, ...after].map((item) => nameOf(item) ?? ""));
  return [...names].map((name) => ({
    label: name,
    old: before.find((item) => nameOf(item) === name),
    fresh: after.find((item) => nameOf(item) === name),
  }));
}

function countKinds(changes: readonly ObjectChange[]): Record<ObjectChange["change"], number> {
  const counts = { created: 0, changed: 0, deleted: 0 };
  for (const { change } of changes) counts[change]++;
  return counts;
}

function replicasByCluster(outcomes: readonly Outcome[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { copies } of outcomes)
    for (const { cluster, replicas = 0 } of copies) sums.set(cluster, (sums.get(cluster) ?? 0) + replicas);
  return sums;
}

/** Replicas that one cluster loses while another gains as many, counted object by object. */
function countMoves(changes: readonly ObjectChange[]): number {
  const byObject = new Map<string, { gained: number; lost: number }>();
  for (const change of changes) {
    const difference = (change.replicasAfter ?? 0) - (change.replicasBefore ?? 0);
    if (difference === 0) continue;
    const entry = byObject.get(changeKey(change)) ?? { gained: 0, lost: 0 };
    if (difference > 0) entry.gained += difference;
    else entry.lost -= difference;
    byObject.set(changeKey(change), entry);
  }
  return [...byObject.values()].reduce((sum, { gained, lost }) => sum + Math.min(gained, lost), 0);
}
