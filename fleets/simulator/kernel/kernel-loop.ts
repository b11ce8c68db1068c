// Shares the event loop among the kernels of a fleet's clusters, and with everybody else.
import { Turn } from "../../../runtime/turn.ts";

/** Actions that a cluster does until the next one has its turn. */
const ACTIONS_A_TURN = 16;

/** The kernel of one cluster, as the loop sees it. */
export interface Worker {
  /** Whether something is to be done at this instant. */
  readonly isBusy: boolean;
  /** Whether the cluster's server has to finish something first. */
  readonly mustWait: boolean;
  /** Does up to `most` actions. */
  work(most: number): Promise<void>;
}

/** Shares the event loop among the kernels of a fleet. */
export class KernelLoop {
  /** Kernels with something to do, in the order of their asking. */
  readonly #ready = new Set<Worker>();
  #running = false;
  #idle: (() => void)[] = [];
  /** Kernels that wait for somebody outside, such as a webhook. */
  readonly #away = new Set<Worker>();

  /** To be called by a kernel that has got something to do. */
  wake(kernel: Worker): void {
    // It is asked again when it is back.
    if (this.#away.has(kernel)) return;
    this.#ready.add(kernel);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => void this.#run());
  }

  /** Whether a cluster has something to do at this instant. */
  get isBusy(): boolean {
    return this.#running || this.#away.size > 0;
  }

  /** Resolves when no cluster has anything to do at this instant. */
  async whenIdle(): Promise<void> {
    while (this.isBusy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    const turn = new Turn();
    while (this.#ready.size > 0) {
      for (const kernel of [...this.#ready]) {
        this.#ready.delete(kernel);
        // A server's own controllers run at the end of the turn.
        if (kernel.mustWait) this.#ready.add(kernel);
        else await this.#give(kernel);
        if (turn.isOver) await turn.next();
      }
      await new Promise((resolve) => setImmediate(resolve));
      turn.begin();
    }
    this.#running = false;
    this.#tellIdle();
  }

  /** Lets a kernel work; one that is not back within the turn waits for somebody outside and is not waited for. */
  async #give(kernel: Worker): Promise<void> {
    let isBack = false;
    const work = kernel.work(ACTIONS_A_TURN).then(() => {
      isBack = true;
    });
    const { promise: turnOver, resolve } = Promise.withResolvers<void>();
    const immediate = setImmediate(resolve);
    await Promise.race([work, turnOver]);
    clearImmediate(immediate);
    if (isBack) {
      if (kernel.isBusy) this.#ready.add(kernel);
      return;
    }
    this.#away.add(kernel);
    void work.then(() => {
      this.#away.delete(kernel);
      if (kernel.isBusy) this.wake(kernel);
      else if (!this.#running) this.#tellIdle();
    });
  }

  #tellIdle(): void {
    if (this.isBusy) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
