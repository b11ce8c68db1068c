// From changes of clusters to the bindings that are to be looked at again.
import { Turn } from "../../../runtime/turn.ts";
import type { BindingIndex } from "../../scheduler/binding-index.ts";
import type { ClusterChange, FleetTrigger, PlacementInUse } from "../../scheduler/fleet-triggers.ts";

/** Asking the time for each binding would cost more than telling of it. */
const KEYS_BETWEEN_LOOKS = 64;

/**
 * Walks over the placements in use after clusters changed, and tells of each binding that a change concerns. Changes that
 * come together are one walk; a long walk lets others have their turn of the event loop.
 */
export class FleetWalk {
  readonly #index: BindingIndex;
  readonly #touch: (key: string) => void;
  readonly #kindOf: (key: string) => string | undefined;
  readonly #triggers: readonly FleetTrigger[];
  #waiting: ClusterChange[] = [];
  #walking: Promise<void> | undefined;
  #stopped = false;

  /** `kindOf` answers the kind that a binding places, as `apps/v1/Deployment`, for triggers that tell kinds apart. */
  constructor(
    index: BindingIndex,
    touch: (key: string) => void,
    triggers: readonly FleetTrigger[],
    kindOf: (key: string) => string | undefined = () => undefined,
  ) {
    this.#index = index;
    this.#touch = touch;
    this.#kindOf = kindOf;
    this.#triggers = triggers;
  }

  /** Takes in a change; one that matters to no trigger costs nothing further. */
  notice(change: ClusterChange): void {
    if (this.#stopped || !this.#triggers.some((trigger) => trigger.matters(change))) return;
    this.#waiting.push(change);
    this.#walking ??= this.#run();
  }

  /** Resolves when everything noticed so far was told. */
  async settled(): Promise<void> {
    await this.#walking;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await this.#walking;
  }

  async #run(): Promise<void> {
    const turn = new Turn();
    // In a later turn, so that changes that come together are asked about together.
    await turn.next();
    while (this.#waiting.length > 0) {
      const changes = this.#waiting;
      this.#waiting = [];
      await this.#walk(changes, turn);
    }
    this.#walking = undefined;
  }

  async #walk(changes: readonly ClusterChange[], turn: Turn): Promise<void> {
    const reasons = this.#triggers.flatMap((trigger) =>
      changes
        .filter((change) => trigger.matters(change))
        .map((change): Reason => ({ trigger, change, kinds: trigger.kinds?.(change) })),
    );
    let count = 0;
    for (const group of this.#index.groups()) {
      if (turn.isOver) await turn.next();
      if (this.#stopped) return;
      const kinds = concernedKinds(group, reasons);
      if (kinds === "none") continue;
      for (const key of group.keys) {
        if (++count % KEYS_BETWEEN_LOOKS === 0 && turn.isOver) await turn.next();
        if (this.#stopped) return;
        if (kinds === "all" || kinds.has(this.#kindOf(key) ?? "")) this.#touch(key);
      }
    }
  }
}

interface Reason {
  readonly trigger: FleetTrigger;
  readonly change: ClusterChange;
  /** Undefined for all kinds. */
  readonly kinds: ReadonlySet<string> | undefined;
}

/** The kinds whose bindings with this placement are to be looked at. */
function concernedKinds(use: PlacementInUse, reasons: readonly Reason[]): ReadonlySet<string> | "all" | "none" {
  const some = new Set<string>();
  for (const { trigger, change, kinds } of reasons) {
    if (!trigger.concerns(use, change)) continue;
    if (kinds === undefined) return "all";
    for (const kind of kinds) some.add(kind);
  }
  return some.size === 0 ? "none" : some;
}
