// The time of a simulated fleet: as outside, faster, or only when told.
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { TimerHeap } from "./timer-heap.ts";

/**
 * `real`: as the machine's. `stepped`: stands still but in `advance` and `runUntil`. A number: so many times as fast as
 * the machine's, or `Infinity`: from one timer to the next without waiting. Whatever the pace, an instant ends only when
 * everything that it brings has been done, so a fleet that has much to do slows its time down instead of falling behind.
 */
export type Pace = "real" | "stepped" | number;

/** How far the pace may get ahead of the work, in milliseconds of the machine, before it is taken up anew. */
const MOST_BEHIND_MS = 1_000;

/** Who may have something to do at an instant. */
export interface Participant {
  readonly isBusy: boolean;
  whenIdle(): Promise<void>;
}

/** How time passes. */
export interface VirtualClockOptions {
  readonly pace: Pace;
  /** Milliseconds since the epoch at the beginning; now on the machine's clock when absent. */
  readonly startMs?: number;
  /** The machine's clock, for tests. */
  readonly machine?: Clock;
}

/** The time of a fleet. It leaves an instant only when everything that it brings is done. */
export class VirtualClock implements Clock {
  readonly pace: Pace;
  readonly #factor: number;
  readonly #machine: Clock;
  readonly #timers = new TimerHeap();
  readonly #participants = new Set<Participant>();
  /** Where both clocks stood when the pace was last taken up. */
  #origin: { readonly machineMs: number; readonly virtualMs: number };
  /** The instant that is being played, or was last. */
  #instant: number;
  #playing = false;
  /** Whether somebody has just read the time, and may not have done yet what he read it for. */
  #wasRead = false;
  #machineTimer: Timer | undefined;
  #closed = false;

  constructor({ pace, startMs, machine = systemClock }: VirtualClockOptions) {
    if (typeof pace === "number" && !(pace > 0)) throw new RangeError(`a clock cannot run ${pace} times as fast`);
    this.pace = pace;
    this.#factor = typeof pace === "number" ? pace : 1;
    this.#machine = machine;
    const now = machine.now();
    this.#instant = startMs ?? now;
    this.#origin = { machineMs: now, virtualMs: this.#instant };
  }

  now(): number {
    if (this.pace === "stepped" || this.pace === Number.POSITIVE_INFINITY || this.#playing) return this.#instant;
    if (this.pace === "real") return this.#target();
    if (!this.#wasRead && !this.#isBusy) this.#moveOn();
    return this.#instant;
  }

  after(ms: number, fn: () => void): Timer {
    const timer = this.#timers.add(this.now() + Math.max(0, ms), fn);
    this.#schedule();
    return { cancel: () => this.#timers.cancel(timer) };
  }

  /** Time waits for a participant that has something to do. Ends with the returned function. */
  join(participant: Participant): () => void {
    this.#participants.add(participant);
    return () => this.#participants.delete(participant);
  }

  /**
   * Keeps a clock that is not the machine's at this instant, for whoever prepares something. With the returned function
   * it goes on from here.
   */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = this.join({ isBusy: true, whenIdle: () => promise });
    return () => {
      leave();
      if (this.pace !== "real") this.#takeUp();
      resolve();
      this.#schedule();
    };
  }

  /** Moves a stepped clock on, playing what falls due on the way. Resolves when everything at its end is done. */
  async advance(ms: number): Promise<void> {
    await this.#play(this.#requireStepped() + ms);
  }

  /**
   * Moves a stepped clock from timer to timer until `check` holds; answers false when it does not within `limitMs`, or
   * nothing is left that could change it.
   */
  async runUntil(check: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
    const end = this.#requireStepped() + limitMs;
    for (;;) {
      await this.settled();
      if (await check()) return true;
      const next = this.#timers.peek();
      if (next === undefined || next.at > end) return false;
      await this.#play(next.at);
    }
  }

  /** Resolves when nobody has anything to do at this instant. */
  async settled(): Promise<void> {
    for (;;) {
      // Twice: what was written in this turn may be heard of at its end, and answered at the end of the next.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#isBusy) return;
      for (const participant of [...this.#participants]) if (participant.isBusy) await participant.whenIdle();
    }
  }

  /** No timer fires any more. */
  close(): void {
    this.#closed = true;
    this.#machineTimer?.cancel();
  }

  #requireStepped(): number {
    if (this.pace !== "stepped") throw new Error("only a stepped clock is moved by hand");
    return this.#instant;
  }

  /** Where the pace has brought the time by now. */
  #target(): number {
    return this.#origin.virtualMs + (this.#machine.now() - this.#origin.machineMs) * this.#factor;
  }

  get #isBusy(): boolean {
    for (const participant of this.#participants) if (participant.isBusy) return true;
    return false;
  }

  /** Takes the pace up anew from this instant. */
  #takeUp(): void {
    this.#origin = { machineMs: this.#machine.now(), virtualMs: this.#instant };
  }

  /** Between two plays: time has passed, and nobody has anything to do before the next timer. */
  #moveOn(): void {
    const due = this.#timers.peek()?.at ?? Number.POSITIVE_INFINITY;
    // What is due comes first: nobody sees a time at which it should have happened and has not.
    this.#instant = Math.max(this.#instant, Math.min(this.#target(), due));
    // Whoever has read it gets his turn at this instant, and those who hear at its end what he wrote get theirs.
    this.#wasRead = true;
    const goOn = (): void => {
      this.#wasRead = false;
    };
    setImmediate(() => setImmediate(goOn));
  }

