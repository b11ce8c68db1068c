// Works that no binding stands behind: of namespaces, and of quotas.
import type { Work } from "../../api/work.ts";
import type { KubeObject, ObjectMeta } from "../../kube/object.ts";
import { withManagedKeys } from "./metadata.ts";
import {
  MANAGED_LABEL,
  MANAGED_LABEL_VALUE,
  WORK_FINALIZER,
  WORK_ID_LABEL,
  WORK_NAME_ANNOTATION,
  WORK_NAMESPACE_ANNOTATION,
} from "./metadata-keys.ts";
import { executionNamespace } from "./naming.ts";
import { WORK_API_VERSION } from "./work.ts";

export interface StandaloneWork {
  readonly clusterName: string;
  readonly name: string;
  /** Its permanent id. */
  readonly id: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: ObjectMeta["ownerReferences"];
}

/** The Work that brings `object` to one cluster, marked as ours. */
export function standaloneWork(object: KubeObject, work: StandaloneWork): Work {
  const { clusterName, name, id, labels, annotations = {}, ownerReferences } = work;
  const namespace = executionNamespace(clusterName);
  const copy = withManagedKeys({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, [MANAGED_LABEL]: MANAGED_LABEL_VALUE, [WORK_ID_LABEL]: id },
      annotations: {
        ...object.metadata.annotations,
        [WORK_NAMESPACE_ANNOTATION]: namespace,
        [WORK_NAME_ANNOTATION]: name,
      },
    },
  });
  return {
    apiVersion: WORK_API_VERSION,
    kind: "Work",
    metadata: {
      namespace,
      name,
      labels: { ...labels, [WORK_ID_LABEL]: id },
      annotations: { ...annotations },
      finalizers: [WORK_FINALIZER],
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec: { workload: { manifests: [{ ...copy }] }, suspendDispatching: false, preserveResourcesOnDeletion: false },
  };
}
