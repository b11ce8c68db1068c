// How fast nodes of a zone may be given up: the more of them are silent, the likelier it is the network's fault.
import type { KubeObject } from "../../../kube/object.ts";
import { readinessOf } from "./node-conditions.ts";

/** Kubernetes' defaults. */
const EVICTIONS_PER_SECOND = 0.1;
const REDUCED_EVICTIONS_PER_SECOND = 0.01;
const LARGE_ZONE = 50;
const UNHEALTHY_SHARE = 0.55;

type ZoneState = "Normal" | "PartialDisruption" | "FullDisruption";

interface Member {
  readonly zone: string;
  readonly isReady: boolean;
  readonly counts: boolean;
}

/** How many nodes of each zone are silent, and how fast they may be given up. */
export class ZoneDisruption {
  readonly #nodes = new Map<string, Member>();
  /** When the next node of a zone may be given up. */
  readonly #nextMs = new Map<string, number>();

  /** Takes note of a node; answers whether that changes how zones are treated. */
  note(node: KubeObject): boolean {
    const labels = node.metadata.labels ?? {};
    const counts = labels["node.kubernetes.io/exclude-disruption"] === undefined;
    const member = { zone: zoneOf(labels), isReady: readinessOf(node) === "True", counts };
    const name = node.metadata.name ?? "";
    const known = this.#nodes.get(name);
    if (known?.zone === member.zone && known.isReady === member.isReady && known.counts === counts) return false;
    return this.#change(() => this.#nodes.set(name, member));
  }

  forget(name: string): boolean {
    return this.#nodes.has(name) && this.#change(() => this.#nodes.delete(name));
  }

  /** Whether no node is ready anywhere: then it is the control plane that is cut off, and nobody is given up. */
  get isEverythingDown(): boolean {
    const states = [...this.#states().values()];
    return states.length > 0 && states.every((state) => state === "FullDisruption");
  }

  /** How long the node has to wait until it may be given up; undefined: until something changes. */
  waitMs(name: string, nowMs: number): number | undefined {
    const zone = this.#nodes.get(name)?.zone;
    if (zone === undefined || this.isEverythingDown || this.#rateOf(zone) === 0) return undefined;
    return Math.max(0, (this.#nextMs.get(zone) ?? 0) - nowMs);
  }

  /** A node is being given up. */
  spend(name: string, nowMs: number): void {
    const zone = this.#nodes.get(name)?.zone;
    if (zone !== undefined) this.#nextMs.set(zone, nowMs + 1000 / this.#rateOf(zone));
  }

  /** Nodes that are not ready. */
  unready(): string[] {
    return [...this.#nodes].filter(([, { isReady }]) => !isReady).map(([name]) => name);
  }

  #change(apply: () => void): boolean {
    const before = this.#summary();
    apply();
    return this.#summary() !== before;
  }

  #summary(): string {
    return JSON.stringify([...this.#states()].sort());
  }

  #rateOf(zone: string): number {
    if (this.#states().get(zone) !== "PartialDisruption") return EVICTIONS_PER_SECOND;
    const size = [...this.#nodes.values()].filter((each) => each.zone === zone && each.counts).length;
    return size > LARGE_ZONE ? REDUCED_EVICTIONS_PER_SECOND : 0;
  }

  #states(): ReadonlyMap<string, ZoneState> {
    const zones = new Map<string, { ready: number; unready: number }>();
    for (const { zone, isReady, counts } of this.#nodes.values()) {
      if (!counts) continue;
      const count = zones.get(zone) ?? { ready: 0, unready: 0 };
      zones.set(zone, count);
      count[isReady ? "ready" : "unready"]++;
    }
    return new Map([...zones].map(([zone, { ready, unready }]) => [zone, stateOf(ready, unready)]));
  }
}

/** The state of a zone by how many of its nodes are ready. */
function stateOf(ready: number, unready: number): ZoneState {
  if (ready === 0 && unready > 0) return "FullDisruption";
  return unready > 2 && unready / (ready + unready) >= UNHEALTHY_SHARE ? "PartialDisruption" : "Normal";
}

function zoneOf(labels: Readonly<Record<string, string>>): string {
  return `${labels["topology.kubernetes.io/region"] ?? ""}\0${labels["topology.kubernetes.io/zone"] ?? ""}`;
}
