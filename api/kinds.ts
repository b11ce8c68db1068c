// The kinds we define, with what the API server must know beside their fields.
import type { z } from "zod";
import { APPS_GROUP, workloadRebalancerSchema } from "./apps.ts";
import { AUTOSCALING_GROUP, cronFederatedHPASchema, federatedHPASchema } from "./autoscaling.ts";
import { CLUSTER_GROUP, clusterSchema } from "./cluster.ts";
import {
  CONFIG_GROUP,
  resourceInterpreterCustomizationSchema,
  resourceInterpreterWebhookConfigurationSchema,
} from "./config.ts";
import { GITOPS_GROUP, gitRepositorySchema, syncSchema } from "./gitops.ts";
import { MULTICLUSTER_GROUP, serviceExportSchema, serviceImportSchema } from "./multicluster.ts";
import { multiClusterIngressSchema, multiClusterServiceSchema, NETWORKING_GROUP } from "./networking.ts";
import {
  clusterOverridePolicySchema,
  clusterPropagationPolicySchema,
  overridePolicySchema,
  POLICY_GROUP,
  propagationPolicySchema,
} from "./policy.ts";
import { federatedResourceQuotaSchema } from "./quota.ts";
import { REMEDY_GROUP, remedySchema } from "./remedy.ts";
import { reporterSchema } from "./reporter.ts";
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

interface Naming {
  readonly plural: string;
  readonly version?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
}

