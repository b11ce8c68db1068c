// That a new version goes to the first cluster before the others: watched at every write to a member.
import type { KubeObject } from "../../kube/object.ts";
import { type App, versionOf } from "./support-fleet-apps.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

/** So long a first cluster that does not answer may be waited for, and what it said before may count. */
const UNSURE_MS = 90_000;

/** Remembers which versions of staged apps were sent where. */
export class RolloutWatch {
  readonly #world: ChaosWorld;
  /** `app cluster version`. */
  readonly #sent = new Set<string>();
  /** By cluster: when it was seen not ready the last time. */
  readonly #unready = new Map<string, number>();
  /** By app: when it was placed without its first cluster the last time, as when that cannot take the kind. */
  readonly #without = new Map<string, number>();
  /** By app: when its clusters or policies changed, and the version that it had then. */
  readonly #placed = new Map<string, number>();

  constructor(world: ChaosWorld) {
    this.#world = world;
  }

  /** The app is placed anew: what it has now may go everywhere at once. */
  placedAnew(app: App): void {
    this.#placed.set(app.name, app.version);
  }

  /** To be called now and then. */
  look(): void {
    for (const { object } of this.#world.plane.store.state.list("cluster.karmada.io/clusters"))
      if (!isReady(object)) this.#unready.set(object.metadata.name ?? "", this.#world.now);
    for (const app of this.#world.apps) if (app.isStaged) this.#lookAt(app);
  }

  /** Waves are of the clusters that an object is placed on, and of no others. */
  #lookAt(app: App): void {
    const { state } = this.#world.plane.store;
    const name = `${app.name}-${app.kind.toLowerCase()}`;
    const id = { resource: "work.karmada.io/resourcebindings", namespace: app.namespace ?? "", name };
    const spec = state.get(id)?.object["spec"] as { clusters?: { name: string }[] } | undefined;
    const [first] = app.clusters;
    if (spec?.clusters?.some((target) => target.name === first) === false) this.#without.set(app.name, this.#world.now);
  }

  /** Before a version of a staged app is sent to a cluster. */
  onApply(app: App, cluster: string, manifest: unknown): void {
    const version = versionOf(manifest as KubeObject);
    const key = (name: string): string => `${app.name} ${name} ${version}`;
    if (version === 0 || this.#sent.has(key(cluster))) return;
    this.#sent.add(key(cluster));
    const [first] = app.clusters;
    const isFresh = version <= (this.#placed.get(app.name) ?? 1) || this.#world.copyOf(app, cluster) === undefined;
    if (first === undefined || cluster === first || isFresh || version !== app.version) return;
    if (this.#sent.has(key(first)) || this.#world.copyOf(app, first) === undefined) return;
    this.#lookAt(app);
    const lastAway = Math.max(this.#unready.get(first) ?? -UNSURE_MS, this.#without.get(app.name) ?? -UNSURE_MS);
    if (this.#world.now - lastAway < UNSURE_MS) return;
    this.#world.violate(`v${version} of ${app.name} goes to ${cluster} before its first cluster ${first} has it`);
  }
}

function isReady(cluster: KubeObject): boolean {
  const status = cluster["status"] as { conditions?: { type: string; status: string }[] } | undefined;
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}
