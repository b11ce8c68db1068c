// The general estimator: replicas and sets of components, beside what is already on its way.
import { quantityFromJson } from "../../../../../kube/quantity.ts";
import { readAmount, readCapacity } from "../../../../../reconciler/scheduler/estimates/capacity.ts";
import {
  randomComponents,
  randomHardFleet,
  randomRequest,
} from "../../../../../reconciler/scheduler/testing/random-bindings.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerEstimate, type EstimateInput } from "../../../suites/estimator.ts";
import type { Operation, Question } from "../operation.ts";
import { hasWrappingAmount, WRAPPING } from "./wrapping.ts";

const TOO_MANY_SETS = "room for more than 2^31 sets, which Karmada counts in 32 bits and takes for less";

/** Whether a cluster has room for more than 2^31 times what a set wants of some resource. */
function holdsTooManySets({ clusters, components = [] }: EstimateInput): boolean {
  const perSet = new Map<string, number>();
  for (const { replicas, replicaRequirements } of components) {
    for (const [resource, wanted] of Object.entries(replicaRequirements?.resourceRequest ?? {})) {
      const { own } = readAmount(quantityFromJson(wanted));
      perSet.set(resource, (perSet.get(resource) ?? 0) + replicas * own);
    }
  }
  return clusters.some((cluster) => {
    const available = readCapacity(cluster)?.available;
    return [...perSet].some(([resource, wanted]) => (available?.get(resource)?.own ?? 0) / wanted > 2 ** 31);
  });
}

function ask(dice: Dice): Question<EstimateInput>[] {
  const clusters = randomHardFleet(dice, 12);
  return Array.from({ length: 5 }, () => {
    const assumes = dice.chance(0.35);
    const gates = {
      ...(assumes || dice.chance(0.1) ? { SchedulingOvercommitProtection: true } : {}),
      ...(dice.chance(0.15) ? { CustomizedClusterResourceModeling: false } : {}),
    };
    return {
      input: {
        clusters,
        ...(dice.chance(0.45)
          ? { components: dice.chance(0.05) ? [] : randomComponents(dice) }
          : dice.chance(0.9)
            ? { replicaRequirements: { resourceRequest: randomRequest(dice) } }
            : {}),
        ...(assumes
          ? {
              assumedWorkloads: Object.fromEntries(
                clusters
                  .filter(() => dice.chance(0.6))
                  .map((cluster) => [
                    cluster.metadata.name ?? "",
                    Array.from({ length: dice.between(1, 3) }, () => ({
                      namespace: "shop",
                      components: randomComponents(dice),
                    })),
                  ]),
              ),
            }
          : {}),
        ...(Object.keys(gates).length > 0 ? { featureGates: gates } : {}),
      },
    };
  });
}

export const estimateOperation: Operation<EstimateInput> = {
  op: "estimate",
  file: "estimator.json",

  ask,

  judge: (recorded) => judge(recorded, answerEstimate),

  isSensible: ({ clusters, components }) =>
    clusters.every((cluster) => cluster.metadata.name !== undefined && cluster.spec !== undefined) &&
    (components ?? []).every((component) => component.replicas !== undefined),

  understood({ input }) {
    if (input.clusters.some(hasWrappingAmount)) return WRAPPING;
    return holdsTooManySets(input) ? TOO_MANY_SETS : undefined;
  },

  tags: ({ input }) => [
    input.components === undefined ? "replicas" : "component-sets",
    ...(input.assumedWorkloads === undefined ? [] : ["assumed-workloads"]),
    ...(input.clusters.some((cluster) => cluster.spec.resourceModels !== undefined) ? ["resource-models"] : []),
    ...Object.keys(input.featureGates ?? {}).map((gate) => `gate-${gate}`),
    ...Object.keys(input.replicaRequirements?.resourceRequest ?? {}),
  ],
};
