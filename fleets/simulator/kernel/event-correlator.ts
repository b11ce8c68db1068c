// Which Events are the same, are told as one, or are left out: the limits of client-go's recorder.
import type { EventDraft } from "./action.ts";

/** As client-go: from the tenth message of a kind within ten minutes on, they are combined into one Event. */
const COMBINE_FROM = 10;
const COMBINE_WITHIN_MS = 600_000;
/** As client-go: a component may tell 25 Events of one type about an object, and one more every five minutes. */
const BURST = 25;
const ONE_MORE_AFTER_MS = 300_000;
/** Objects that are remembered, as many as client-go does. */
const REMEMBERED = 4096;
/** The scheduler has client-go's newer recorder (tools/events), which knows none of these limits. */
const UNLIMITED: ReadonlySet<string> = new Set(["default-scheduler"]);

interface Alike {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Allowance {
  left: number;
  atMs: number;
}

/** An Event to write. Drafts of the same id are one Event that is counted up. */
interface CorrelatedEvent {
  readonly id: string;
  readonly draft: EventDraft;
}

/** Decides which events are one, and which are too many, as client-go does. */
export class EventCorrelator {
  readonly #alike = new Map<string, Alike>();
  readonly #allowances = new Map<string, Allowance>();

  /** Answers what to write of what a component tells; undefined when it has told too much about the object. */
  correlate(component: string, draft: EventDraft, nowMs: number): CorrelatedEvent | undefined {
    const { regarding, type, reason, message, fieldPath = "" } = draft;
    const about = [component, regarding.kind, regarding.metadata.uid, type].join("\0");
    const whole = { id: [about, fieldPath, reason, message].join("\0"), draft };
    // To the newer recorder, Events are the same that are about the same state of the object, whatever they say.
    const { resourceVersion } = regarding.metadata;
    if (UNLIMITED.has(component)) return { id: [about, fieldPath, reason, resourceVersion].join("\0"), draft };
    const group = `${about}\0${reason}`;
    const combined = this.#isCombined(group, message, nowMs);
    if (!this.#isAllowed(about, nowMs)) return undefined;
    if (!combined) return whole;
    return { id: group, draft: { ...draft, message: `(combined from similar events): ${message}` } };
  }

  #isCombined(group: string, message: string, nowMs: number): boolean {
    const known = this.#alike.get(group);
    const fresh = known === undefined || nowMs - known.lastMs > COMBINE_WITHIN_MS;
    const alike = fresh ? { messages: new Set<string>(), lastMs: nowMs } : known;
    alike.messages.add(message);
    alike.lastMs = nowMs;
    remember(this.#alike, group, alike);
    if (alike.messages.size < COMBINE_FROM) return false;
    // Go forgets any one of them; here the one that has just come, so that a run can be repeated.
    alike.messages.delete(message);
    return true;
  }

  #isAllowed(about: string, nowMs: number): boolean {
    const { left, atMs } = this.#allowances.get(about) ?? { left: BURST, atMs: nowMs };
    const now = Math.min(BURST, left + (nowMs - atMs) / ONE_MORE_AFTER_MS);
    const allowed = now >= 1;
    remember(this.#allowances, about, { left: allowed ? now - 1 : now, atMs: nowMs });
    return allowed;
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= REMEMBERED) break;
    map.delete(oldest);
  }
}
