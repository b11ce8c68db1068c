// The kinds we define, with what the API server must know beside their fields.
import type { z } from "zod";
import { APPS_GROUP, workloadRebalancerSchema } from "./apps.ts";
import { CLUSTER_GROUP, clusterSchema } from "./cluster.ts";
import {
  CONFIG_GROUP,
  resourceInterpreterCustomizationSchema,
  resourceInterpreterWebhookConfigurationSchema,
} from "./config.ts";
import { GITOPS_GROUP, gitRepositorySchema, syncSchema } from "./gitops.ts";
import {
  clusterOverridePolicySchema,
  clusterPropagationPolicySchema,
  overridePolicySchema,
  POLICY_GROUP,
  propagationPolicySchema,
} from "./policy.ts";
import { federatedResourceQuotaSchema } from "./quota.ts";
import { REMEDY_GROUP, remedySchema } from "./remedy.ts";
import { clusterTaintPolicySchema } from "./taint-policy.ts";
import { clusterResourceBindingSchema, resourceBindingSchema, WORK_GROUP, workSchema } from "./work.ts";

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "date" | "integer";
  readonly jsonPath: string;
  /** 1: only with `-o wide`. */
  readonly priority?: number;
}

export interface KindDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly hasStatus: boolean;
  readonly columns: readonly PrinterColumn[];
  readonly schema: z.ZodObject;
}

const AGE: PrinterColumn = { name: "AGE", type: "date", jsonPath: ".metadata.creationTimestamp" };
const KARMADA = ["karmada-io"];

function column(name: string, jsonPath: string): PrinterColumn {
  return { name, type: "string", jsonPath };
}

function wide(name: string, jsonPath: string): PrinterColumn {
  return { name, type: "string", jsonPath, priority: 1 };
}

function condition(name: string, type: string, field: "status" | "message" = "status"): PrinterColumn {
  return column(name, `.status.conditions[?(@.type=="${type}")].${field}`);
}

const propagationColumns = [
  column("CONFLICT-RESOLUTION", ".spec.conflictResolution"),
  column("PRIORITY", ".spec.priority"),
  AGE,
];
const bindingColumns = [condition("SCHEDULED", "Scheduled"), condition("FULLYAPPLIED", "FullyApplied"), AGE];

