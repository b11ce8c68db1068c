// Argo Workflows: Workflow.

import type { KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt, textAt } from "../../field-access.ts";
import type { Dependency, ReplicaDemand } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { retaining, revising } from "../rules/fields.ts";
import { optionalNumberAt } from "../rules/numbers.ts";
import { requirementsOfPodSpec } from "../rules/pod-templates.ts";
import { References } from "../rules/references.ts";

export const WORKFLOW: KindRules = {
  getReplicas: demandOfWorkflow,
  reviseReplica: revising("spec", "parallelism"),
  // A run is stopped and goes on in its cluster, and its controller keeps the progress in the status.
  retain: retaining(["spec", "suspend"], ["status"]),
  interpretHealth: isWorkflowHealthy,
  getDependencies: dependenciesOfWorkflow,
};

const BAD_PHASES: readonly unknown[] = ["", "Error", "Failed"];

/** It has begun and has not failed. */
function isWorkflowHealthy(object: KubeObject): boolean {
  return !BAD_PHASES.includes(fieldsAt(object, "status")["phase"] ?? "");
}

/** As many pods at once as the author allows; one, where the author leaves it open. They differ from step to step, but not in their nodes. */
function demandOfWorkflow(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  const { affinity, nodeSelector, tolerations } = spec;
  const replicas = Math.trunc(optionalNumberAt(spec, "parallelism", "spec") ?? 1);
  const requirements = requirementsOfPodSpec({ affinity, nodeSelector, tolerations });
  return requirements === undefined ? { replicas } : { replicas, requirements };
}

/** As Karmada: a Secret in a volume is looked for under `name`, and claims are needed that the run makes itself. */
function dependenciesOfWorkflow(object: KubeObject): readonly Dependency[] {
  const { namespace } = object.metadata;
  const spec = fieldsAt(object, "spec");
  const volumes = objectsAt(spec, "volumes").map(withSecretUnderName);
  const { imagePullSecrets, serviceAccountName } = spec;
  const ofPods = dependenciesOfPodSpec(namespace, { volumes, imagePullSecrets, serviceAccountName });
  const references = new References(object);
  for (const { kind, name = "" } of ofPods) references.add(kind, name);
  references.add("ServiceAccount", textAt(fieldsAt(spec, "executor"), "serviceAccountName"));
  for (const claim of objectsAt(spec, "volumeClaimTemplates")) {
    references.add("PersistentVolumeClaim", textAt(fieldsAt(claim, "metadata"), "name"));
  }
  return references.list();
}

function withSecretUnderName(volume: Fields): Fields {
  const secret = optionalFieldsAt(volume, "secret");
  return secret === undefined ? volume : { ...volume, secret: { secretName: secret["name"] } };
}
