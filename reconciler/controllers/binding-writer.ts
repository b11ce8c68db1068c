// Writes a binding together with the scheduler's decision about it: one write for what was decided, one for its status.
import type { ResourceBindingStatus } from "../../api/work.ts";
import { isAlreadyExists, isConflict } from "../../kube/client/status-error.ts";
import { setCondition } from "../../kube/conditions.ts";
import { equalJson, type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import { type DecisionOptions, decideScheduling, type SchedulingDecision } from "../scheduler/decide-scheduling.ts";
import { recordDecision } from "../scheduler/decision-record.ts";
import { FILTER_NAMES } from "../scheduler/filters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../works/binding.ts";
import type { ControllerContext } from "./context.ts";
import { type EventSubject, subjectOf } from "./events.ts";
import type { FleetState } from "./fleet-state.ts";
import { collectOptions, type SchedulingInput } from "./scheduling-inputs.ts";

const STATUS_ATTEMPTS = 5;

export class BindingWriter {
  readonly #context: ControllerContext;
  readonly #fleet: FleetState;
  readonly #inputs: readonly SchedulingInput[];
  /** Generations that were scheduled when they were written; the scheduling loop passes them over. */
  readonly #handled = new Map<string, number>();
  /** Counts the calls of `forget`, for decisions that are being written meanwhile. */
  #fleetChanges = 0;

  constructor(context: ControllerContext, fleet: FleetState, inputs: readonly SchedulingInput[] = []) {
    this.#context = context;
    this.#fleet = fleet;
    this.#inputs = inputs;
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
      context.informers.of(BINDING_API_VERSION, kind).subscribe((change) => {
        if (change.type === "deleted") this.#handled.delete(change.object.metadata.uid ?? "");
      });
    }
  }

  /** True when the binding's present generation already carries the scheduler's decision. */
  isHandled(binding: AnyBinding): boolean {
    return this.#handled.get(binding.metadata.uid ?? "") === binding.metadata.generation;
  }

  /** Lets the next pass of the scheduling loop decide again, because the fleet changed. */
  forget(binding: AnyBinding): void {
    this.#fleetChanges++;
    this.#handled.delete(binding.metadata.uid ?? "");
  }

  /**
   * Decides where `desired` goes and writes it: created when `existing` is undefined, else updated when anything differs.
   * Answers with the decision. `beforeSchedule` is called with the stored binding just before the decision's events are
   * recorded, which is before anybody can have acted on the binding.
   */
  async write(
    existing: AnyBinding | undefined,
    desired: AnyBinding,
    beforeSchedule: (stored: AnyBinding) => void = () => {},
  ): Promise<SchedulingDecision> {
    const { client, clock, informers, profile } = this.#context;
    const { schedulerName, emptyWorkloadPropagation, disabledPlugins } = profile.scheduling;
    const changesBefore = this.#fleetChanges;
    const collected = collectOptions(this.#inputs, desired);
    const options = collected instanceof Promise ? await collected : collected;
    const all: DecisionOptions = {
      keepOrder: true,
      featureGates: profile.featureGates,
      schedulerName,
      emptyWorkloadPropagation,
      disabledFilters: FILTER_NAMES.filter((name) => disabledPlugins.includes(name)),
      ...options,
    };
    const now = clock.now();
    const decision = decideScheduling(desired, this.#fleet.index, now, all);
    const decided = withAnnotations(
      withDecision(desired, decision),
      profile.compatibility === "karmada"
        ? {}
        : recordDecision({ binding: desired, fleet: this.#fleet.index, options: all, decision, now }),
    );
    let stored: AnyBinding;
    if (existing === undefined) {
      stored = await this.#create(decided);
    } else if (equalJson(withoutServerFields(existing), withoutServerFields(decided))) {
      stored = existing;
    } else {
      stored = await client.update(decided, { fieldManager: "flaghoist" });
    }
    // What could not be placed is the scheduling loop's to try again.
    // And what was decided before the fleet changed is not the last word.
    const isLastWord = decision.requeue === "done" && changesBefore === this.#fleetChanges;
    if (isLastWord) this.#handled.set(stored.metadata.uid ?? "", stored.metadata.generation ?? 0);
    else this.#handled.delete(stored.metadata.uid ?? "");
    informers.of<AnyBinding>(BINDING_API_VERSION, stored.kind).adopt(stored);
    beforeSchedule(stored);
    this.#tell(stored, decision);
    await this.writeStatus(stored, statusOf(stored, decision));
    return decision;
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

  /**
   * Merges changes into the status of a binding; nothing is sent when it says so already. Several loops write there: of
   * the conditions only those are touched that `changes` has otherwise than `binding`, which it was made from.
   */
  async writeStatus(binding: AnyBinding, changes: Partial<ResourceBindingStatus> | undefined): Promise<AnyBinding> {
    const { client, informers } = this.#context;
    if (changes === undefined) return binding;
    const informer = informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind);
    const ref: ObjectRef = refOf(binding);
    let current = informer.get(ref.namespace, ref.name) ?? binding;
    for (let attempt = 0; ; attempt++) {
      if (current.metadata.uid !== binding.metadata.uid) return binding;
      const status = withConditions(changes, binding, current);
      if (equalJson(current.status ?? {}, { ...current.status, ...status })) return binding;
      const { resourceVersion } = current.metadata;
      try {
        const stored = await client.patch<AnyBinding>(ref, { metadata: { resourceVersion }, status }, "merge", {
          subresource: "status",
          fieldManager: "flaghoist",
        });
        informer.adopt(stored);
        return stored;
      } catch (error) {
        if (!isConflict(error) || attempt >= STATUS_ATTEMPTS) throw error;
        current = await client.get<AnyBinding>(ref);
      }
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

function withConditions(
  changes: Partial<ResourceBindingStatus>,
  base: AnyBinding,
  current: AnyBinding,
): Partial<ResourceBindingStatus> {
  if (changes.conditions === undefined) return changes;
  let conditions = current.status?.conditions ?? [];
  for (const condition of changes.conditions) {
    const before = base.status?.conditions?.find((other) => other.type === condition.type);
    if (!equalJson(before, condition)) conditions = setCondition(conditions, condition);
  }
  return { ...changes, conditions };
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
