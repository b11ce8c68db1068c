// Which ReplicaSet makes the pods that a Deployment now wants.
import { equalJson, isObject, type KubeObject } from "../../kube/object.ts";

const HASH_LABEL = "pod-template-hash";

/** The oldest ReplicaSet of the Deployment that has its pod template; undefined while there is none. */
export function findNewReplicaSet(deployment: KubeObject, replicaSets: readonly KubeObject[]): KubeObject | undefined {
  const wanted = templateOf(deployment);
  return replicaSets
    .filter((replicaSet) => isControlledBy(replicaSet, deployment.metadata.uid))
    .sort(byCreation)
    .find((replicaSet) => equalJson(templateOf(replicaSet), wanted));
}

function isControlledBy(object: KubeObject, uid: string | undefined): boolean {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  return controller !== undefined && controller.uid === uid;
}

function byCreation(a: KubeObject, b: KubeObject): number {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ""} ${metadata.name ?? ""}`);
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/** The pod template without the label that ReplicaSets add to it. */
function templateOf(object: KubeObject): unknown {
  const spec = object["spec"];
  const template = isObject(spec) && isObject(spec["template"]) ? spec["template"] : {};
  const metadata = isObject(template["metadata"]) ? template["metadata"] : {};
  const labels = Object.entries(isObject(metadata["labels"]) ? metadata["labels"] : {});
  const kept = Object.fromEntries(labels.filter(([name]) => name !== HASH_LABEL));
  return { ...template, metadata: { ...metadata, labels: kept } };
}
