// Runs the controllers of one simulated cluster, one action after the other, in an order that depends on nothing but
// the cluster's history: the same history always goes on in the same way.
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { ApiStatusError } from "../../../kube/client/status-error.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import type { Random } from "../../../runtime/random.ts";
import type { ApiServer } from "../../apiserver/server.ts";
import type { Stage } from "../kubelet/stages/stage.ts";
import type { Outcome, Reconcile } from "./action.ts";
import { type Behaviours, NO_BEHAVIOURS } from "./behaviours.ts";
import { carryOut } from "./carry-out.ts";
import { ClusterState, type StateChange } from "./cluster-state.ts";
import type { ClusterTraits, Controller, World } from "./controller.ts";
import { ControllerQueues } from "./controller-queues.ts";
import type { Disturbances } from "./disturbances.ts";
import { EventRecorder } from "./event-recorder.ts";
import type { KernelLoop, Worker } from "./kernel-loop.ts";

/** A cluster's parts, and who acts in it. */
export interface KernelOptions {
  readonly server: ApiServer;
  /** Reaches the server without faults. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly traits: ClusterTraits;
  readonly disturbances: Disturbances;
  /** What containers do; nothing unusual when absent. */
  readonly behaviours?: Behaviours | undefined;
  /** Stages of a scenario; none when absent. */
  readonly stages?: readonly Stage[] | undefined;
  readonly controllers: readonly Controller[];
  /** What the control plane's machines take for the time; the fleet's clock when absent. Nodes know the true one. */
  readonly controlPlaneNow?: () => number;
  /** Gives the kernel its turns, among those of other clusters. */
  readonly loop: KernelLoop;
}

/** Back-off of a key that failed: as client-go's rate limiter begins, and not longer than a user would wait. */
const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 30_000;
/** Conflicts and lost races are no failures: the state is already another one. */
const RACES = new Set([404, 409]);

interface Run {
  readonly id: string;
  readonly controller: Controller;
  readonly steps: Reconcile;
  outcome: Outcome | undefined;
}

/** Lets the controllers of one cluster act, one action at a time. */
export class ClusterKernel implements Worker {
  readonly #o: KernelOptions;
  readonly #events: EventRecorder;
  readonly #world: World;
  /** The same, by the clock of the nodes. */
  readonly #nodeWorld: World;
  readonly #queues: ControllerQueues;
  readonly #timers = new Map<string, { readonly timer: Timer; readonly at: number }>();
  readonly #failures = new Map<string, number>();
  readonly #watches = new Map<string, { readonly controller: Controller; readonly keys: Controller["watches"] }[]>();
  readonly #unsubscribe: () => void;
  readonly #undisturb: () => void;
  #run: Run | undefined;
  #stopped = false;

