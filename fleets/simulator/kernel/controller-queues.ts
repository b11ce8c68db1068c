// What waits for the controllers of a cluster.
import type { Controller } from "./controller.ts";

/** A key that a controller is to look at; `id` tells it from the keys of all others. */
interface Waiting {
  readonly id: string;
  readonly controller: Controller;
  readonly key: string;
}

/**
 * One queue for each controller, served in turns. As in a real cluster, where they work side by side, none waits for the
 * work that another one has piled up.
 */
export class ControllerQueues {
  readonly #controllers: readonly Controller[];
  readonly #queues: ReadonlyMap<Controller, Map<string, Waiting>>;
  /** Whose turn it is next. */
  #turn = 0;
  #size = 0;

  /** The controllers take turns in this order. */
  constructor(controllers: readonly Controller[]) {
    this.#controllers = controllers;
    this.#queues = new Map(controllers.map((controller) => [controller, new Map()]));
  }

  get size(): number {
    return this.#size;
  }

  /** Answers false when the key waits already. */
  add(waiting: Waiting): boolean {
    const queue = this.#queues.get(waiting.controller);
    if (queue === undefined || queue.has(waiting.id)) return false;
    queue.set(waiting.id, waiting);
    this.#size++;
    return true;
  }

  /** The longest waiting key of the controller whose turn it is. After a rest the first in the list has the first turn. */
  take(): Waiting | undefined {
    if (this.#size === 0) {
      this.#turn = 0;
      return undefined;
    }
    for (const _each of this.#controllers) {
      const controller = this.#controllers[this.#turn];
      this.#turn = (this.#turn + 1) % this.#controllers.length;
      const queue = controller === undefined ? undefined : this.#queues.get(controller);
      for (const waiting of queue?.values() ?? []) {
        queue?.delete(waiting.id);
        this.#size--;
        return waiting;
      }
    }
    return undefined;
  }

  clear(): void {
    for (const queue of this.#queues.values()) queue.clear();
    this.#size = 0;
  }
}
