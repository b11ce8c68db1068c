// Whether a store can write its file at the moment, and the attempts to find out when it could not.
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { AppError } from "../../../runtime/errors.ts";

const PROBE_EVERY_MS = 5000;

/** Remembers the last refusal of the disk until a write succeeds; meanwhile tries a small one every five seconds. */
export class WriteHealth {
  readonly #clock: Clock;
  readonly #probe: () => void;
  #refusal: AppError | undefined;
  #timer: Timer | undefined;

  /** `probe` writes a little and throws while that is refused. */
  constructor(clock: Clock, probe: () => void) {
    this.#clock = clock;
    this.#probe = probe;
  }

  /** Why nothing can be written; undefined while writing works. */
  get refusal(): AppError | undefined {
    return this.#refusal;
  }

  refused(refusal: AppError): void {
    this.#refusal = refusal;
    this.#timer ??= this.#clock.after(PROBE_EVERY_MS, () => this.#tryAgain());
  }

  succeeded(): void {
    this.#refusal = undefined;
    this.stop();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tryAgain(): void {
    this.#timer = undefined;
    const refusal = this.#refusal;
    if (refusal === undefined) return;
    try {
      this.#probe();
      this.succeeded();
    } catch {
      this.refused(refusal);
    }
  }
}
