// Writes a binding together with the scheduler's decision about it: one write for what was decided, one for its status.
import type { ResourceBindingStatus } from "../../../api/work.ts";
import {
  ApiStatusError,
  isAlreadyExists,
  isConflict,
  isNamespaceEnding,
  isNotFound,
} from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import {
  type DecisionOptions,
  decideScheduling,
  type Requeue,
  type SchedulingDecision,
} from "../../scheduler/decide-scheduling.ts";
import { recordDecision } from "../../scheduler/explanation/decision-record.ts";
import { FILTER_NAMES } from "../../scheduler/fleet/filters.ts";
import type { FleetIndex } from "../../scheduler/fleet/fleet-index.ts";
import { decideRefused, type Refusal } from "../../scheduler/refused-write.ts";
import type { Move, Relocation } from "../../scheduler/relocation/relocation.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { type EventSubject, subjectOf } from "../events.ts";
import { writeBindingStatus } from "../works/write-binding-status.ts";
import { BINDING_KINDS, bindingKey } from "./binding-key.ts";
import type { DecisionMemory } from "./decision-memory.ts";
import type { FleetState } from "./fleet-state.ts";
import { collectOptions, type SchedulingInput } from "./scheduling-inputs.ts";
import { startMemories } from "./start-memories.ts";

/** Hears of each attempt to schedule a binding. `stale`: the fleet changed while it was made. */
export type AttemptListener = (binding: AnyBinding, decision: SchedulingDecision, stale: boolean) => void;

interface Decided {
  readonly decision: SchedulingDecision;
  /** The binding as it is with the decision and its record. */
  readonly binding: AnyBinding;
}

interface MoveContext {
  readonly carryOut: (move: Move) => AnyBinding;
  readonly options: DecisionOptions;
  readonly now: number;
  /** How often the fleet had changed when the move was decided. */
  readonly changesBefore: number;
}

