// What a script of the workloads suite is: steps that somebody takes in a cluster, with a rest after each.
import type { PatchType } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";

/** An object of the script's namespace, or of the cluster. */
export interface ScriptRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** One of the cluster's nodes: its place in the order of names, or the one that runs the first Pod with these labels. */
export type NodeChoice = number | { readonly runs: string };

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** One thing that a person, or a client of theirs, does. */
export type Act =
  | { readonly do: "create"; readonly object: KubeObject }
  | {
      readonly do: "patch";
      readonly object: ScriptRef;
      readonly patch: unknown;
      readonly type?: PatchType;
      readonly subresource?: "status" | "scale";
    }
  | {
      readonly do: "delete";
      readonly object: ScriptRef;
      readonly propagation?: "Background" | "Foreground" | "Orphan";
    }
  /** Deletes Pods with these labels, the oldest first. */
  | { readonly do: "delete-pods"; readonly labels: string; readonly count: number; readonly graceSeconds?: number }
  /** Asks once for the eviction of each of the `count` oldest Pods with these labels. */
  | { readonly do: "evict"; readonly labels: string; readonly count: number }
  /** What `kubectl rollout undo` does to a Deployment. Revision 0 is the one before. */
  | { readonly do: "roll-back"; readonly deployment: string; readonly toRevision: number }
  /** What `kubectl drain --ignore-daemonsets` does: cordons, and evicts again and again until the Pods are gone. */
  | { readonly do: "drain"; readonly node: NodeChoice; readonly withinMs: number }
  | { readonly do: "cordon" | "uncordon"; readonly node: NodeChoice }
  | { readonly do: "taint" | "untaint"; readonly node: NodeChoice; readonly taint: Taint }
  | { readonly do: "label-node"; readonly node: NodeChoice; readonly labels: Readonly<Record<string, string | null>> }
  | {
      readonly do: "add-node";
      readonly name: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly taints?: readonly Taint[];
      readonly cpu?: string;
    }
  | { readonly do: "remove-node"; readonly name: string }
  /** Lets time pass in the middle of a step. */
  | { readonly do: "wait"; readonly ms: number }
  /** Waits until the clock shows so many seconds past a full minute. */
  | { readonly do: "wait-for-second"; readonly second: number };

export interface Step {
  /** What is done, for readers. */
  readonly name: string;
  readonly acts: readonly Act[];
  /** The rest lasts at least this long; else until nothing has changed for `QUIET_MS`. */
  readonly restMs?: number;
}

export interface Script {
  /** `deployment/rolling-update`. */
  readonly id: string;
  /** It changes nodes or other things of the whole cluster, so nothing else may be played beside it. */
  readonly wholeCluster?: boolean;
  readonly steps: readonly Step[];
}

/** A rest ends when nothing has changed for this long: more than a container takes to start, and to stop. */
export const QUIET_MS = 2_000;
/** From being placed to being ready, for every Pod. */
export const READY_AFTER_MS = 800;
/** How long containers of Jobs run. */
export const JOB_RUNS_MS = 800;
/** From the request to delete a running Pod until it is gone. */
export const STOPS_AFTER_MS = 300;
/** Nodes of the cluster at the beginning of a script. */
export const NODES = 3;
