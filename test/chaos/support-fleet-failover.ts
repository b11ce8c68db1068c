// That `failover: safe` gives clusters up only while most of the fleet answers: watched at every write to a Cluster.
import type { KubeObject } from "../../kube/object.ts";
import { conditionOf } from "./support-fleet-witness.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

/** The greatest share of a fleet that may be given up within `WINDOW_MS`; one cluster always may. */
const MOST = 0.5;
const WINDOW_MS = 600_000;
/** What was told a moment ago need not be known yet to who decides. */
const KNOWN_AFTER_MS = 5_000;
const KEYS = ["cluster.karmada.io/not-ready", "cluster.karmada.io/unreachable"];

/** Remembers since when clusters do not answer, and when they were given up, by the clock of the world. */
export class FailoverWatch {
  readonly #world: ChaosWorld;
  readonly #lostSince = new Map<string, number>();
  readonly #givenUpAt = new Map<string, number>();

  constructor(world: ChaosWorld) {
    this.#world = world;
  }

  /** A Cluster was written. */
  onWrite(cluster: KubeObject, before: KubeObject): void {
    const { name = "" } = cluster.metadata;
    const { now } = this.#world;
    if (conditionOf(cluster, "Ready")?.status === "True") this.#lostSince.delete(name);
    else if (!this.#lostSince.has(name)) this.#lostSince.set(name, now);
    if (isGivenUp(before) && !isGivenUp(cluster)) this.#givenUpAt.delete(name);
    if (isGivenUp(before) || !isGivenUp(cluster)) return;
    this.#givenUpAt.set(name, now);
    this.#judge(name);
  }

  #judge(name: string): void {
    const { now } = this.#world;
    // Clocks that jump make the window another one to who decides.
    if (!this.#world.witness.hasEvenClocks(WINDOW_MS)) return;
    const longGone = [...this.#givenUpAt].filter(([, at]) => at <= now - WINDOW_MS).map(([cluster]) => cluster);
    const counted = this.#world.clusterNames.filter((cluster) => !longGone.includes(cluster));
    const lost = counted.filter((cluster) => (this.#lostSince.get(cluster) ?? now) <= now - KNOWN_AFTER_MS);
    const most = Math.max(1, Math.floor(MOST * counted.length));
    if (lost.length > most)
      this.#world.violate(
        `gave up ${name} while ${lost.length} of ${counted.length} clusters do not answer: ${lost.join(", ")}`,
      );
  }
}

function isGivenUp(cluster: KubeObject): boolean {
  const spec = cluster["spec"] as { taints?: readonly { key: string; effect: string }[] } | undefined;
  return spec?.taints?.some(({ key, effect }) => effect === "NoExecute" && KEYS.includes(key)) === true;
}
