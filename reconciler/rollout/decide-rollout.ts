// Which revision each cluster of an object is to have now.
import { formatDuration } from "../../runtime/duration.ts";

import { type ClusterRollout, type RolloutPhase, type RolloutState, UNKNOWN_REVISION } from "./rollout-state.ts";
import { countOf, type RolloutSettings } from "./settings.ts";

/** What a copy shows of the revision that its cluster is to have; `pending` while it shows nothing of it yet. */
export type CopyState = "pending" | "healthy" | "unhealthy" | "failed";

/** One cluster of the object, as it is seen. */
export interface ClusterView {
  readonly name: string;
  /** Index of its wave. */
  readonly wave: number;
  /** Since when the cluster is not ready; undefined while it is, and what its copies show can be believed. */
  readonly unavailableSince?: number | undefined;
  readonly copy: CopyState;
  /** Why the copy is not healthy. */
  readonly message?: string | undefined;
  /** Revision of the Work that is there; `unknown` for one that nobody recorded; undefined without a Work. */
  readonly present?: string | undefined;
  /** Whether the wanted revision comes out in this cluster exactly as the one that it has. */
  readonly sameAsTarget?: boolean;
}

export interface RolloutInput {
  readonly settings: RolloutSettings;
  /** The revision that the template and its overrides make now. */
  readonly revision: string;
  /** Undefined when nothing is recorded. */
  readonly previous: RolloutState | undefined;
  readonly clusters: readonly ClusterView[];
  /** What people ask for, beyond `settings.paused`. */
  readonly controls: RolloutControls;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface RolloutControls {
  readonly paused: boolean;
  /** The revision that is not to be rolled out. */
  readonly abort?: string | undefined;
  /** Each new value tries once more. */
  readonly retry?: string | undefined;
}

export interface RolloutDecision {
  /** What is to be recorded. Clusters that have no entry get nothing yet. */
  readonly state: RolloutState;
  /** Whether the target is held back by `abort`. */
  readonly aborted: boolean;
  /** Index of the first wave that is not finished; undefined when none is left, or waves do not count now. */
  readonly wave: number | undefined;
  /** Clusters that hold up no wave because they are not ready for too long. */
  readonly skipped: readonly string[];
  /** When to decide again although nothing changed. */
  readonly nextAt: number | undefined;
}

interface Draft {
  readonly input: RolloutInput;
  readonly target: string;
  stable: string | undefined;
  failure: Readonly<Record<string, string>> | undefined;
  readonly records: Map<string, ClusterRollout>;
  readonly paused: boolean;
  readonly wakes: number[];
  wave: number | undefined;
  readonly skipped: Set<string>;
}

/**
 * Decides from the present state alone; deciding again with nothing changed changes nothing. A revision counts as healthy
 * in a cluster only by what is seen there, without a break for as long as its wave asks.
 */
export function decideRollout(input: RolloutInput): RolloutDecision {
  const { settings, previous, controls, now } = input;
  const isNew = previous !== undefined && previous.target !== input.revision;
  const isRetried = controls.retry !== undefined && controls.retry !== previous?.retried;
  const paused = settings.paused || controls.paused;
  const draft: Draft = {
    input,
    target: input.revision,
    stable: previous === undefined ? stableOf(input) : previous.stable,
    failure: isNew || isRetried ? undefined : previous?.failure,
    records: recordsOf(input, paused),
    paused,
    wakes: [],
    wave: undefined,
    skipped: new Set(),
  };
  if (isRetried) forgetFailures(draft);
  for (const view of input.clusters) observe(draft, view);
  const aborted = controls.abort === draft.target && draft.target !== draft.stable;
  if (!aborted) judge(draft);
  const phase = move(draft, aborted);
  const retried = controls.retry ?? previous?.retried;
  return {
    state: {
      target: draft.target,
      ...(draft.stable === undefined ? {} : { stable: draft.stable }),
      phase,
      startedAt: previous === undefined || isNew ? now : previous.startedAt,
      ...(draft.failure === undefined ? {} : { failure: draft.failure }),
      ...(retried === undefined ? {} : { retried }),
      ...(paused ? { pausedAt: previous?.pausedAt ?? now } : {}),
      clusters: Object.fromEntries([...draft.records].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
    aborted,
    wave: draft.wave,
    skipped: [...draft.skipped].sort(),
    nextAt: draft.wakes.length === 0 ? undefined : Math.min(...draft.wakes),
  };
}

/** Without a record, what most clusters have is taken to be well. */
function stableOf({ clusters, revision }: RolloutInput): string | undefined {
  const counts = new Map<string, number>();
  for (const { present } of clusters) if (present !== undefined) counts.set(present, (counts.get(present) ?? 0) + 1);
  if (counts.size === 1 && counts.has(revision)) return revision;
  counts.delete(revision);
  counts.delete(UNKNOWN_REVISION);
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first?.[0];
}

/** Records of the clusters that the object has now. While nothing moved on purpose, no deadline ran. */
function recordsOf({ previous, clusters, now, revision }: RolloutInput, paused: boolean): Map<string, ClusterRollout> {
  const pause = !paused && previous?.pausedAt !== undefined ? Math.max(0, now - previous.pausedAt) : 0;
  const records = new Map<string, ClusterRollout>();
  for (const { name, present } of clusters) {
    const known = previous === undefined ? undefined : recordOf(previous, name);
    if (known !== undefined)
      records.set(name, known.since === undefined ? known : { ...known, since: Math.min(now, known.since + pause) });
    else if (present !== undefined)
      records.set(name, { revision: present, ...(present === revision ? { since: now } : { done: true }) });
  }
  return records;
}

/** Names of clusters are no names of properties that every object has. */
function recordOf(state: RolloutState, name: string): ClusterRollout | undefined {
  return Object.hasOwn(state.clusters, name) ? state.clusters[name] : undefined;
}

function forgetFailures({ records, input: { now } }: Draft): void {
  for (const [name, { failed, ...record }] of records)
    if (failed !== undefined) records.set(name, { ...record, since: now });
}

/** Takes up what a cluster shows of the revision that it is to have. */
function observe(draft: Draft, view: ClusterView): void {
  const { settings, now } = draft.input;
  const record = draft.records.get(view.name);
  if (record === undefined) return;
  const isProven = record.revision === draft.stable;
  const isTarget = record.revision === draft.target;
  // What has been proven is no longer watched here; what was superseded is judged no more.
  if ((!isTarget && !isProven) || (isProven && record.done)) return;
  const { since = now, healthySince, done, failed } = record;
  const isAway = view.unavailableSince !== undefined;
  // It has shown what it was asked for, or somebody else has; that it is away is no matter of the revision.
  if ((done || isProven) && isAway) return;
  const seen = isAway ? "unhealthy" : view.copy;
  if (seen === "healthy" || (seen === "pending" && healthySince !== undefined)) {
    const start = healthySince ?? now;
    const soakMs = isProven ? 0 : (settings.waves[view.wave]?.minSuccessMs ?? 0);
    if (done || (seen === "healthy" && now - start >= soakMs)) {
      draft.records.set(view.name, { revision: record.revision, done: true });
      return;
    }
    // The clock was set back: the time that was seen counts from now on.
    draft.records.set(view.name, { ...record, healthySince: Math.min(start, now) });
    draft.wakes.push(Math.min(start, now) + soakMs);
    return;
  }
  if (done && seen === "pending") return;
  // It fell ill: it has as long as at first to become healthy again.
  const ill = healthySince !== undefined || (done && record.since === undefined) ? now : Math.min(since, now);
  const { healthySince: _healthy, ...kept } = record;
  if (failed === undefined && !draft.paused) {
    const deadline = ill + settings.progressDeadlineMs;
    if (seen === "failed" || now >= deadline) {
      const { done: _done, ...rest } = kept;
      draft.records.set(view.name, { ...rest, since: ill, failed: whyFailed(view, settings, seen) });
      return;
    }
    if (Number.isFinite(deadline)) draft.wakes.push(deadline);
  }
  draft.records.set(view.name, { ...kept, since: ill });
}

function whyFailed(view: ClusterView, { progressDeadlineMs }: RolloutSettings, seen: CopyState): string {
  const why = view.unavailableSince === undefined ? view.message : "the cluster is not ready";
  if (seen === "failed") return why ?? "failed";
  return `not healthy within ${formatDuration(progressDeadlineMs)}${why === undefined ? "" : `: ${why}`}`;
}

/** Whether so many clusters failed that the whole rollout has. */
function judge(draft: Draft): void {
  const { settings, clusters } = draft.input;
  if (draft.target === draft.stable || draft.paused || draft.failure !== undefined) return;
  const failed = [...draft.records].filter(([, record]) => isFailed(record, draft.target));
  if (failed.length > countOf(settings.maxFailures, clusters.length))
    draft.failure = Object.fromEntries(failed.map(([name, record]) => [name, record.failed ?? ""]));
}

function isFailed(record: ClusterRollout | undefined, target: string): boolean {
  return record?.revision === target && record.failed !== undefined;
}

/** Tells clusters what they are to have from now on. */
function move(draft: Draft, aborted: boolean): RolloutPhase {
  const { target, stable, input } = draft;
  if (target === stable) return settle(draft, target) ? "Complete" : "Progressing";
  if (aborted || draft.failure !== undefined) {
    const returns = stable !== undefined && (aborted || input.settings.returns);
    if (returns) return settle(draft, stable) ? "Returned" : "Returning";
    giveToNew(draft);
    return "Stopped";
  }
  if (!draft.paused) {
    const finished = advance(draft);
    const proven = [...draft.records.values()].some((record) => record.revision === target && record.done);
    if (finished && proven) {
      draft.stable = target;
      settle(draft, target);
      return "Complete";
    }
  }
  retreat(draft);
  giveToNew(draft);
  return draft.paused ? "Paused" : "Progressing";
}

/** Gives `revision`, which is known to be good, to every cluster at once. Answers whether nothing is left to wait for. */
function settle(draft: Draft, revision: string): boolean {
  const { clusters, now, settings } = draft.input;
  let settled = true;
  for (const view of clusters) {
    let record = draft.records.get(view.name);
    // What nobody has touched stays as it was when that is not what everybody is to have.
    const untouched = record?.revision === UNKNOWN_REVISION && revision !== draft.target;
    if (!untouched && record?.revision !== revision) {
      record = { revision, since: now };
      draft.records.set(view.name, record);
      if (Number.isFinite(settings.progressDeadlineMs)) draft.wakes.push(now + settings.progressDeadlineMs);
    }
    if (record?.done || record?.failed !== undefined || isSkipped(draft, view)) continue;
    settled = false;
  }
  return settled;
}

/** Lets as many clusters begin as may, wave by wave. Answers whether every wave is finished. */
function advance(draft: Draft): boolean {
  const { clusters, settings, now } = draft.input;
  const { records, target } = draft;
  for (const { name, sameAsTarget } of clusters) {
    const record = records.get(name);
    if (sameAsTarget && record?.done && record.revision !== target) records.set(name, { revision: target, done: true });
  }
  const isDone = (record: ClusterRollout | undefined): boolean => record?.revision === target && record.done === true;
  const inProgress = (views: readonly ClusterView[]): number =>
    views.filter(({ name }) => isInProgress(records.get(name), target)).length;
  const proven = [...records.values()].some(isDone);
  let passedUnproven = false;
  const total = limitOf(settings.maxConcurrency, clusters.length);
  for (const [index, wave] of settings.waves.entries()) {
    const members = clusters.filter((view) => view.wave === index);
    const room = (): boolean =>
      inProgress(members) < limitOf(wave.maxConcurrency, members.length) &&
      inProgress(clusters) < (passedUnproven && !proven ? 1 : total);
    let finished = true;
    for (const view of [...members].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const record = records.get(view.name);
      if (isDone(record) || isFailed(record, target)) continue;
      if (record?.revision !== target) {
        if (isSkipped(draft, view)) continue;
        if (view.unavailableSince === undefined && room()) begin(draft, view.name, now);
      }
      finished = false;
    }
    if (!finished) {
      draft.wave = index;
      return false;
    }
    // Also one that nobody belongs to any more: its clusters may be lost because of this very revision.
    if (!members.some(({ name }) => isDone(records.get(name)))) passedUnproven = true;
  }
  return true;
}

function begin(draft: Draft, name: string, now: number): void {
  draft.records.set(name, { revision: draft.target, since: now });
  const deadline = now + draft.input.settings.progressDeadlineMs;
  if (Number.isFinite(deadline)) draft.wakes.push(deadline);
}

/** On the way to a revision that is not proven: neither done with it nor failed. */
export function isInProgress(record: ClusterRollout | undefined, target: string): boolean {
  return record?.revision === target && !record.done && record.failed === undefined;
}

function limitOf(value: number | string | undefined, total: number): number {
  return value === undefined ? Number.POSITIVE_INFINITY : Math.max(1, countOf(value, total));
}

/** Whether nobody waits for the cluster any more. */
function isSkipped(draft: Draft, { name, unavailableSince }: ClusterView): boolean {
  if (unavailableSince === undefined) return false;
  const at = unavailableSince + draft.input.settings.skipUnavailableMs;
  if (at <= draft.input.now) {
    draft.skipped.add(name);
    return true;
  }
  if (Number.isFinite(at)) draft.wakes.push(at);
  return false;
}

/** A superseded revision that a cluster had not finished is not left there until the next one's turn. */
function retreat({ records, target, stable, input: { now } }: Draft): void {
  if (stable === undefined) return;
  for (const [name, record] of records) {
    const superseded = record.revision !== target && record.revision !== stable && !record.done;
    if (superseded) records.set(name, { revision: stable, since: now });
  }
}

/** Clusters that just joined do not wait for their wave with nothing. */
function giveToNew({ records, stable, input: { clusters, now } }: Draft): void {
  if (stable === undefined) return;
  for (const { name } of clusters) if (!records.has(name)) records.set(name, { revision: stable, since: now });
}