export const KINDS: readonly KindDefinition[] = [
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "PropagationPolicy",
    plural: "propagationpolicies",
    scope: "Namespaced",
    shortNames: ["pp"],
    categories: KARMADA,
    hasStatus: false,
    columns: propagationColumns,
    schema: propagationPolicySchema,
  },
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "ClusterPropagationPolicy",
    plural: "clusterpropagationpolicies",
    scope: "Cluster",
    shortNames: ["cpp"],
    categories: KARMADA,
    hasStatus: false,
    columns: propagationColumns,
    schema: clusterPropagationPolicySchema,
  },
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "OverridePolicy",
    plural: "overridepolicies",
    scope: "Namespaced",
    shortNames: ["op"],
    categories: KARMADA,
    hasStatus: false,
    columns: [],
    schema: overridePolicySchema,
  },
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "ClusterOverridePolicy",
    plural: "clusteroverridepolicies",
    scope: "Cluster",
    shortNames: ["cop"],
    categories: KARMADA,
    hasStatus: false,
    columns: [],
    schema: clusterOverridePolicySchema,
  },
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "FederatedResourceQuota",
    plural: "federatedresourcequotas",
    scope: "Namespaced",
    shortNames: [],
    categories: KARMADA,
    hasStatus: true,
    // As Karmada: without AGE.
    columns: [column("OVERALL", ".status.overall"), column("OVERALL_USED", ".status.overallUsed")],
    schema: federatedResourceQuotaSchema,
  },
  {
    group: POLICY_GROUP,
    version: "v1alpha1",
    kind: "ClusterTaintPolicy",
    plural: "clustertaintpolicies",
    scope: "Cluster",
    shortNames: [],
    categories: [],
    hasStatus: false,
    columns: [],
    schema: clusterTaintPolicySchema,
  },
  {
    group: WORK_GROUP,
    // Differs from Karmada: v1alpha1 is not served; it has been superseded since 2021 and needs a conversion webhook.
    version: "v1alpha2",
    kind: "ResourceBinding",
    plural: "resourcebindings",
    scope: "Namespaced",
    shortNames: ["rb"],
    categories: KARMADA,
    hasStatus: true,
    columns: bindingColumns,
    schema: resourceBindingSchema,
  },
  {
    group: WORK_GROUP,
    version: "v1alpha2",
    kind: "ClusterResourceBinding",
    plural: "clusterresourcebindings",
    scope: "Cluster",
    shortNames: ["crb"],
    categories: KARMADA,
    hasStatus: true,
    columns: bindingColumns,
    schema: clusterResourceBindingSchema,
  },
  {
    group: WORK_GROUP,
    version: "v1alpha1",
    kind: "Work",
    plural: "works",
    scope: "Namespaced",
    shortNames: ["wk"],
    categories: KARMADA,
    hasStatus: true,
    columns: [column("WORKLOAD-KIND", ".spec.workload.manifests[*].kind"), condition("APPLIED", "Applied"), AGE],
    schema: workSchema,
  },
  {
    group: CLUSTER_GROUP,
    version: "v1alpha1",
    kind: "Cluster",
    plural: "clusters",
    scope: "Cluster",
    shortNames: [],
    categories: [],
    hasStatus: true,
    // As Karmada's aggregated server prints them.
    columns: [
      column("Version", ".status.kubernetesVersion"),
      column("Mode", ".spec.syncMode"),
      condition("Ready", "Ready"),
      { ...AGE, name: "Age" },
      wide("Zones", ".spec.zones"),
      wide("Region", ".spec.region"),
      wide("Provider", ".spec.provider"),
      wide("API-Endpoint", ".spec.apiEndpoint"),
      wide("Proxy-URL", ".spec.proxyURL"),
    ],
    schema: clusterSchema,
  },
  {
    group: CONFIG_GROUP,
    version: "v1alpha1",
    kind: "ResourceInterpreterCustomization",
    plural: "resourceinterpretercustomizations",
    scope: "Cluster",
    shortNames: ["ric"],
    categories: KARMADA,
    hasStatus: false,
    columns: [column("TARGET-API-VERSION", ".spec.target.apiVersion"), column("TARGET-KIND", ".spec.target.kind"), AGE],
    schema: resourceInterpreterCustomizationSchema,
  },
  {
    group: CONFIG_GROUP,
    version: "v1alpha1",
    kind: "ResourceInterpreterWebhookConfiguration",
    plural: "resourceinterpreterwebhookconfigurations",
    scope: "Cluster",
    shortNames: [],
    categories: KARMADA,
    hasStatus: false,
    columns: [],
    schema: resourceInterpreterWebhookConfigurationSchema,
  },
  {
    group: APPS_GROUP,
    version: "v1alpha1",
    kind: "WorkloadRebalancer",
    plural: "workloadrebalancers",
    scope: "Cluster",
    shortNames: [],
    categories: [],
    hasStatus: true,
    columns: [],
    schema: workloadRebalancerSchema,
  },
  {
    group: REMEDY_GROUP,
    version: "v1alpha1",
    kind: "Remedy",
    plural: "remedies",
    scope: "Cluster",
    shortNames: [],
    categories: KARMADA,
    hasStatus: false,
    columns: [],
    schema: remedySchema,
  },
  {
    group: GITOPS_GROUP,
    version: "v1alpha1",
    kind: "GitRepository",
    plural: "gitrepositories",
    scope: "Namespaced",
    shortNames: ["gitrepo"],
    categories: ["flaghoist"],
    hasStatus: true,
    columns: [
      column("URL", ".spec.url"),
      column("REVISION", ".status.artifact.revision"),
      AGE,
      condition("READY", "Ready"),
      condition("STATUS", "Ready", "message"),
    ],
    schema: gitRepositorySchema,
  },
  {
    group: GITOPS_GROUP,
    version: "v1alpha1",
    kind: "Sync",
    plural: "syncs",
    scope: "Namespaced",
    shortNames: [],
    categories: ["flaghoist"],
    hasStatus: true,
    columns: [
      column("SOURCE", ".spec.sourceRef.name"),
      column("REVISION", ".status.lastAppliedRevision"),
      AGE,
      condition("READY", "Ready"),
      condition("STATUS", "Ready", "message"),
    ],
    schema: syncSchema,
  },
];
