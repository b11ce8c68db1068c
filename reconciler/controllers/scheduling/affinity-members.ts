// The other bindings of a workload's affinity groups, with where they are or are about to go. For gate WorkloadAffinity.
import type { ResourceBinding, TargetCluster, WorkloadAffinityGroups } from "../../../api/work.ts";
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import type { GroupMember } from "../../scheduler/options.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { bindingKey } from "./binding-key.ts";
import type { DecisionMemory } from "./decision-memory.ts";

interface Placed {
  readonly groups: WorkloadAffinityGroups | undefined;
  readonly clusters: readonly TargetCluster[];
}

const NOTHING: Partial<DecisionOptions> = {};

/**
 * Follows the ResourceBindings of the store; ClusterResourceBindings have no such groups. A result that is being written
 * counts from its decision on, so that of two workloads that are decided one right after the other the second knows of the
 * first.
 */
export class AffinityMembers implements DecisionMemory {
  readonly #stored = new Map<string, Placed>();
  /** Being written; stands before what is stored. */
  readonly #coming = new Map<string, Placed>();
  /** Keys of the members of each group, stored or coming. */
  readonly #members = new Map<string, Set<string>>();

  constructor(context: ControllerContext) {
    context.informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding").subscribe(({ type, object }) => {
      this.#set(this.#stored, object, type === "deleted" ? undefined : (object.spec.clusters ?? []));
    });
  }

  optionsFor(binding: AnyBinding): Partial<DecisionOptions> {
    const groups = binding.spec.workloadAffinityGroups;
    if (groups == null) return NOTHING;
    const { affinityGroup, antiAffinityGroup } = groups;
    return {
      ...(affinityGroup ? { affinityMembers: this.#others(binding, affinityKey(binding, affinityGroup)) } : {}),
      ...(antiAffinityGroup
        ? { antiAffinityMembers: this.#others(binding, apartKey(binding, antiAffinityGroup)) }
        : {}),
    };
  }

  decided(binding: AnyBinding, clusters: readonly TargetCluster[]): void {
    if (binding.kind === "ResourceBinding") this.#set(this.#coming, binding, clusters);
  }

  ended(binding: AnyBinding, stored: AnyBinding | undefined): void {
    if (binding.kind !== "ResourceBinding") return;
    if (stored !== undefined) this.#set(this.#stored, stored, stored.spec.clusters ?? []);
    this.#set(this.#coming, binding, undefined);
  }

  #others(binding: AnyBinding, group: string): readonly GroupMember[] {
    const own = bindingKey(binding);
    const others: GroupMember[] = [];
    for (const key of this.#members.get(group) ?? []) {
      const { clusters } = this.#coming.get(key) ?? this.#stored.get(key) ?? { clusters: [] };
      if (key !== own && clusters.length > 0) others.push({ clusters });
    }
    return others;
  }

  #set(where: Map<string, Placed>, binding: AnyBinding, clusters: readonly TargetCluster[] | undefined): void {
    const key = bindingKey(binding);
    const before = new Set([
      ...this.#groupsOf(binding, this.#stored.get(key)),
      ...this.#groupsOf(binding, this.#coming.get(key)),
    ]);
    const groups = binding.spec.workloadAffinityGroups;
    if (clusters === undefined || groups == null) where.delete(key);
    else where.set(key, { groups, clusters });
    for (const group of before) this.#members.get(group)?.delete(key);
    for (const group of this.#groupsOf(binding, this.#coming.get(key) ?? this.#stored.get(key))) {
      const members = this.#members.get(group);
      if (members === undefined) this.#members.set(group, new Set([key]));
      else members.add(key);
    }
    for (const group of before) if (this.#members.get(group)?.size === 0) this.#members.delete(group);
  }

  #groupsOf(binding: AnyBinding, placed: Placed | undefined): string[] {
    const { affinityGroup, antiAffinityGroup } = placed?.groups ?? {};
    return [
      ...(affinityGroup ? [affinityKey(binding, affinityGroup)] : []),
      ...(antiAffinityGroup ? [apartKey(binding, antiAffinityGroup)] : []),
    ];
  }
}

function affinityKey(binding: AnyBinding, group: string): string {
  return `together ${binding.metadata.namespace ?? ""} ${group}`;
}

function apartKey(binding: AnyBinding, group: string): string {
  return `apart ${binding.metadata.namespace ?? ""} ${group}`;
}
