// LeaderWorkerSet: groups of pods, each a leader and its workers, that are scaled as one.

import type { ReplicaRequirements } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import {
  addQuantities,
  formatQuantity,
  multiplyQuantity,
  quantityFromJson,
  ZERO_QUANTITY,
} from "../../../kube/quantity.ts";
import { fieldsAt, optionalFieldsAt } from "../field-access.ts";
import type { ReplicaDemand } from "../interpreter.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { revising } from "./rules/fields.ts";
import { isCurrentWith } from "./rules/kstatus.ts";
import { numberOr } from "./rules/numbers.ts";
import { dependenciesOfTemplate, requirementsOfTemplate } from "./rules/pod-templates.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const COUNTERS = ["replicas", "readyReplicas", "updatedReplicas"];

export const LEADER_WORKER_SET_RULES: RulesByKind = {
  "leaderworkerset.x-k8s.io/v1/LeaderWorkerSet": {
    getReplicas: demandOf,
    reviseReplica: revising("spec", "replicas"),
    interpretHealth: isCurrentWith("Available"),
    getDependencies: (object) =>
      distinctDependencies(
        ["leaderTemplate", "workerTemplate"].flatMap((template) =>
          dependenciesOfTemplate(object, fieldsAt(object, "spec", "leaderWorkerTemplate", template)),
        ),
      ),
    reflectStatus: reflectingWithGenerations([...COUNTERS, "hpaPodSelector", "conditions", "observedGeneration"]),
    aggregateStatus: aggregatingAgreement({
      decisive: ["Available"],
      announcing: ["Progressing", "UpdateInProgress"],
      sums: COUNTERS,
      agreed: ["hpaPodSelector"],
    }),
  },
};

/** A replica is a group; what it needs is what its pods need together, on nodes that the workers can run on. */
function demandOf(object: KubeObject): ReplicaDemand {
  const template = fieldsAt(object, "spec", "leaderWorkerTemplate");
  const workers = Math.max(0, numberOr(template["size"], 1) - 1);
  const worker = requirementsOfTemplate(fieldsAt(template, "workerTemplate"));
  const own = optionalFieldsAt(template, "leaderTemplate");
  const leader = own === undefined ? worker : requirementsOfTemplate(own);
  const requirements = together(leader, worker, workers);
  const replicas = numberOr(fieldsAt(object, "spec")["replicas"], 1);
  return { replicas, ...(requirements === undefined ? {} : { requirements }) };
}

function together(
  leader: ReplicaRequirements | undefined,
  worker: ReplicaRequirements | undefined,
  workers: number,
): ReplicaRequirements | undefined {
  const request: Record<string, string> = {};
  const names = new Set([leader, worker].flatMap((pod) => Object.keys(pod?.resourceRequest ?? {})));
  for (const name of names) {
    const [ofLeader, ofWorker] = [leader, worker].map((pod) => {
      const written = pod?.resourceRequest?.[name];
      return written === undefined ? ZERO_QUANTITY : quantityFromJson(written);
    });
    const sum = addQuantities(ofLeader ?? ZERO_QUANTITY, multiplyQuantity(ofWorker ?? ZERO_QUANTITY, workers));
    request[name] = formatQuantity(sum);
  }
  const nodeClaim = (workers > 0 ? worker : leader)?.nodeClaim;
  if (names.size === 0 && nodeClaim === undefined) return undefined;
  return {
    ...(nodeClaim === undefined ? {} : { nodeClaim }),
    ...(names.size === 0 ? {} : { resourceRequest: request }),
  };
}