function define(
  group: string,
  scope: KindDefinition["scope"],
  schema: z.ZodObject<{ kind: z.ZodLiteral<string> }>,
  { plural, version = "v1alpha1", shortNames = [], categories = [], columns = [] }: Naming,
): KindDefinition {
  const kind = schema.shape.kind.value;
  const hasStatus = "status" in schema.shape;
  return { group, version, kind, plural, scope, shortNames, categories, hasStatus, columns, schema };
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

function count(name: string, jsonPath: string): PrinterColumn {
  return { name, type: "integer", jsonPath };
}

const propagationColumns = [
  column("CONFLICT-RESOLUTION", ".spec.conflictResolution"),
  column("PRIORITY", ".spec.priority"),
  AGE,
];
const bindingColumns = [condition("SCHEDULED", "Scheduled"), condition("FULLYAPPLIED", "FullyApplied"), AGE];
const scaleColumns = [
  column("REFERENCE-KIND", ".spec.scaleTargetRef.kind"),
  column("REFERENCE-NAME", ".spec.scaleTargetRef.name"),
];

export const KINDS: readonly KindDefinition[] = [
  define(POLICY_GROUP, "Namespaced", propagationPolicySchema, {
    plural: "propagationpolicies",
    shortNames: ["pp"],
    categories: KARMADA,
    columns: propagationColumns,
  }),
  define(POLICY_GROUP, "Cluster", clusterPropagationPolicySchema, {
    plural: "clusterpropagationpolicies",
    shortNames: ["cpp"],
    categories: KARMADA,
    columns: propagationColumns,
  }),
  define(POLICY_GROUP, "Namespaced", overridePolicySchema, {
    plural: "overridepolicies",
    shortNames: ["op"],
    categories: KARMADA,
  }),
  define(POLICY_GROUP, "Cluster", clusterOverridePolicySchema, {
    plural: "clusteroverridepolicies",
    shortNames: ["cop"],
    categories: KARMADA,
  }),
  define(POLICY_GROUP, "Namespaced", federatedResourceQuotaSchema, {
    plural: "federatedresourcequotas",
    categories: KARMADA,
    // As Karmada: without AGE.
    columns: [column("OVERALL", ".status.overall"), column("OVERALL_USED", ".status.overallUsed")],
  }),
  define(POLICY_GROUP, "Cluster", clusterTaintPolicySchema, { plural: "clustertaintpolicies" }),
  // Differs from Karmada: v1alpha1 of the bindings is not served; it is superseded, and needs a conversion webhook.
  define(WORK_GROUP, "Namespaced", resourceBindingSchema, {
    plural: "resourcebindings",
    version: "v1alpha2",
    shortNames: ["rb"],
    categories: KARMADA,
    columns: bindingColumns,
  }),
  define(WORK_GROUP, "Cluster", clusterResourceBindingSchema, {
    plural: "clusterresourcebindings",
    version: "v1alpha2",
    shortNames: ["crb"],
    categories: KARMADA,
    columns: bindingColumns,
  }),
  define(WORK_GROUP, "Namespaced", workSchema, {
    plural: "works",
    shortNames: ["wk"],
    categories: KARMADA,
    columns: [column("WORKLOAD-KIND", ".spec.workload.manifests[*].kind"), condition("APPLIED", "Applied"), AGE],
  }),
  define(CLUSTER_GROUP, "Cluster", clusterSchema, {
    plural: "clusters",
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
  }),
  define(CONFIG_GROUP, "Cluster", resourceInterpreterCustomizationSchema, {
    plural: "resourceinterpretercustomizations",
    shortNames: ["ric"],
    categories: KARMADA,
    columns: [column("TARGET-API-VERSION", ".spec.target.apiVersion"), column("TARGET-KIND", ".spec.target.kind"), AGE],
  }),
  define(CONFIG_GROUP, "Cluster", resourceInterpreterWebhookConfigurationSchema, {
    plural: "resourceinterpreterwebhookconfigurations",
    categories: KARMADA,
  }),
  define(APPS_GROUP, "Cluster", workloadRebalancerSchema, { plural: "workloadrebalancers" }),
  define(REMEDY_GROUP, "Cluster", remedySchema, { plural: "remedies", categories: KARMADA }),
  define(AUTOSCALING_GROUP, "Namespaced", federatedHPASchema, {
    plural: "federatedhpas",
    shortNames: ["fhpa"],
    categories: KARMADA,
    columns: [
      ...scaleColumns,
      count("MINPODS", ".spec.minReplicas"),
      count("MAXPODS", ".spec.maxReplicas"),
      count("REPLICAS", ".status.currentReplicas"),
      AGE,
    ],
  }),
  define(AUTOSCALING_GROUP, "Namespaced", cronFederatedHPASchema, {
    plural: "cronfederatedhpas",
    shortNames: ["cronfhpa"],
    categories: KARMADA,
    columns: [...scaleColumns, AGE],
  }),
  define(NETWORKING_GROUP, "Namespaced", multiClusterServiceSchema, {
    plural: "multiclusterservices",
    shortNames: ["mcs"],
    categories: KARMADA,
  }),
  define(NETWORKING_GROUP, "Namespaced", multiClusterIngressSchema, {
    plural: "multiclusteringresses",
    shortNames: ["mci"],
    categories: KARMADA,
  }),
  define(MULTICLUSTER_GROUP, "Namespaced", serviceExportSchema, {
    plural: "serviceexports",
    shortNames: ["svcex"],
    columns: [{ ...AGE, name: "Age" }],
  }),
  define(MULTICLUSTER_GROUP, "Namespaced", serviceImportSchema, {
    plural: "serviceimports",
    shortNames: ["svcim"],
    columns: [column("Type", ".spec.type"), column("IP", ".spec.ips"), { ...AGE, name: "Age" }],
  }),
  define(GITOPS_GROUP, "Namespaced", gitRepositorySchema, {
    plural: "gitrepositories",
    shortNames: ["gitrepo"],
    categories: ["flaghoist"],
    columns: [
      column("URL", ".spec.url"),
      column("REVISION", ".status.artifact.revision"),
      AGE,
      condition("READY", "Ready"),
      condition("STATUS", "Ready", "message"),
    ],
  }),
  define(GITOPS_GROUP, "Namespaced", syncSchema, {
    plural: "syncs",
    categories: ["flaghoist"],
    columns: [
      column("SOURCE", ".spec.sourceRef.name"),
      column("REVISION", ".status.lastAppliedRevision"),
      AGE,
      condition("READY", "Ready"),
      condition("STATUS", "Ready", "message"),
    ],
  }),
  define(GITOPS_GROUP, "Namespaced", reporterSchema, {
    plural: "reporters",
    categories: ["flaghoist"],
    columns: [
      column("SOURCE", ".spec.sourceRef.name"),
      AGE,
      condition("READY", "Ready"),
      condition("STATUS", "Ready", "message"),
    ],
  }),
];
