/** What became of a run. */
export type PlanOutcome<T> =
  | { readonly state: "running" }
  | { readonly state: "done"; readonly value: T }
  | { readonly state: "failed"; readonly error: unknown };

interface Run<T> {
  readonly wanted: string;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  outcome: PlanOutcome<T>;
}

/**
 * Plans that are being made, one a pull request, beside the steps that ask for them: so a step can see that another one is
 * wanted by now, and end this one. What a run came to is kept until somebody has dealt with it.
 */
export class PlanRuns<T> {
  readonly #onEnd: (key: string) => void;
  readonly #runs = new Map<string, Run<T>>();
  /** Those that were given up count until they have ended. */
  readonly #ending = new Set<Promise<void>>();

  /** `onEnd` is called when a run has come to something, not when it was dropped. */
  constructor(onEnd: (key: string) => void) {
    this.#onEnd = onEnd;
  }

  /** Undefined: nothing, or a run for something else that was wanted before. */
  find(key: string, wanted: string): PlanOutcome<T> | undefined {
    const run = this.#runs.get(key);
    return run?.wanted === wanted ? run.outcome : undefined;
  }

  keys(): string[] {
    return [...this.#runs.keys()];
  }

  /** Begins; ends what runs for this key. */
  start(key: string, wanted: string, make: (signal: AbortSignal) => Promise<T>): void {
    this.drop(key);
    const abort = new AbortController();
    const run: Run<T> = { wanted, abort, outcome: { state: "running" }, ended: this.#follow(key, abort.signal, make) };
    this.#runs.set(key, run);
  }

  /** Ends what runs and forgets what it came to. */
  drop(key: string): void {
    const run = this.#runs.get(key);
    if (run === undefined) return;
    this.#runs.delete(key);
    this.#ending.add(run.ended);
    void run.ended.then(() => this.#ending.delete(run.ended));
    run.abort.abort(new Error("this plan is not wanted any more"));
  }

  /** Ends everything; resolves when all runs have returned. */
  async stop(): Promise<void> {
    for (const key of this.keys()) this.drop(key);
    await Promise.all(this.#ending);
  }

  async #follow(key: string, signal: AbortSignal, make: (signal: AbortSignal) => Promise<T>): Promise<void> {
    // Whoever starts it has to know of it before it ends.
    await Promise.resolve();
    let outcome: PlanOutcome<T>;
    try {
      outcome = { state: "done", value: await make(signal) };
    } catch (error) {
      outcome = { state: "failed", error };
    }
    const run = this.#runs.get(key);
    if (run?.abort.signal !== signal) return;
    run.outcome = outcome;
    this.#onEnd(key);
  }
}
