// What is recorded of a rollout, on the binding of its object: written before anything is sent, so that whoever starts
// again goes on from there.
import { isObject } from "../../kube/object.ts";

/** Ours, on bindings: the state of the rollout as JSON. */
export const ROLLOUT_ANNOTATION = "gitops.flaghoist.io/rollout";
/** Ours, on Works: the revision that the manifest is of. */
export const REVISION_ANNOTATION = "gitops.flaghoist.io/revision";
/** The revision of a copy that was there before anything was recorded, and is not the present one. */
export const UNKNOWN_REVISION = "unknown";

const PHASES = ["Progressing", "Paused", "Complete", "Stopped", "Returning", "Returned"] as const;
export type RolloutPhase = (typeof PHASES)[number];

/** What a cluster is to have. Times are milliseconds since 1970. */
export interface ClusterRollout {
  readonly revision: string;
  /** Since when it is to become healthy: when it was told the revision, or fell ill. */
  readonly since?: number;
  /** Since when it was seen healthy at every look. */
  readonly healthySince?: number;
  /** It was healthy for long enough. */
  readonly done?: true;
  /** Why the revision failed there. */
  readonly failed?: string;
}

export interface RolloutState {
  /** The revision that all clusters are to have in the end. */
  readonly target: string;
  /** The last revision whose rollout was completed. */
  readonly stable?: string;
  readonly phase: RolloutPhase;
  /** When the target became the target. */
  readonly startedAt: number;
  /** Clusters by which the rollout of the target failed, with reasons. */
  readonly failure?: Readonly<Record<string, string>>;
  /** The last value of the retry annotation that was acted on. */
  readonly retried?: string;
  readonly pausedAt?: number;
  readonly clusters: Readonly<Record<string, ClusterRollout>>;
}

const TIMES: ReadonlySet<string> = new Set(["startedAt", "pausedAt", "since", "healthySince"]);

export function formatRolloutState(state: RolloutState): string {
  return JSON.stringify(state, (key, value: unknown) =>
    TIMES.has(key) && typeof value === "number" ? new Date(value).toISOString() : value,
  );
}

/** Undefined for a text that is no such state: somebody wrote something else there. */
export function parseRolloutState(text: string | undefined): RolloutState | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { target, stable, phase, retried, failure, clusters } = value;
  const startedAt = timeOf(value["startedAt"]);
  if (typeof target !== "string" || !isPhase(phase) || startedAt === undefined || !isObject(clusters)) return undefined;
  if (!isTextOrAbsent(stable) || !isTextOrAbsent(retried) || !isTextMapOrAbsent(failure)) return undefined;
  const records: Record<string, ClusterRollout> = Object.create(null) as Record<string, ClusterRollout>;
  for (const [name, record] of Object.entries(clusters)) {
    const read = readRecord(record);
    if (read === undefined) return undefined;
    records[name] = read;
  }
  const pausedAt = timeOf(value["pausedAt"]);
  return {
    target,
    ...(stable === undefined ? {} : { stable }),
    phase,
    startedAt,
    ...(failure === undefined ? {} : { failure }),
    ...(retried === undefined ? {} : { retried }),
    ...(pausedAt === undefined ? {} : { pausedAt }),
    clusters: { ...records },
  };
}

function readRecord(value: unknown): ClusterRollout | undefined {
  if (!isObject(value)) return undefined;
  const { revision, done, failed } = value;
  if (typeof revision !== "string" || !isTextOrAbsent(failed)) return undefined;
  const since = timeOf(value["since"]);
  const healthySince = timeOf(value["healthySince"]);
  return {
    revision,
    ...(since === undefined ? {} : { since }),
    ...(healthySince === undefined ? {} : { healthySince }),
    ...(done === true ? { done } : {}),
    ...(failed === undefined ? {} : { failed }),
  };
}

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function isPhase(value: unknown): value is RolloutPhase {
  return PHASES.some((phase) => phase === value);
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isTextMapOrAbsent(value: unknown): value is Record<string, string> | undefined {
  return value === undefined || (isObject(value) && Object.values(value).every((text) => typeof text === "string"));
}
