interface Waiting {
  readonly owner: string;
  readonly order: number;
  readonly start: () => void;
}

/** A bound on what runs at the same time, under which no owner keeps the others from theirs. */
export class FairSlots {
  readonly #most: number;
  readonly #mostPerOwner: number;
  readonly #running = new Map<string, number>();
  /** When owners got a slot last, by counting. */
  readonly #served = new Map<string, number>();
  #waiting: Waiting[] = [];
  #active = 0;
  #count = 0;

  constructor(most: number, mostPerOwner = most) {
    this.#most = most;
    this.#mostPerOwner = mostPerOwner;
  }

  /** Runs once there is a slot; rejects with the signal's reason when that aborts before. */
  async run<T>(owner: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    await this.#enter(owner, signal);
    try {
      return await run();
    } finally {
      this.#leave(owner);
    }
  }

  #enter(owner: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        if (!this.#waiting.some((other) => other.owner === owner) && !this.#running.has(owner))
          this.#served.delete(owner);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        owner,
        order: this.#count++,
        start: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiting);
      this.#fill();
    });
  }

  #leave(owner: string): void {
    const left = (this.#running.get(owner) ?? 1) - 1;
    if (left > 0) this.#running.set(owner, left);
    else this.#running.delete(owner);
    this.#active--;
    this.#fill();
    // Who wants nothing any more need not be remembered.
    if (left === 0 && !this.#waiting.some((other) => other.owner === owner)) this.#served.delete(owner);
  }

  #fill(): void {
    while (this.#active < this.#most) {
      const next = this.#next();
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#active++;
      this.#running.set(next.owner, (this.#running.get(next.owner) ?? 0) + 1);
      this.#served.set(next.owner, this.#count++);
      next.start();
    }
  }

  /** Of the owner who has least, and of several of these the one whose turn was longest ago. */
  #next(): Waiting | undefined {
    const running = (owner: string): number => this.#running.get(owner) ?? 0;
    const served = (owner: string): number => this.#served.get(owner) ?? -1;
    return this.#waiting
      .filter(({ owner }) => running(owner) < this.#mostPerOwner)
      .sort((a, b) => running(a.owner) - running(b.owner) || served(a.owner) - served(b.owner) || a.order - b.order)[0];
  }
}
