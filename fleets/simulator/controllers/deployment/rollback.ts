// Rollbacks that an annotation asks for, as Deployments of old API versions did with a field.
import { perform, type Steps, tell } from "../../kernel/action.ts";
import { equalTemplates, TEMPLATE_HASH_LABEL } from "../pod-template-hash.ts";
import type { ReplicaSet } from "../replica-set/replica-set.ts";
import type { Deployment } from "./deployment.ts";
import { annotationsAfterRollback, lastRevision, ROLLBACK_TO, revisionOf } from "./revisions.ts";

const NOT_FOUND = "DeploymentRollbackRevisionNotFound";

/** Takes the template of the set with a revision, 0 standing for the last one, and forgets what was asked for. */
export function* rollBack(deployment: Deployment, sets: readonly ReplicaSet[], asked: number): Steps<void> {
  const revision = asked === 0 ? lastRevision(sets) : asked;
  if (revision === 0) {
    yield* tell(deployment, "Warning", NOT_FOUND, "Unable to find last revision.");
    return yield* forget(deployment);
  }
  const set = sets.find((each) => revisionOf(each) === revision);
  if (set === undefined) {
    yield* tell(deployment, "Warning", NOT_FOUND, "Unable to find the revision to rollback to.");
    return yield* forget(deployment);
  }
  const { name } = deployment.metadata;
  if (equalTemplates(set.spec.template, deployment.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    yield* tell(deployment, "Warning", "DeploymentRollbackTemplateUnchanged", message);
    return yield* forget(deployment);
  }
  yield* forget(withTemplateOf(deployment, set));
  const message = `Rolled back deployment "${name}" to revision ${revision}`;
  yield* tell(deployment, "Normal", "DeploymentRollback", message);
}

function withTemplateOf(deployment: Deployment, set: ReplicaSet): Deployment {
  const { [TEMPLATE_HASH_LABEL]: _hash, ...labels } = set.spec.template.metadata?.labels ?? {};
  const template = { ...set.spec.template, metadata: { ...set.spec.template.metadata, labels } };
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: { ...annotationsAfterRollback(deployment, set) } },
    spec: { ...deployment.spec, template },
  };
}

function* forget(deployment: Deployment): Steps<void> {
  const { [ROLLBACK_TO]: _asked, ...annotations } = deployment.metadata.annotations ?? {};
  yield* perform({ do: "update", object: { ...deployment, metadata: { ...deployment.metadata, annotations } } });
}
