// From changes of clusters to the bindings that are to be looked at again.
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import type { BindingIndex } from "../../scheduler/binding-index.ts";
import type { ClusterChange, FleetTrigger, PlacementInUse } from "../../scheduler/fleet-triggers.ts";

/** Asking the time for each binding would cost more than telling of it. */
const KEYS_BETWEEN_LOOKS = 64;
/**
 * How long a walk rests for each binding that it told of, and at most: where a hundred clusters change one after the other,
 * each change would have all bindings decided about once more.
 */
const REST_MS_EACH = 1;
const MOST_REST_MS = 1_000;
/** Walks over few bindings cost next to nothing. */
const LEAST_REST_MS = 50;

export interface FleetWalkOptions {
  /** By which a walk rests that told of many bindings, and takes together what changes meanwhile; absent: none rests. */
  readonly clock?: Clock;
  /** The kind that a binding places, as `apps/v1/Deployment`, for triggers that tell kinds apart. */
  readonly kindOf?: (key: string) => string | undefined;
}

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
  readonly #clock: Clock | undefined;
  readonly #abort = new AbortController();

  constructor(
    index: BindingIndex,
    touch: (key: string) => void,
    triggers: readonly FleetTrigger[],
    { clock, kindOf = () => undefined }: FleetWalkOptions = {},
  ) {
    this.#index = index;
    this.#touch = touch;
    this.#clock = clock;
    this.#kindOf = kindOf;
    this.#triggers = triggers;
  }

  /** Takes in a change; one that matters to no trigger costs nothing further. */
  notice(change: ClusterChange): void {
    if (this.#abort.signal.aborted || !this.#triggers.some((trigger) => trigger.matters(change))) return;
    this.#waiting.push(change);
    this.#walking ??= this.#run();
  }

  /** Resolves when everything noticed so far was told. */
  async settled(): Promise<void> {
    await this.#walking;
  }

  async stop(): Promise<void> {
    this.#abort.abort(new AppError("stopped", "the walk was stopped", { recovery: "retry" }));
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
      const told = await this.#walk(changes, turn);
      await this.#rest(Math.min(MOST_REST_MS, told * REST_MS_EACH));
    }
    this.#walking = undefined;
  }

  async #rest(ms: number): Promise<void> {
    if (this.#clock === undefined || ms < LEAST_REST_MS) return;
    try {
      await sleep(this.#clock, ms, this.#abort.signal);
    } catch {
      // Stopped: nothing waits any more.
    }
  }

  /** Answers how many bindings it told of. */
  async #walk(changes: readonly ClusterChange[], turn: Turn): Promise<number> {
    const reasons = this.#triggers.flatMap((trigger) =>
      changes
        .filter((change) => trigger.matters(change))
        .map((change): Reason => ({ trigger, change, kinds: trigger.kinds?.(change) })),
    );
    let count = 0;
    let told = 0;
    const { signal } = this.#abort;
    for (const group of this.#index.groups()) {
      if (turn.isOver) await turn.next();
      if (signal.aborted) return told;
      const kinds = concernedKinds(group, reasons);
      if (kinds === "none") continue;
      for (const key of group.keys) {
        if (++count % KEYS_BETWEEN_LOOKS === 0 && turn.isOver) await turn.next();
        if (signal.aborted) return told;
        if (kinds !== "all" && !kinds.has(this.#kindOf(key) ?? "")) continue;
        told++;
        this.#touch(key);
      }
    }
    return told;
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