  constructor(options: KernelOptions) {
    this.#o = options;
    const { server, client, clock, random, logger, traits, disturbances, controllers } = options;
    const { behaviours = NO_BEHAVIOURS, stages = [] } = options;
    this.#queues = new ControllerQueues(controllers);
    this.#events = new EventRecorder(client, clock);
    const state = new ClusterState(server.state);
    const controlPlaneNow = options.controlPlaneNow ?? (() => clock.now());
    this.#world = { state, traits, disturbances, behaviours, stages, random, logger, now: controlPlaneNow };
    this.#nodeWorld = { ...this.#world, now: () => clock.now() };
    for (const controller of controllers) {
      for (const { resource } of controller.watches) {
        const watchers = this.#watches.get(resource) ?? [];
        this.#watches.set(resource, watchers);
        if (watchers.some((each) => each.controller === controller)) continue;
        watchers.push({ controller, keys: controller.watches.filter((each) => each.resource === resource) });
      }
    }
    this.#unsubscribe = server.state.subscribeAll(({ type, object, previous }) => {
      if (!this.#watches.has(object.resource) && !object.hasOwners && object.resource !== "pods") return;
      const change: StateChange = {
        type: type === "ADDED" ? "added" : type === "MODIFIED" ? "updated" : "deleted",
        resource: object.resource,
        object: object.object,
        previous: () => previous?.object,
      };
      this.#onChange(change);
    });
    const present = server.state.resources().flatMap((resource) => [...server.state.list(resource)]);
    const changes = present.map(
      ({ resource, object }): StateChange => ({ type: "added", resource, object, previous: () => undefined }),
    );
    // Controllers must find the indexes whole from their first look on.
    for (const change of changes) state.note(change);
    for (const change of changes) this.#tell(change);
    this.#undisturb = disturbances.subscribe(() => this.#onDisturbance());
  }

  /** Whether something is to be done at this instant of the fleet's clock. */
  get isBusy(): boolean {
    return this.#run !== undefined || this.#queues.size > 0;
  }

  /** Whether the server has to finish something first, so that what follows does not depend on who is faster. */
  get mustWait(): boolean {
    return this.#o.server.isBusy;
  }

  /** Does up to `most` actions. */
  async work(most: number): Promise<void> {
    for (let left = most; left > 0 && !this.#stopped && !this.mustWait; left--) {
      this.#run ??= this.#next();
      if (this.#run === undefined) return;
      await this.#step(this.#run);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.#undisturb();
    this.#queues.clear();
    this.#run = undefined;
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #next(): Run | undefined {
    const next = this.#queues.take();
    if (next === undefined) return undefined;
    const { id, controller, key } = next;
    return { id, controller, steps: controller.reconcile(key, this.#worldOf(controller)), outcome: undefined };
  }

  async #step(run: Run): Promise<void> {
    const { client, traits } = this.#o;
    try {
      // The first call's value goes nowhere.
      const next = run.steps.next(run.outcome as Outcome);
      if (next.done === true) {
        this.#run = undefined;
        this.#failures.delete(run.id);
        if (next.value !== undefined) this.#wakeAfter(run, next.value.afterMs);
        return;
      }
      const action = next.value;
      run.outcome =
        action.do === "event" && !traits.events
          ? { ok: true, object: undefined }
          : await carryOut(client, this.#events, run.controller, action);
    } catch (error) {
      this.#run = undefined;
      if (!this.#stopped) this.#fail(run, error);
    }
  }

  #fail(run: Run, error: unknown): void {
    const { logger } = this.#o;
    const failures = (this.#failures.get(run.id) ?? 0) + 1;
    this.#failures.set(run.id, failures);
    const refusal = error instanceof ApiStatusError ? error.status : undefined;
    const where = { controller: run.controller.name, key: keyOf(run.id), failures };
    if (refusal === undefined) {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error("a simulated controller failed", { ...where, error: messageOf(error), stack });
    } else if (!RACES.has(refusal.code))
      logger.debug("a simulated controller was refused", { ...where, error: refusal.message });
    this.#wakeAfter(run, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20)));
  }

  #wakeAfter({ id, controller }: Run, afterMs: number): void {
    const at = this.#o.clock.now() + afterMs;
    const pending = this.#timers.get(id);
    if (pending !== undefined) {
      if (pending.at <= at) return;
      pending.timer.cancel();
    }
    const timer = this.#o.clock.after(afterMs, () => {
      this.#timers.delete(id);
      this.#enqueue(id, controller);
    });
    this.#timers.set(id, { timer, at });
  }

  #enqueue(id: string, controller: Controller): void {
    if (!this.#stopped && this.#queues.add({ id, controller, key: keyOf(id) })) this.#o.loop.wake(this);
  }

  #onChange(change: StateChange): void {
    this.#world.state.note(change);
    this.#tell(change);
  }

  #tell(change: StateChange): void {
    for (const { controller, keys } of this.#watches.get(change.resource) ?? []) {
      for (const watch of keys)
        for (const key of watch.keys(change, this.#world)) this.#enqueue(idOf(controller, key), controller);
    }
  }

  #worldOf({ manager }: Controller): World {
    return manager === "kubelet" ? this.#nodeWorld : this.#world;
  }

  #onDisturbance(): void {
    for (const controller of this.#o.controllers)
      for (const key of controller.disturbed?.(this.#world) ?? []) this.#enqueue(idOf(controller, key), controller);
  }
}

function idOf(controller: Controller, key: string): string {
  return `${controller.name} ${key}`;
}

function keyOf(id: string): string {
  return id.slice(id.indexOf(" ") + 1);
}
