// The ReplicaSet that has a Deployment's template: made when it is not there, and kept at the latest revision.
import { isNamespaceEnding } from "../../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { attempt, perform, type Steps, tell, writeStatus } from "../../kernel/action.ts";
import { controllerRef } from "../controller-refs.ts";
import { hashTemplate, TEMPLATE_HASH_LABEL } from "../pod-template-hash.ts";
import type { ReplicaSet } from "../replica-set/replica-set.ts";
import type { Deployment, DeploymentStatus } from "./deployment.ts";
import { lacksProgress, type Moment, sayProgress } from "./deployment-status.ts";
import { currentSetAnnotations, highestRevision, REVISION, replicasAnnotations } from "./revisions.ts";

const LONGEST_NAME = 253;

/**
 * Brings annotations of the set, and the revision of the Deployment, to where they belong. Answers whether it wrote
 * something: one thing at a time.
 */
export function* syncCurrentSet(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  now: Moment,
): Steps<boolean> {
  const before = current.metadata.annotations ?? {};
  const annotations = currentSetAnnotations(deployment, before, highestRevision(old) + 1);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  if (!sameAnnotations(before, annotations) || (current.spec.minReadySeconds ?? 0) !== minReadySeconds) {
    const metadata = { ...current.metadata, annotations };
    yield* perform({ do: "update", object: { ...current, metadata, spec: { ...current.spec, minReadySeconds } } });
    return true;
  }
  const found = `Found new replica set "${current.metadata.name}"`;
  const status = lacksProgress(deployment)
    ? sayProgress(deployment, "True", "FoundNewReplicaSet", found, now)
    : deployment.status;
  return yield* writeRevision(deployment, annotations[REVISION], status);
}

function sameAnnotations(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  // Annotations are added and changed, never taken away.
  return Object.entries(b).every(([key, value]) => a[key] === value);
}

/** As Kubernetes: the revision of a Deployment is written together with its status. */
function* writeRevision(
  deployment: Deployment,
  revision: string | undefined,
  status: DeploymentStatus | undefined,
): Steps<boolean> {
  const { annotations } = deployment.metadata;
  const sameRevision = revision === undefined || annotations?.[REVISION] === revision;
  if (sameRevision && status === deployment.status) return false;
  const metadata = sameRevision
    ? deployment.metadata
    : { ...deployment.metadata, annotations: { ...annotations, [REVISION]: revision } };
  yield* perform({ do: "update", object: { ...deployment, metadata, status: status ?? {} }, subresource: "status" });
  return true;
}

/** Makes the set, with `size` Pods to begin with, and says so in the Deployment's status. */
export function* createCurrentSet(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  size: number,
  now: Moment,
): Steps<void> {
  const set = currentSet(deployment, old, size);
  const name = set.metadata.name ?? "";
  const outcome = yield* attempt({ do: "create", object: set });
  if (outcome.ok) {
    if (size > 0)
      yield* tell(deployment, "Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${size}`);
    const said = sayProgress(deployment, "True", "NewReplicaSetCreated", `Created new replica set "${name}"`, now);
    yield* writeRevision(deployment, set.metadata.annotations?.[REVISION], said);
    return;
  }
  const { status } = outcome.error;
  if (isNamespaceEnding(outcome.error)) return;
  if (status.reason === "AlreadyExists") {
    // Another set has the name: it is not of this template, or it would have been found.
    const { collisionCount = 0 } = deployment.status ?? {};
    yield* writeStatus(deployment, { ...deployment.status, collisionCount: collisionCount + 1 });
    return;
  }
  const message = `Failed to create new replica set "${name}": ${status.message ?? ""}`;
  const failed = sayProgress(deployment, "False", "ReplicaSetCreateError", message, now);
  if (failed !== deployment.status) yield* attemptStatus(deployment, failed);
  yield* tell(deployment, "Warning", "ReplicaSetCreateError", message);
  throw outcome.error;
}

function* attemptStatus(deployment: Deployment, status: DeploymentStatus): Steps<void> {
  yield* attempt({ do: "update", object: { ...deployment, status }, subresource: "status" });
}

function currentSet(deployment: Deployment, old: readonly ReplicaSet[], size: number): KubeObject {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = hashTemplate(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  const annotations = currentSetAnnotations(deployment, {}, highestRevision(old) + 1);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${(deployment.metadata.name ?? "").slice(0, LONGEST_NAME - 1 - hash.length)}-${hash}`,
      namespace: deployment.metadata.namespace ?? "default",
      labels,
      annotations: { ...annotations, ...replicasAnnotations(deployment) },
      ownerReferences: [controllerRef(deployment)],
    },
    spec: {
      replicas: size,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
