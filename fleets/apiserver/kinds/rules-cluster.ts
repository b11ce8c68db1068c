// Rules of storage, scheduling and extension kinds.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { localCondition, readApiService } from "../aggregation/api-service.ts";
import { definitionWarnings, validateDefinition, validateDefinitionUpdate } from "../crd/definition.ts";
import type { KindRules } from "./kind-rules.ts";
import {
  validateApiService,
  validatePriorityClassUpdate,
  validateStorageClass,
  validateStorageClassUpdate,
} from "./validate-core.ts";
import { validateRuntimeClass, validateRuntimeClassUpdate } from "./validate-others.ts";

/** Status writes of most kinds outside the core leave these as they are. */
const OWN_METADATA = ["labels", "annotations", "finalizers", "ownerReferences"];
const CONDITIONAL: KindRules = { conditionalUpdateOnly: true };

/** The version in which a definition stores its instances. */
function storageVersionOf(crd: KubeObject): string | undefined {
  // Decoded by the field table.
  const versions = ((crd["spec"] as JsonObject)["versions"] ?? []) as JsonObject[];
  const name = versions.find((version) => version["storage"] === true)?.["name"];
  return typeof name === "string" ? name : undefined;
}

export const CLUSTER_RULES: Readonly<Record<string, KindRules>> = {
  "storage.k8s.io/v1/CSIDriver": CONDITIONAL,
  "storage.k8s.io/v1/CSINode": CONDITIONAL,
  "storage.k8s.io/v1/CSIStorageCapacity": CONDITIONAL,
  "storage.k8s.io/v1/VolumeAttachment": { ...CONDITIONAL, statusKeeps: OWN_METADATA },
  "node.k8s.io/v1/RuntimeClass": {
    ...CONDITIONAL,
    validate: validateRuntimeClass,
    validateUpdate: validateRuntimeClassUpdate,
  },
  "scheduling.k8s.io/v1/PriorityClass": { generation: true, validateUpdate: validatePriorityClassUpdate },
  "storage.k8s.io/v1/StorageClass": { validate: validateStorageClass, validateUpdate: validateStorageClassUpdate },
  "apiregistration.k8s.io/v1/APIService": {
    nameRule: "path-segment",
    conditionalUpdateOnly: true,
    statusKeeps: OWN_METADATA,
    prepareForCreate(service) {
      const isLocal = readApiService(service).service === undefined;
      service["status"] = isLocal ? { conditions: [localCondition(service.metadata.creationTimestamp ?? "")] } : {};
    },
    validate: validateApiService,
  },
  "apiextensions.k8s.io/v1/CustomResourceDefinition": {
    generation: true,
    conditionalUpdateOnly: true,
    statusKeeps: OWN_METADATA,
    prepareForCreate(crd) {
      const stored = storageVersionOf(crd);
      const storedVersions = stored === undefined ? [] : [stored];
      crd["status"] = { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions };
    },
    prepareForUpdate(crd) {
      const stored = storageVersionOf(crd);
      // Its status was copied from the present definition.
      const status = crd["status"] as { storedVersions?: string[] } | undefined;
      const versions = status?.storedVersions ?? [];
      if (status === undefined || stored === undefined || versions.includes(stored)) return;
      status.storedVersions = [...versions, stored];
    },
    warnings: definitionWarnings,
    validate: validateDefinition,
    validateUpdate: validateDefinitionUpdate,
  },
};
