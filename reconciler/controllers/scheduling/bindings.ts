// Schedules bindings again when they or the fleet change. Bindings that were written already scheduled are passed over.

import { isConflict, isNamespaceEnding, isNotFound } from "../../../kube/client/status-error.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import { BindingIndex } from "../../scheduler/binding-index.ts";
import type { Requeue } from "../../scheduler/decide-scheduling.ts";
import { hasMoreRoom } from "../../scheduler/estimates/room.ts";
import { FLEET_TRIGGERS, isSelected } from "../../scheduler/fleet-triggers.ts";
import { whyIgnored } from "../../scheduler/occasion.ts";
import { SchedulingQueue } from "../../scheduler/queue.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { allBindings, BINDING_KINDS, bindingKey, findBinding, placedKind } from "./binding-key.ts";
import type { BindingWriter } from "./binding-writer.ts";
import type { FleetState } from "./fleet-state.ts";
import { FleetWalk } from "./fleet-walk.ts";

/** Bindings that are written at the same time. Each is decided in one turn, knowing of all that were decided before. */
const WORKERS = 8;
/** Differs from Karmada: bindings that fit nowhere are also looked at when a cluster reports more room than before. */
const ROOM_GATHER_MS = 200;
/** As many as can wait for room and still all be tried at each report; more of them rest between two attempts. */
const FEW_WAITING = 100;
/** Asking the time for each binding would cost more than taking it in. */
const KEYS_BETWEEN_LOOKS = 64;
/** Somebody else wrote in between, and the informer is about to tell. */
const CONFLICT_PAUSE_MS = 10;

export function startBindingController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
): Controller {
  const loop = new SchedulingLoop(context, fleet, writer);
  loop.start();
  return loop;
}

class SchedulingLoop implements Controller {
  readonly #context: ControllerContext;
  readonly #fleet: FleetState;
  readonly #writer: BindingWriter;
  readonly #index = new BindingIndex();
  readonly #walk: FleetWalk;
  readonly #queue: SchedulingQueue;
  /** Keys that are in the queue for nothing but a change of the binding, which may be our own write. */
  readonly #mayBeOwn = new Set<string>();
  /** Clusters that have more room since the last time those who wait for some were woken. */
  readonly #roomier = new Set<string>();
  #roomTimer: Timer | undefined;
  readonly #turn = new Turn();
  readonly #workers = new Set<Promise<void>>();
  #starter: Promise<void> | undefined;
  #starting = false;
  #stopped = false;

