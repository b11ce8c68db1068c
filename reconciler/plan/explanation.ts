// What is said of one object: where it is and why, from the policy down to single fields.
import type { TargetCluster } from "../../api/work.ts";
import type { ObjectRef } from "../../kube/object.ts";
import type { DivisionTrace, SchedulingTrace, SelectionTrace } from "../scheduler/explanation/trace.ts";
import type { ClusterExplanation } from "./explain-clusters.ts";
import type { NearPolicy, OtherPolicy, PolicyName } from "./explain-policies.ts";
import type { Origin } from "./origin.ts";

export interface DivisionExplanation extends DivisionTrace {
  /** By cluster: the static rule, counted from 1, that gives the weight. */
  readonly ruleOf: Readonly<Record<string, number>>;
  /** Static rules that match no cluster. */
  readonly idleRules: readonly number[];
}

export interface Explanation {
  readonly object: ObjectRef;
  readonly origin: Origin | undefined;
  /**
   * `placed`: in at least one cluster. `unplaced`: a policy has it, but it is in no cluster. `attached`: goes where
   * objects go that need it. `everywhere`: a namespace, which every cluster gets. `unclaimed`: no policy selects it. `kept`: never leaves the control plane.
   */
  readonly state: "placed" | "unplaced" | "attached" | "everywhere" | "unclaimed" | "kept";
  /** Why it is kept, or cannot be placed. */
  readonly reason: string | undefined;
  readonly policy: (PolicyName & { readonly why: string; readonly origin: Origin | undefined }) | undefined;
  readonly otherPolicies: readonly OtherPolicy[];
  readonly nearPolicies: readonly NearPolicy[];
  /** The objects that need this one; `name` is that of a binding when the object is not known. */
  readonly follows: readonly ObjectRef[];
  readonly replicas: number | undefined;
  readonly affinityGroup:
    | { readonly name: string; readonly failed: readonly { readonly name: string; readonly message: string }[] }
    | undefined;
  readonly clusters: readonly ClusterExplanation[];
  readonly strategy: SchedulingTrace["strategy"] | undefined;
  readonly selection: SelectionTrace | undefined;
  readonly divisions: readonly DivisionExplanation[];
  /** Set when a division from scratch would come out differently. */
  readonly differs:
    | { readonly present: readonly TargetCluster[]; readonly fresh: readonly TargetCluster[]; readonly reason: string }
    | undefined;
  /** Conditions that keep the object from being as wanted. */
  readonly blocking: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  readonly problems: readonly string[];
  readonly lastScheduledTime: string | undefined;
  /** The decision as it was made, where its record is kept. */
  readonly decision: DecisionExplanation | undefined;
  /** What holds the object, its scheduling or its delivery back, or will. */
  readonly notes: readonly string[];
}

export interface DecisionExplanation {
  /** RFC 3339. */
  readonly decidedAt: string;
  readonly occasion: string;
  readonly fleetVersion: number;
  /** Why the record is of no use, so that all else was worked out from the present state; undefined when it is. */
  readonly problem: string | undefined;
  /** What is otherwise now than when it was decided. */
  readonly since: readonly string[];
}

/** An explanation of nothing in particular, to be filled in. */
export const NOTHING: Omit<Explanation, "object" | "origin" | "state"> = {
  reason: undefined,
  policy: undefined,
  otherPolicies: [],
  nearPolicies: [],
  follows: [],
  replicas: undefined,
  affinityGroup: undefined,
  clusters: [],
  strategy: undefined,
  selection: undefined,
  divisions: [],
  differs: undefined,
  blocking: [],
  problems: [],
  lastScheduledTime: undefined,
  decision: undefined,
  notes: [],
};
