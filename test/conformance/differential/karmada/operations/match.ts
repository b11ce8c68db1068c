// Selectors, affinities, and the choice among policies.
import { randomHardFleet } from "../../../../../reconciler/scheduler/testing/random-bindings.ts";
import { randomAffinity } from "../../../../../reconciler/scheduler/testing/random-placements.ts";
import { randomPolicies, randomResource, randomSelector } from "../../../../random/matching.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerMatch, type MatchInput } from "../../../suites/matching.ts";
import type { Operation } from "../operation.ts";

export const matchOperation: Operation<MatchInput> = {
  op: "match",
  file: "matching.json",

  ask(dice) {
    const resource = randomResource(dice);
    const clusters = randomHardFleet(dice, 8);
    const names = clusters.map((cluster) => cluster.metadata.name ?? "");
    const affinities = clusters.map((cluster) => ({ input: { cluster, affinity: randomAffinity(dice, names) } }));
    const selectors = Array.from({ length: 5 }, () => ({
      input: { resource, selector: randomSelector(dice, resource) },
    }));
    const choices = Array.from({ length: 5 }, () => ({
      input: { resource, policies: randomPolicies(dice, resource) },
    }));
    return [...selectors, ...affinities, ...choices];
  },

  judge: (recorded) => judge(recorded, answerMatch),

  isSensible(input) {
    if ("policies" in input) return input.policies.every((policy) => policy.metadata.name !== undefined);
    return "selector" in input ? input.resource.metadata !== undefined : input.cluster.spec !== undefined;
  },

  tags({ input }, { expected }) {
    if ("policies" in input) return ["policy-choice", `policies-${input.policies.length}`];
    // The form in which answers are recorded.
    const answer = expected as { readonly implicitPriority?: number; readonly matches?: boolean };
    if ("selector" in input) return ["resource-selector", `implicit-priority-${answer.implicitPriority}`];
    const operators = input.affinity.fieldSelector?.matchExpressions?.map((one) => `field-${one.key}-${one.operator}`);
    return ["cluster-affinity", `matches-${answer.matches}`, ...Object.keys(input.affinity), ...(operators ?? [])];
  },
};
