// What the program and the thread of a plugin tell each other.
import type { PluginCluster, PluginRequest } from "../scheduler/plugin.ts";

/** The thread's `workerData`. */
export interface PluginThreadData {
  /** File of the module. */
  readonly path: string;
  /** What the thread is doing, as Int32 at the places below, so that a call without end is seen from outside. */
  readonly progress: SharedArrayBuffer;
}

/** Counts the calls, each as it begins. */
export const PLACE_OF_COUNT = 0;
/** Index of the cluster in the question. */
export const PLACE_OF_CLUSTER = 1;
/** Index of the call in `CALLS`. */
export const PLACE_OF_CALL = 2;
export const PROGRESS_BYTES = 12;

/** The thread's first message. */
export type PluginReady =
  | { readonly type: "ready"; readonly filters: boolean; readonly scores: boolean }
  | { readonly type: "unusable"; readonly reason: string };

/** Asks about clusters, one after the other. */
export interface PluginQuestion {
  readonly request: PluginRequest;
  readonly clusters: readonly PluginCluster[];
}

export interface PluginAnswer {
  /** Why the cluster is refused; absent when it fits. */
  readonly refusal?: string;
  /** From 0 to 100; absent when the plugin does not score, or refuses. */
  readonly score?: number;
}

export type PluginReply =
  | { readonly type: "answers"; readonly answers: readonly PluginAnswer[] }
  | {
      readonly type: "failed";
      readonly cluster: string;
      readonly call: PluginCall;
      /** What the call threw or answered: `threw TypeError: x is not a function`, `answered NaN, not a number from 0 to 100`. */
      readonly problem: string;
    };

export const CALLS = ["filter", "score"] as const;
export type PluginCall = (typeof CALLS)[number];
