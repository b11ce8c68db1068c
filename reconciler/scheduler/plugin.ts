// The interface of scheduling plugins: ES modules that `plugins.modules` of a SchedulerConfiguration names. Types, and nothing that runs.
//
// A module exports `apiVersion` and at least one of `filter` and `score`, with the types of `SchedulerPlugin`. It runs in
// a thread of its own. Its answers are kept for as long as the cluster stays as the plugin sees it, so they may depend on
// nothing but the arguments.

import type { Placement } from "../../api/policy.ts";

/** What a module exports as `apiVersion`. */
export const PLUGIN_API_VERSION = "scheduler.flaghoist.io/v1alpha1";

/** A cluster as plugins see it. What it does not say is empty, never absent. */
export interface PluginCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly region: string;
  readonly provider: string;
  readonly zones: readonly string[];
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly kubernetesVersion: string;
  /** Quantities by resource, as the cluster writes them: `{ cpu: "3500m" }`. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly allocated: Readonly<Record<string, string>>;
}

/** What is placed. */
export interface PluginRequest {
  /** The kind; all objects of a kind with one placement get the same answers. */
  readonly resource: { readonly apiVersion: string; readonly kind: string };
  readonly placement: Placement;
  /** `args` of the configuration. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** Nothing or true: the cluster fits. False, or a text that says why: it does not. */
export type FilterAnswer = undefined | boolean | string;

/** What a module exports. A call that throws, or takes longer than `timeout`, makes the binding wait with its placement as it is. */
export interface SchedulerPlugin {
  readonly apiVersion: typeof PLUGIN_API_VERSION;
  /** Whether objects of this kind and placement may go to the cluster, or stay there. */
  filter?(cluster: PluginCluster, request: PluginRequest): FilterAnswer | Promise<FilterAnswer>;
  /** From 0 to 100, the higher the sooner the cluster is used. */
  score?(cluster: PluginCluster, request: PluginRequest): number | Promise<number>;
}
