// That nobody loses much in a cluster without a person's word: watched at every deletion that is sent to a member.
import { type App, pathOf } from "./support-fleet-apps.ts";
import { manifestsOf } from "./support-fleet-checks.ts";
import { holdOf } from "./support-fleet-witness.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

/** What is too much in these small clusters. */
export const DELETION_LIMITS = { sharePercent: 20, count: 1, windowMs: 600_000 };

const WORDS_OF_PEOPLE = "gitops.flaghoist.io/confirm-deletions";
const WORDS_OF_LOOPS = "gitops.flaghoist.io/deletion-confirmed";
/** A deletion that was allowed may be on its way still when others are held. */
const ON_ITS_WAY_MS = 5_000;

interface Loss {
  readonly atMs: number;
  readonly what: string;
}

/** Counts what is deleted of apps that are gone, in a world with limits. */
export class DeletionWatch {
  readonly #world: ChaosWorld;
  readonly #losses = new Map<string, Loss[]>();
  #instance = "";

  constructor(world: ChaosWorld) {
    this.#world = world;
  }

  /** Before a request that deletes a copy of an app that nobody wants any more. */
  onDelete(instance: string, cluster: string, app: App): void {
    const { kind } = app;
    const path = pathOf(app);
    const world = this.#world;
    const { state } = world.plane.store;
    const object = state.get({ resource: "cluster.karmada.io/clusters", namespace: "", name: cluster })?.object;
    const works = state.list("work.karmada.io/works", `karmada-es-${cluster}`).map((stored) => stored.object);
    const work = works.find((each) =>
      manifestsOf(each).some((one) => one.kind === kind && pathOf(one.metadata) === path),
    );
    // Without a Work it is left over, and goes by the word of people alone.
    if (object === undefined || work === undefined || work.metadata.annotations?.[WORDS_OF_LOOPS] !== undefined) return;
    // How much went before is known to the process that did it, as long as its clock goes on evenly.
    if (instance !== this.#instance) this.#losses.clear();
    this.#instance = instance;
    if (!world.witness.hasEvenClocks(DELETION_LIMITS.windowMs)) return;
    const hold = holdOf(object);
    const now = world.fleet.clock.now();
    const word = Date.parse(object.metadata.annotations?.[WORDS_OF_PEOPLE] ?? "");
    if (hold?.status === "True") {
      const since = Date.parse(hold.lastTransitionTime);
      if (word >= since) {
        this.#losses.delete(cluster);
        return;
      }
      if (now - since > ON_ITS_WAY_MS) world.violate(`DELETE of ${kind} ${path} in ${cluster} while that is held`);
    }
    const { sharePercent, count, windowMs } = DELETION_LIMITS;
    const what = `${kind} ${path}`;
    const before = (this.#losses.get(cluster) ?? []).filter(
      (loss) => loss.atMs > now - windowMs && loss.what !== what && loss.atMs > (Number.isNaN(word) ? 0 : word),
    );
    const losses = [...before, { atMs: now, what }];
    this.#losses.set(cluster, losses);
    const had = works.length + before.length;
    if (losses.length > count && losses.length * 100 > had * sharePercent)
      world.violate(`${losses.length} of ${had} objects of ${cluster} were deleted without a word`);
  }
}