  constructor(context: ControllerContext, fleet: FleetState, writer: BindingWriter) {
    this.#context = context;
    this.#fleet = fleet;
    this.#writer = writer;
    this.#walk = new FleetWalk(
      this.#index,
      (key) => {
        context.schedulerMetrics.queued("ClusterChanged");
        this.#touch(key);
      },
      FLEET_TRIGGERS,
      { clock: context.clock, kindOf: (key) => placedKind(context, key) },
    );
    this.#queue = new SchedulingQueue(context.clock, {
      byPriority: context.profile.featureGates.PriorityBasedScheduling,
      onReady: () => this.#startWorkers(),
    });
    context.schedulerMetrics.watchQueue(() => this.#queue.pending);
  }

  start(): void {
    // What is there already is taken in by turns, for it may be much.
    let isReplay = true;
    for (const kind of BINDING_KINDS) {
      this.#context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
        if (isReplay) return;
        if (change.type === "deleted") this.#forget(bindingKey(change.object));
        else this.#noticeBinding(change.object, change.type === "updated" ? change.previous : undefined);
      });
    }
    isReplay = false;
    this.#starter = this.#noticePresent();
    this.#writer.subscribe((binding, { requeue }, stale) => {
      const key = bindingKey(binding);
      if (stale) this.#touch(key);
      else this.#queue.attempted(key, priorityOf(binding), requeue);
    });
    this.#writer.onRoom((cluster) => this.#noticeRoom(cluster));
    this.#fleet.subscribe((change) => {
      this.#walk.notice(change);
      if (change.after !== undefined && hasMoreRoom(change.before, change.after))
        this.#noticeRoom(change.after.metadata.name ?? "");
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#roomTimer?.cancel();
    this.#queue.stop();
    await this.#walk.stop();
    await this.#starter;
    while (this.#workers.size > 0) await Promise.all(this.#workers);
  }

  async #noticePresent(): Promise<void> {
    let count = 0;
    for (const binding of allBindings(this.#context)) {
      this.#noticeBinding(binding, undefined);
      if (++count % KEYS_BETWEEN_LOOKS === 0 && this.#turn.isOver) await this.#turn.next();
      if (this.#stopped) return;
    }
  }

  #noticeBinding(binding: AnyBinding, previous: AnyBinding | undefined): void {
    const { schedulerName } = this.#context.profile.scheduling;
    const key = bindingKey(binding);
    if (whyIgnored(binding, schedulerName) !== undefined) {
      this.#forget(key);
      return;
    }
    this.#index.set(key, binding);
    const isNew = previous === undefined || whyIgnored(previous, schedulerName) !== undefined;
    if (!isNew && previous.metadata.generation === binding.metadata.generation) return;
    // Written together with its decision, of which the writer tells.
    if (this.#writer.outcomeOf(binding) !== undefined) return;
    this.#context.schedulerMetrics.queued(isNew ? "BindingAdd" : "BindingUpdate");
    if (this.#queue.push(key, priorityOf(binding))) this.#mayBeOwn.add(key);
  }

  #forget(key: string): void {
    this.#index.delete(key);
    this.#queue.forget(key);
    this.#mayBeOwn.delete(key);
  }

  /** Has the binding looked at, whatever was decided about it before. */
  #touch(key: string): void {
    const binding = findBinding(this.#context, key);
    if (binding === undefined) return;
    this.#mayBeOwn.delete(key);
    this.#queue.push(key, priorityOf(binding));
  }

  #noticeRoom(cluster: string): void {
    if (this.#stopped) return;
    this.#roomier.add(cluster);
    this.#roomTimer ??= this.#context.clock.after(ROOM_GATHER_MS, () => {
      this.#roomTimer = undefined;
      void this.#wakeThoseWithoutRoom();
    });
  }

  async #wakeThoseWithoutRoom(): Promise<void> {
    const records = [...this.#roomier].flatMap((name) => {
      const position = this.#fleet.index.position(name);
      const record = position === undefined ? undefined : this.#fleet.index.records[position];
      return record === undefined ? [] : [record.cluster];
    });
    this.#roomier.clear();
    const isFew = this.#queue.pending.unschedulable <= FEW_WAITING;
    for (const key of [...this.#queue.unschedulable()]) {
      if (this.#turn.isOver) await this.#turn.next();
      const use = this.#index.find(key);
      if (use === undefined || !records.some((cluster) => isSelected(use, cluster))) continue;
      if (isFew) this.#touch(key);
      else this.#queue.wake(key);
    }
  }

  /** In a later turn, so that a burst of changes is in order before its first binding is taken. */
  #startWorkers(): void {
    if (this.#starting || this.#stopped || this.#workers.size >= WORKERS) return;
    this.#starting = true;
    setImmediate(() => {
      this.#starting = false;
      while (!this.#stopped && this.#workers.size < Math.min(WORKERS, this.#workers.size + this.#queue.size)) {
        const worker = this.#work().finally(() => {
          this.#workers.delete(worker);
          // Something may have come when this worker had just found nothing.
          if (this.#queue.size > 0) this.#startWorkers();
        });
        this.#workers.add(worker);
      }
    });
  }

  async #work(): Promise<void> {
    for (let key = this.#queue.pop(); key !== undefined; key = this.#queue.pop()) {
      const mayBeOwn = this.#mayBeOwn.delete(key);
      const roomBefore = this.#fleet.index.version;
      const outcome = await this.#schedule(key, mayBeOwn);
      this.#queue.done(key, outcome);
      // What got room while the decision was written counts too.
      if (outcome === "unschedulable" && roomBefore !== this.#fleet.index.version) this.#queue.wake(key);
      if (this.#stopped) return;
      if (this.#turn.isOver) await this.#turn.next();
    }
  }

  async #schedule(key: string, mayBeOwn: boolean): Promise<Requeue> {
    await this.#writer.whenWritten(key);
    const binding = findBinding(this.#context, key);
    if (binding === undefined) return "done";
    const known = mayBeOwn ? this.#writer.outcomeOf(binding) : undefined;
    if (known !== undefined) return known;
    try {
      return (await this.#writer.write(binding, binding)).requeue;
    } catch (error) {
      if (isNotFound(error) || isNamespaceEnding(error)) return "done";
      if (isConflict(error)) {
        this.#context.clock.after(CONFLICT_PAUSE_MS, () => this.#touch(key));
        return "done";
      }
      const { logger } = this.#context;
      if (error instanceof AppError) logger.debug("scheduling failed", { binding: key, error: error.message });
      else
        logger.error("scheduling failed unexpectedly", {
          binding: key,
          error: messageOf(error),
          stack: stackOf(error),
        });
      return "backoff";
    }
  }
}

function priorityOf(binding: AnyBinding): number {
  return binding.spec.schedulePriority?.priority ?? 0;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
