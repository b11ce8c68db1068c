// The objects that the controllers of a simulated cluster make.
import { isObject, type KubeObject } from "../../kube/object.ts";

/** Which template a pod of a StatefulSet or DaemonSet was made from. */
export const REVISION_LABEL = "controller-revision-hash";

/** The pod template of a workload. */
export function templateOf(object: KubeObject): Record<string, unknown> {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return isObject(spec["template"]) ? spec["template"] : {};
}

function ownerReference(owner: KubeObject): KubeObject["metadata"]["ownerReferences"] {
  return [
    {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.metadata.name ?? "",
      uid: owner.metadata.uid ?? "",
      controller: true,
      blockOwnerDeletion: true,
    },
  ];
}

function inNamespace(object: KubeObject): { namespace: string } {
  return { namespace: object.metadata.namespace ?? "default" };
}

/** The ReplicaSet of a Deployment's template, owned by it. */
export function replicaSetFor(
  deployment: KubeObject,
  name: string,
  hash: string,
  template: Record<string, unknown>,
  replicas: number,
): KubeObject {
  const meta = isObject(template["metadata"]) ? template["metadata"] : {};
  const templateLabels = isObject(meta["labels"]) ? meta["labels"] : {};
  const labels = { ...templateLabels, "pod-template-hash": hash } as Record<string, string>;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, ...inNamespace(deployment), labels, ...{ ownerReferences: ownerReference(deployment) ?? [] } },
    spec: { replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { ...meta, labels } } },
  };
}

/** A pod of a workload's template, owned by it. */
export function podFor(
  owner: KubeObject,
  identity: {
    readonly name?: string;
    readonly generateName?: string;
    readonly nodeName?: string;
    readonly revision?: string;
  },
): KubeObject {
  const template = templateOf(owner);
  const meta = isObject(template["metadata"]) ? template["metadata"] : {};
  const spec = isObject(template["spec"]) ? template["spec"] : {};
  const { nodeName, revision, ...name } = identity;
  const labels = isObject(meta["labels"]) ? (meta["labels"] as Record<string, string>) : {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...meta,
      ...name,
      ...inNamespace(owner),
      labels: revision === undefined ? labels : { ...labels, [REVISION_LABEL]: revision },
      ownerReferences: ownerReference(owner) ?? [],
    },
    spec: nodeName === undefined ? spec : { ...spec, nodeName },
  };
}