export class BindingWriter {
  readonly #context: ControllerContext;
  readonly #fleet: FleetState;
  readonly #inputs: readonly SchedulingInput[];
  readonly #memories: readonly DecisionMemory[];
  /** What holds for every decision. */
  readonly #options: DecisionOptions;
  readonly #listeners: AttemptListener[] = [];
  /** Generations that carry the scheduler's decision, by UID. */
  readonly #decided = new Map<string, number>();
  /** How those of them that failed are to be tried again. */
  readonly #failed = new Map<string, Requeue>();
  /** Writes under way, by key. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(
    context: ControllerContext,
    fleet: FleetState,
    inputs: readonly SchedulingInput[] = [],
    memories: readonly DecisionMemory[] = startMemories(context),
  ) {
    this.#context = context;
    this.#fleet = fleet;
    this.#inputs = inputs;
    this.#memories = memories;
    const { featureGates, scheduling } = context.profile;
    const { schedulerName, emptyWorkloadPropagation, disabledPlugins } = scheduling;
    this.#options = {
      keepOrder: true,
      quiet: true,
      mendsCondition: true,
      featureGates,
      schedulerName,
      emptyWorkloadPropagation,
      disabledFilters: FILTER_NAMES.filter((name) => disabledPlugins.includes(name)),
      ...(disabledPlugins.includes("ClusterLocality") ? { withoutLocality: true } : {}),
    };
    for (const kind of BINDING_KINDS) {
      context.informers.of(BINDING_API_VERSION, kind).subscribe((change) => {
        if (change.type !== "deleted") return;
        this.#decided.delete(change.object.metadata.uid ?? "");
        this.#failed.delete(change.object.metadata.uid ?? "");
      });
    }
  }

  subscribe(listener: AttemptListener): void {
    this.#listeners.push(listener);
  }

  /** Has `listener` called with clusters for which less is on its way than decisions took to be. */
  onRoom(listener: (cluster: string) => void): void {
    for (const memory of this.#memories) memory.onRoom?.(listener);
  }

  /** What was decided about the binding's present generation, as far as its place in the queue goes; undefined: nothing yet. */
  outcomeOf({ metadata: { uid = "", generation } }: AnyBinding): Requeue | undefined {
    return this.#decided.get(uid) === generation ? (this.#failed.get(uid) ?? "done") : undefined;
  }

  /** Resolves when no write of the binding is under way, however it ends. */
  async whenWritten(key: string): Promise<void> {
    await this.#writing.get(key)?.catch(() => {});
  }

  /**
   * Decides where `desired` goes and writes it: created when `existing` is undefined, else updated when anything differs.
   * Answers with the decision. `beforeSchedule` is called with the stored binding just before the decision's events are
   * recorded, which is before anybody can have acted on the binding. Where the server takes the binding but not its new
   * clusters, the decision says so.
   */
  async write(
    existing: AnyBinding | undefined,
    desired: AnyBinding,
    beforeSchedule: (stored: AnyBinding) => void = () => {},
  ): Promise<SchedulingDecision> {
    const key = bindingKey(desired);
    const writing = this.#write(existing, desired, beforeSchedule);
    this.#writing.set(key, writing);
    try {
      return await writing;
    } finally {
      if (this.#writing.get(key) === writing) this.#writing.delete(key);
    }
  }

  async #write(
    existing: AnyBinding | undefined,
    desired: AnyBinding,
    beforeSchedule: (stored: AnyBinding) => void,
  ): Promise<SchedulingDecision> {
    const start = performance.now();
    const collected = collectOptions(this.#inputs, desired);
    const asked = collected instanceof Promise ? await collected : collected;
    const changesBefore = this.#fleet.triggering;
    // From here to the write in one turn: nothing may change between a decision and its record.
    const { stored, decision } = await this.#store(existing, desired, this.#decide(desired, asked));
    const stale = changesBefore !== this.#fleet.triggering;
    const outcome = await this.#settle(stored, decision, { stale, beforeSchedule });
    this.#context.schedulerMetrics.attempted(outcome, (performance.now() - start) / 1000);
    return outcome;
  }

  async #settle(
    stored: AnyBinding,
    decision: SchedulingDecision,
    {
      stale,
      beforeSchedule = () => {},
    }: { readonly stale: boolean; readonly beforeSchedule?: (stored: AnyBinding) => void },
  ): Promise<SchedulingDecision> {
    const { uid = "", generation = 0 } = stored.metadata;
    this.#decided.set(uid, generation);
    if (decision.requeue === "done") this.#failed.delete(uid);
    else this.#failed.set(uid, decision.requeue);
    this.#context.informers.of<AnyBinding>(BINDING_API_VERSION, stored.kind).adopt(stored);
    beforeSchedule(stored);
    this.#tell(stored, decision);
    const outcome = await this.#record(stored, decision);
    for (const listener of this.#listeners) listener(stored, outcome, stale);
    return outcome;
  }

  #decide(binding: AnyBinding, asked: Partial<DecisionOptions>): Decided {
    const now = this.#context.clock.now();
    const options = this.#optionsNow(binding, asked);
    const decision = decideScheduling(binding, this.#fleet.index, now, options);
    const record = this.#recordOf(binding, decision, options, now);
    return { decision, binding: withAnnotations(withDecision(binding, decision), record) };
  }

  #optionsNow(binding: AnyBinding, asked: Partial<DecisionOptions>): DecisionOptions {
    const remembered = this.#memories.map((memory) => memory.optionsFor(binding));
    return Object.assign({}, this.#options, asked, ...remembered);
  }

  #recordOf(
    binding: AnyBinding,
    decision: SchedulingDecision,
    options: DecisionOptions,
    now: number,
  ): Readonly<Record<string, string>> {
    if (decision.occasion !== undefined) this.#fleet.decisions.note({ binding, decision, options, now });
    if (this.#context.profile.compatibility === "karmada") return {};
    return recordDecision({ binding, fleet: this.#fleet.index, options, decision, now });
  }

  /**
   * Moves a binding if `decide` says so, under the options that it would be scheduled with; `carryOut` makes of the move
   * what is written, together with the move's decision. Answers with what was decided: also that the server does not take
   * the move, so that everything stays.
   */
  async relocate(
    binding: AnyBinding,
    decide: (fleet: FleetIndex, now: number, options: DecisionOptions) => Relocation,
    carryOut: (move: Move) => AnyBinding,
  ): Promise<Relocation> {
    const key = bindingKey(binding);
    await this.whenWritten(key);
    const collected = collectOptions(this.#inputs, binding);
    const asked = collected instanceof Promise ? await collected : collected;
    const changesBefore = this.#fleet.triggering;
    const now = this.#context.clock.now();
    const options = this.#optionsNow(binding, asked);
    const relocation = decide(this.#fleet.index, now, options);
    if (relocation.verdict !== "move") return relocation;
    const writing = this.#move(binding, relocation, { carryOut, options, now, changesBefore });
    this.#writing.set(key, writing);
    try {
      return await writing;
    } finally {
      if (this.#writing.get(key) === writing) this.#writing.delete(key);
    }
  }

  async #move(
    binding: AnyBinding,
    move: Move,
    { carryOut, options, now, changesBefore }: MoveContext,
  ): Promise<Relocation> {
    const { input, clusters } = move;
    // As seen from where the workload is, which is not always what the move was tried out from.
    const decision = { ...move.decision, clusters };
    const record = this.#recordOf(input, decision, options, now);
    const moved = withAnnotations(withDecision(carryOut(move), decision), record);
    for (const memory of this.#memories) memory.decided(binding, clusters);
    let stored: AnyBinding | undefined;
    try {
      stored = await this.#put(binding, moved);
      await this.#settle(stored, decision, { stale: changesBefore !== this.#fleet.triggering });
      return move;
    } catch (error) {
      if (!isRefusal(error) || stored !== undefined) throw error;
      const reason = `${move.reason}, but the server refuses the move: ${messageOf(error)}`;
      return { verdict: "stay", occasion: move.occasion, reason };
    } finally {
      for (const memory of this.#memories) memory.ended(binding, stored);
    }
  }

  /** Writes the binding with the decision; without it where only that is refused. */
  async #store(
    existing: AnyBinding | undefined,
    desired: AnyBinding,
    { decision, binding }: Decided,
  ): Promise<{ readonly stored: AnyBinding; readonly decision: SchedulingDecision }> {
    const { clusters } = decision;
    if (clusters !== undefined) for (const memory of this.#memories) memory.decided(desired, clusters);
    let stored: AnyBinding | undefined;
    try {
      stored = await this.#put(existing, binding);
      return { stored, decision };
    } catch (error) {
      if (binding === desired || !isRefusal(error)) throw error;
      const kept = await this.#put(existing, desired);
      return { stored: kept, decision: decideRefused(kept, decision, refusalOf(error), this.#context.clock.now()) };
    } finally {
      if (clusters !== undefined) for (const memory of this.#memories) memory.ended(desired, stored);
    }
  }

  async #put(existing: AnyBinding | undefined, binding: AnyBinding): Promise<AnyBinding> {
    if (existing === undefined) return this.#create(binding);
    if (existing === binding || equalJson(withoutServerFields(existing), withoutServerFields(binding))) return existing;
    return this.#context.client.update(binding, { fieldManager: "flaghoist" });
  }

  /** Writes the decision's status. As Karmada: where that fails, the whole attempt counts as failed. */
  async #record(stored: AnyBinding, decision: SchedulingDecision): Promise<SchedulingDecision> {
    try {
      await writeBindingStatus(this.#context, stored, statusOf(stored, decision));
      return decision;
    } catch (error) {
      if (isNotFound(error)) return decision;
      this.#context.logger.debug("status was not written", { binding: bindingKey(stored), error: messageOf(error) });
      this.#failed.set(stored.metadata.uid ?? "", "backoff");
      return { ...decision, requeue: "backoff", reason: `the status was not written: ${messageOf(error)}` };
    }
  }

  async #create(binding: AnyBinding): Promise<AnyBinding> {
    const { client } = this.#context;
    try {
      return await client.create(binding, { fieldManager: "flaghoist" });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Our cache was behind: write over what is there, from what is there.
      const present = await client.get<AnyBinding>(refOf(binding));
      const { resourceVersion, uid } = present.metadata;
      const metadata = {
        ...binding.metadata,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(uid === undefined ? {} : { uid }),
      };
      return client.update({ ...binding, metadata } as AnyBinding, { fieldManager: "flaghoist" });
    }
  }

  #tell(binding: AnyBinding, decision: SchedulingDecision): void {
    for (const event of decision.events) {
      for (const subject of [subjectOf(binding), templateSubject(binding)]) {
        this.#context.events.record(subject, event.type, event.reason, event.message);
      }
    }
  }
}

/** Whether the server said no to what was written, rather than that it is out of date, gone or in the wrong place. */
function isRefusal(error: unknown): error is ApiStatusError {
  return error instanceof ApiStatusError && !isConflict(error) && !isNotFound(error) && !isNamespaceEnding(error);
}

function refusalOf({ status }: ApiStatusError): Refusal {
  return { byQuota: status.code === 403 && status.reason === "QuotaExceeded", message: status.message };
}

/** How events name the object that a binding is for. */
export function templateSubject(binding: AnyBinding): EventSubject {
  const { apiVersion, kind, namespace, name, uid } = binding.spec.resource;
  return { apiVersion, kind, namespace, name, uid };
}

function withDecision(binding: AnyBinding, decision: SchedulingDecision): AnyBinding {
  if (decision.clusters === undefined && decision.annotations === undefined) return binding;
  const annotations = { ...binding.metadata.annotations, ...decision.annotations };
  const spec = decision.clusters === undefined ? binding.spec : { ...binding.spec, clusters: [...decision.clusters] };
  // Only fields of the same types are replaced.
  return { ...binding, metadata: { ...binding.metadata, annotations }, spec } as AnyBinding;
}

function withAnnotations(binding: AnyBinding, added: Readonly<Record<string, string>>): AnyBinding {
  if (Object.keys(added).length === 0) return binding;
  const annotations = { ...binding.metadata.annotations, ...added };
  // Only the annotations are replaced.
  return { ...binding, metadata: { ...binding.metadata, annotations } } as AnyBinding;
}

/** The decision's status, with the generation that the write of that decision made. */
function statusOf(stored: AnyBinding, decision: SchedulingDecision): Partial<ResourceBindingStatus> | undefined {
  const settled = decision.verdict === "scheduled" || decision.verdict === "observed" || decision.verdict === "current";
  const { generation } = stored.metadata;
  if (!settled || generation === undefined) return decision.status;
  return { ...decision.status, schedulerObservedGeneration: generation };
}

function withoutServerFields(object: KubeObject): unknown {
  const { status: _status, metadata, ...rest } = object;
  const {
    managedFields: _managed,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    uid: _uid,
    ...kept
  } = metadata;
  return { ...rest, metadata: kept };
}
