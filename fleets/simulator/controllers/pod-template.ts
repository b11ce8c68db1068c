// Pods as the controllers of workloads make them from a template.
import { cloneJson, isObject, type KubeObject } from "../../../kube/object.ts";
import { controllerRef } from "./controller-refs.ts";

/** `spec.template` of a workload. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** The pod template of a workload. */
export function podTemplateOf(workload: KubeObject): PodTemplate {
  const spec = isObject(workload["spec"]) ? workload["spec"] : {};
  // The server has checked the shape of what it stores.
  return isObject(spec["template"]) ? (spec["template"] as PodTemplate) : {};
}

/**
 * A Pod of `template`, controlled by `owner`, with a name that the server makes up unless the caller gives it one. As
 * Kubernetes: of the template's metadata it has the labels, annotations and finalizers and nothing else. The caller owns it.
 */
export function podFromTemplate(owner: KubeObject, template: PodTemplate): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${owner.metadata.name ?? ""}-`,
      namespace: owner.metadata.namespace ?? "default",
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerRef(owner)],
    },
    spec: cloneJson(template.spec ?? {}),
  };
}
