// Propagation policies that place nothing, and objects that lost the policy that placed them.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import type { Candidate } from "../../policies/match.ts";
import { isDeleting } from "../../policies/match.ts";
import { type Policy, policyKey, policyName } from "../../policies/policy-index.ts";
import { andList, count, objectName } from "../../reports/words.ts";
import { isNamespace } from "../namespaces.ts";
import type { Outcome } from "../river.ts";
import { about, type ReviewedChange, type ReviewedSide } from "./reviewed-change.ts";

const NAMED = 3;

/** Policies that select objects of which others always have every one. */
export function policyNeverWins(side: ReviewedSide): readonly ReportFinding[] {
  const contests = contestsOf(side);
  return side.world.policies.flatMap((policy): ReportFinding[] => {
    const contest = contests.get(policyKey(policy));
    if (contest === undefined || contest.won || isDeleting(policy) || !isWhole(side, policy)) return [];
    const winners = [...contest.losses.values()];
    const [first] = winners;
    const names = winners
      .slice(0, NAMED)
      .map(({ winner, reason }) => `${policyName(winner)}${reason === undefined ? "" : ` (${reason})`}`);
    const rest = winners.length > NAMED ? [`${winners.length - NAMED} more`] : [];
    return [
      {
        rule: "policy-never-wins",
        severity: "warning",
        ...about(side.change, refOfPolicy(policy)),
        field: "spec.resourceSelectors",
        message: `policy ${policyName(policy)} places nothing: of the ${count(contest.objects, "object")} that it selects, ${andList([...names, ...rest])} ${contest.objects === 1 ? "has it" : "have every one"}`,
        advice:
          first?.isClaim === true
            ? `set spec.preemption: Always and a spec.priority above that of ${policyName(first.winner)}, or take the object out of that policy`
            : "give it a higher spec.priority or a closer selector, or delete it",
      },
    ];
  });
}

/** Policies that select no object at all. */
export function policySelectsNothing(side: ReviewedSide): readonly ReportFinding[] {
  const selected = new Set<string>();
  for (const { candidates } of side.outcomes.values())
    for (const { policy } of candidates) selected.add(policyKey(policy));
  return side.world.policies.flatMap((policy): ReportFinding[] => {
    // Said of policies that change: what waits for objects of another repository is none of this change's business.
    if (selected.has(policyKey(policy)) || isDeleting(policy) || !side.change.touched.has(refKey(refOfPolicy(policy))))
      return [];
    return [
      {
        rule: "policy-selects-nothing",
        severity: "warning",
        ...about(side.change, refOfPolicy(policy)),
        field: "spec.resourceSelectors",
        message: `policy ${policyName(policy)} places nothing: there is no object that it selects`,
        advice: "check apiVersion, kind, namespace, name and labels of its selectors, or add the objects",
      },
    ];
  });
}

/** Objects that stay where they are, though no policy has them any more. */
export function policyLetGo(change: ReviewedChange): readonly ReportFinding[] {
  const released = new Map<string, { policy: Policy; objects: Outcome[]; clusters: Set<string> }>();
  for (const [key, outcome] of change.after.outcomes) {
    const old = change.before.outcomes.get(key)?.policy;
    if (old === undefined || outcome.policy !== undefined || outcome.waiting !== undefined) continue;
    if (outcome.copies.length === 0 || outcome.unknown !== undefined) continue;
    const one = released.get(policyKey(old)) ?? { policy: old, objects: [], clusters: new Set<string>() };
    one.objects.push(outcome);
    for (const { cluster } of outcome.copies) one.clusters.add(cluster);
    released.set(policyKey(old), one);
  }
  return [...released.values()].map(({ policy, objects, clusters }): ReportFinding => {
    const names = objects.slice(0, NAMED).map(({ ref }) => objectName(ref));
    const rest = objects.length > NAMED ? [`${objects.length - NAMED} more`] : [];
    const one = objects.length === 1;
    const isGone = change.removed.some(({ object }) => refKey(object) === refKey(refOfPolicy(policy)));
    return {
      rule: "policy-lets-go",
      severity: "warning",
      ...about(change, refOfPolicy(policy)),
      clusters: [...clusters].sort(),
      message: `${andList([...names, ...rest])} ${one ? "stays" : "stay"} in ${one ? "its" : "their"} clusters, and changes of ${one ? "it" : "them"} are rolled out no longer: policy ${policyName(policy)} ${isGone ? "goes" : "no longer selects them"} and no other one selects ${one ? "it" : "them"}`,
      advice: "let another policy select them, or delete the objects when they are to go from the clusters",
    };
  });
}

interface Contest {
  objects: number;
  won: boolean;
  readonly losses: Map<
    string,
    { readonly winner: Policy; readonly reason: string | undefined; readonly isClaim: boolean }
  >;
}

function contestsOf({ outcomes }: ReviewedSide): ReadonlyMap<string, Contest> {
  const contests = new Map<string, Contest>();
  for (const { candidates, policy: chosen, waiting, template } of outcomes.values()) {
    // They go everywhere by themselves.
    if (isNamespace(template)) continue;
    const winner = chosen ?? waiting;
    for (const candidate of candidates) {
      const key = policyKey(candidate.policy);
      const contest: Contest = contests.get(key) ?? { objects: 0, won: false, losses: new Map() };
      contest.objects += 1;
      // Of what nobody has it cannot be said who kept it from whom.
      if (winner === undefined || policyKey(winner) === key) contest.won = true;
      else if (!contest.losses.has(policyKey(winner))) contest.losses.set(policyKey(winner), lossTo(winner, candidate));
      contests.set(key, contest);
    }
  }
  return contests;
}

function lossTo(
  winner: Policy,
  { policy, verdict, reason }: Candidate,
): { winner: Policy; reason: string | undefined; isClaim: boolean } {
  if (winner.kind === "PropagationPolicy" && policy.kind === "ClusterPropagationPolicy")
    return { winner, reason: "policies of a namespace precede those of the cluster", isClaim: false };
  if (verdict === "best") return { winner, reason: "it had them first", isClaim: true };
  return {
    winner,
    reason: reason.startsWith("priority ") ? reason.replace(/ of \S+$/, "") : undefined,
    isClaim: false,
  };
}

/** In a part of the world only policies that change have all their objects there. */
function isWhole({ world, change }: ReviewedSide, policy: Policy): boolean {
  return world.partial !== true || change.touched.has(refKey(refOfPolicy(policy)));
}

function refOfPolicy(policy: Policy): ObjectRef {
  // Policies are objects.
  return refOf(policy as unknown as KubeObject);
}
