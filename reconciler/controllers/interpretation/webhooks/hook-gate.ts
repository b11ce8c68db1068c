// Keeps a webhook that is slow or dead from holding those who ask it.
import type { Clock } from "../../../../runtime/clock.ts";
import { AppError } from "../../../../runtime/errors.ts";

/** Calls to one webhook at the same time. */
const MOST_CALLS = 16;
/** Those who wait for one of them to end. */
const MOST_WAITING = 256;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const BUSY_PAUSE_MS = 2_000;
/** Those who come back after a pause do not all come at once. */
const SPREAD_MS = 25;
const SPREAD_STEPS = 40;

/**
 * The way to one webhook. Some calls run at the same time and more wait for them; when nothing answers there, everyone else
 * is sent away at once for a pause, doubled each time, after which a single call finds out whether it is back.
 */
export class HookGate {
  readonly #clock: Clock;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #running = 0;
  #pauses = 0;
  #closedUntil = 0;
  #failure: AppError | undefined;
  #isProbing = false;
  #turned = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls, when it is this one's turn. `isDead` tells failures to get any answer from answers that are wrong. Throws what the
   * call throws, or the last failure with recovery `wait` while nobody is let in.
   */
  async pass<T>(call: () => Promise<T>, isDead: (error: unknown) => error is AppError): Promise<T> {
    const isProbe = this.#isProbeDue();
    if (isProbe) this.#isProbing = true;
    else if (this.#running >= MOST_CALLS) await this.#waitForTurn();
    this.#running++;
    try {
      const answer = await call();
      this.#open();
      return answer;
    } catch (error) {
      if (isDead(error)) this.#close(error);
      // Whatever was answered, somebody is there.
      else if (error instanceof AppError) this.#open();
      throw error;
    } finally {
      if (isProbe) this.#isProbing = false;
      this.#running--;
      if (this.#failure === undefined) this.#waiting.shift()?.resolve();
    }
  }

  /** Whether this call is to find out if somebody answers again; throws when it is not yet time, or another one does. */
  #isProbeDue(): boolean {
    if (this.#failure === undefined) return false;
    if (this.#isProbing || this.#clock.now() < this.#closedUntil) throw this.#away(this.#failure);
    return true;
  }

  async #waitForTurn(): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) {
      const message = "too many calls of the webhook are waiting already";
      throw this.#away(new AppError("interpreter-webhook-busy", message, { recovery: "wait" }));
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    await turn.promise;
  }

  #open(): void {
    this.#failure = undefined;
    this.#pauses = 0;
  }

  #close(failure: AppError): void {
    // Of the calls that were under way together, the first to fail counts.
    if (this.#failure === undefined || this.#isProbing) {
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#pauses++, 10));
      this.#closedUntil = this.#clock.now() + pause;
    }
    this.#failure = failure;
    for (const turn of this.#waiting.splice(0)) turn.reject(this.#away(failure));
  }

  /** The same words as the failure, so that events of it are one. */
  #away(failure: AppError): AppError {
    const spread = (this.#turned++ % SPREAD_STEPS) * SPREAD_MS;
    const afterMs = Math.max(BUSY_PAUSE_MS, this.#closedUntil - this.#clock.now()) + spread;
    const { code, message, details } = failure;
    return new AppError(code, message, { recovery: "wait", afterMs, details, cause: failure });
  }
}