  /** Plays everything that is due until the end that holds when nobody is busy any more. */
  async #play(endOf: number | (() => number)): Promise<void> {
    this.#playing = true;
    try {
      await this.settled();
      const end = typeof endOf === "number" ? endOf : endOf();
      for (let next = this.#timers.peek(); next !== undefined && next.at <= end; next = this.#timers.peek()) {
        if (this.#closed) return;
        this.#instant = Math.max(this.#instant, next.at);
        this.#fireDue();
        await this.settled();
      }
      if (end !== Number.POSITIVE_INFINITY) this.#instant = Math.max(this.#instant, end);
    } finally {
      this.#playing = false;
    }
  }

  /** Fires everything that is due at this instant, in order. */
  #fireDue(): void {
    for (let next = this.#timers.peek(); next !== undefined && next.at <= this.#instant; next = this.#timers.peek()) {
      this.#timers.take()?.fn();
    }
  }

  /** Arranges for the next timer of a clock that runs by itself. */
  #schedule(): void {
    if (this.pace === "stepped" || this.#playing || this.#closed) return;
    this.#machineTimer?.cancel();
    const next = this.#timers.peek();
    if (next === undefined) return;
    if (this.pace === Number.POSITIVE_INFINITY) {
      this.#machineTimer = this.#machine.after(0, () => void this.#catchUp());
      return;
    }
    const factor = typeof this.pace === "number" ? this.pace : 1;
    this.#machineTimer = this.#machine.after(
      Math.max(0, next.at - this.#target()) / factor,
      () => void this.#catchUp(),
    );
  }

  async #catchUp(): Promise<void> {
    if (this.#playing || this.#closed) return;
    if (this.pace === Number.POSITIVE_INFINITY) {
      // One instant at a time: whoever waits outside this clock gets a turn in between.
      const next = this.#timers.peek();
      if (next !== undefined) await this.#play(next.at);
    } else if (this.pace === "real") {
      // Timers of the machine's time never wait for work: that would be another time than the machine's.
      this.#instant = Math.max(this.#instant, this.#target());
      this.#fireDue();
    } else {
      const target = this.#target();
      // Less when the pace has been taken up anew meanwhile.
      await this.#play(() => Math.min(target, this.#target()));
      // Work has taken longer than the pace allows: time goes on from here.
      if (this.#target() - this.#instant > MOST_BEHIND_MS * this.#factor) this.#takeUp();
    }
    this.#schedule();
  }
}
