// What was found out about the last Pod that did not fit: its like need not be looked at while nothing changes.
import type { PodFacts } from "./pod-facts.ts";
import type { Plugin } from "./rejection.ts";

/** Why a Pod stays without a node. */
export interface Failure {
  readonly plugins: ReadonlySet<Plugin> | undefined;
  readonly message: string;
  /** Whether a node that was being made free no longer is. */
  readonly clears: boolean;
}

/** Remembers why the last Pod fitted nowhere, for Pods that are like it while nothing changes. */
export class FailureMemory {
  #likeness = "";
  #version = -1;
  #failure: Failure | undefined;

  /** `version`: that of the cache. */
  remember(pod: PodFacts, version: number, failure: Failure): void {
    this.#likeness = likenessOf(pod);
    this.#version = version;
    this.#failure = failure;
  }

  find(pod: PodFacts, version: number): Failure | undefined {
    if (this.#failure === undefined || this.#version !== version) return undefined;
    return this.#likeness === likenessOf(pod) ? this.#failure : undefined;
  }
}

/** The same for Pods that a scheduler cannot tell apart. */
function likenessOf({ object, namespace, labels, nominatedNode }: PodFacts): string {
  const { hostname: _, ...spec } = (object["spec"] ?? {}) as Record<string, unknown>;
  return JSON.stringify([namespace, labels, nominatedNode, spec]);
}
