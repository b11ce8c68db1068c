// Defaults of the built-in types, one row per field, keyed by the type of the value that has the field. A row fills a
// field that is missing, null or an empty text; rules that depend on other fields are functions. Parents come before
// children, so a row may add `{}` for the rows of the child's type to fill.
import type { Json, JsonObject } from "../../../kube/object.ts";
import { fillContainerImage, fillHostPorts, fillPodRequests, fillServiceAccountAlias } from "./default-pods.ts";
import { fillService } from "./default-services.ts";
import { fillHpaBehavior, fillJob, fillJobSpecLabels, fillReplicationController } from "./default-workloads.ts";

export type DefaultRule = readonly [field: string, value: Json] | ((value: JsonObject) => void);

type Condition = (value: JsonObject) => boolean;

function when(condition: Condition, ...rows: readonly (readonly [field: string, value: Json])[]): DefaultRule {
  return (value) => {
    if (!condition(value)) return;
    for (const [field, content] of rows) {
      if (value[field] === undefined || value[field] === null || value[field] === "") {
        value[field] = structuredClone(content);
      }
    }
  };
}

function is(field: string, ...values: readonly string[]): Condition {
  return (value) => values.includes(String(value[field]));
}

/** Zero of a number that is always printed counts as missing. */
function zeroIs(field: string, content: number): DefaultRule {
  return (value) => {
    if (value[field] === undefined || value[field] === null || value[field] === 0) value[field] = content;
  };
}

function hasNoSource(value: JsonObject): boolean {
  for (const key in value) if (key !== "name") return false;
  return true;
}

const CONTAINER: readonly DefaultRule[] = [
  fillContainerImage,
  ["terminationMessagePath", "/dev/termination-log"],
  ["terminationMessagePolicy", "File"],
];

const RBAC_GROUP = "rbac.authorization.k8s.io";
const MODE_0644 = 420;

const RBD: readonly DefaultRule[] = [
  ["pool", "rbd"],
  ["user", "admin"],
  ["keyring", "/etc/ceph/keyring"],
];

const SCALE_IO: readonly DefaultRule[] = [
  ["storageMode", "ThinProvisioned"],
  ["fsType", "xfs"],
];

const WEBHOOK: readonly DefaultRule[] = [
  ["failurePolicy", "Fail"],
  ["matchPolicy", "Equivalent"],
  ["namespaceSelector", {}],
  ["objectSelector", {}],
  ["timeoutSeconds", 10],
];

function failByDefault(spec: JsonObject): void {
  spec["failurePolicy"] ??= "Fail";
}

export const DEFAULT_RULES: Readonly<Record<string, readonly DefaultRule[]>> = {
  // Pods
  "core/v1.PodSpec": [
    ["restartPolicy", "Always"],
    ["dnsPolicy", "ClusterFirst"],
    ["terminationGracePeriodSeconds", 30],
    ["securityContext", {}],
    ["schedulerName", "default-scheduler"],
    fillServiceAccountAlias,
  ],
  "core/v1.Pod": [fillHostPorts, fillPodRequests],
  "core/v1.Container": CONTAINER,
  "core/v1.EphemeralContainer": CONTAINER,
  "core/v1.ContainerPort": [["protocol", "TCP"]],
  "core/v1.Probe": [
    zeroIs("timeoutSeconds", 1),
    zeroIs("periodSeconds", 10),
    zeroIs("successThreshold", 1),
    zeroIs("failureThreshold", 3),
  ],
  "core/v1.HTTPGetAction": [
    ["path", "/"],
    ["scheme", "HTTP"],
  ],
  "core/v1.GRPCAction": [["service", ""]],
  "core/v1.ObjectFieldSelector": [["apiVersion", "v1"]],
  "core/v1.Volume": [when(hasNoSource, ["emptyDir", {}])],
  "core/v1.SecretVolumeSource": [["defaultMode", MODE_0644]],
  "core/v1.ConfigMapVolumeSource": [["defaultMode", MODE_0644]],
  "core/v1.DownwardAPIVolumeSource": [["defaultMode", MODE_0644]],
  "core/v1.ProjectedVolumeSource": [["defaultMode", MODE_0644]],
  "core/v1.ServiceAccountTokenProjection": [["expirationSeconds", 3600]],
  "core/v1.HostPathVolumeSource": [["type", ""]],
  "core/v1.ISCSIVolumeSource": [["iscsiInterface", "default"]],
  "core/v1.ISCSIPersistentVolumeSource": [["iscsiInterface", "default"]],
  "core/v1.RBDVolumeSource": RBD,
  "core/v1.RBDPersistentVolumeSource": RBD,
  "core/v1.ScaleIOVolumeSource": SCALE_IO,
  "core/v1.ScaleIOPersistentVolumeSource": SCALE_IO,
  "core/v1.AzureDiskVolumeSource": [
    ["cachingMode", "ReadWrite"],
    ["kind", "Shared"],
    ["fsType", "ext4"],
    ["readOnly", false],
  ],
  "core/v1.PersistentVolumeClaimSpec": [["volumeMode", "Filesystem"]],

  // Workloads
  "apps/v1.DeploymentSpec": [
    ["replicas", 1],
    ["revisionHistoryLimit", 10],
    ["progressDeadlineSeconds", 600],
  ],
  "apps/v1.DeploymentStrategy": [["type", "RollingUpdate"], when(is("type", "RollingUpdate"), ["rollingUpdate", {}])],
  "apps/v1.RollingUpdateDeployment": [
    ["maxUnavailable", "25%"],
    ["maxSurge", "25%"],
  ],
  "apps/v1.StatefulSetSpec": [
    ["replicas", 1],
    ["podManagementPolicy", "OrderedReady"],
    ["revisionHistoryLimit", 10],
    ["persistentVolumeClaimRetentionPolicy", {}],
    (spec) => {
      for (const claim of objects(spec["volumeClaimTemplates"])) {
        claim["kind"] ??= "PersistentVolumeClaim";
        claim["apiVersion"] ??= "v1";
      }
    },
  ],
  "apps/v1.StatefulSetUpdateStrategy": [
    ["type", "RollingUpdate"],
    when(is("type", "RollingUpdate"), ["rollingUpdate", {}]),
  ],
  "apps/v1.RollingUpdateStatefulSetStrategy": [["partition", 0]],
  "apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy": [
    ["whenDeleted", "Retain"],
    ["whenScaled", "Retain"],
  ],
  "apps/v1.DaemonSetSpec": [["revisionHistoryLimit", 10]],
  "apps/v1.DaemonSetUpdateStrategy": [
    ["type", "RollingUpdate"],
    when(is("type", "RollingUpdate"), ["rollingUpdate", {}]),
  ],
  "apps/v1.RollingUpdateDaemonSet": [
    ["maxUnavailable", 1],
    ["maxSurge", 0],
  ],
  "apps/v1.ReplicaSetSpec": [["replicas", 1]],
  "core/v1.ReplicationController": [fillReplicationController],
  "core/v1.ReplicationControllerSpec": [["replicas", 1]],
  "batch/v1.Job": [fillJob, fillJobSpecLabels],
  "batch/v1.PodFailurePolicyOnPodConditionsPattern": [["status", "True"]],
  "batch/v1.CronJobSpec": [
    ["concurrencyPolicy", "Allow"],
    ["suspend", false],
    ["successfulJobsHistoryLimit", 3],
    ["failedJobsHistoryLimit", 1],
  ],
  "autoscaling/v2.HorizontalPodAutoscalerSpec": [
    ["minReplicas", 1],
    (spec) => {
      if (objects(spec["metrics"]).length > 0) return;
      const target = { type: "Utilization", averageUtilization: 80 };
      spec["metrics"] = [{ type: "Resource", resource: { name: "cpu", target } }];
    },
    fillHpaBehavior,
  ],
  "autoscaling/v1.HorizontalPodAutoscalerSpec": [
    ["minReplicas", 1],
    ["targetCPUUtilizationPercentage", 80],
  ],
  "autoscaling/v1.ScaleSpec": [],

  // Storage
  "core/v1.PersistentVolumeSpec": [
    ["persistentVolumeReclaimPolicy", "Retain"],
    ["volumeMode", "Filesystem"],
  ],
  "core/v1.PersistentVolumeStatus": [["phase", "Pending"]],
  "core/v1.PersistentVolumeClaimStatus": [["phase", "Pending"]],
  "storage/v1.StorageClass": [
    ["reclaimPolicy", "Delete"],
    ["volumeBindingMode", "Immediate"],
  ],
  "storage/v1.CSIDriverSpec": [
    ["attachRequired", true],
    ["podInfoOnMount", false],
    ["storageCapacity", false],
    ["fsGroupPolicy", "ReadWriteOnceWithFSType"],
    ["requiresRepublish", false],
    ["seLinuxMount", false],
    (spec) => {
      const modes = spec["volumeLifecycleModes"];
      if (!Array.isArray(modes) || modes.length === 0) spec["volumeLifecycleModes"] = ["Persistent"];
    },
  ],

  // Network
  "core/v1.Service": [fillService],
  "core/v1.EndpointPort": [["protocol", "TCP"]],
  "discovery/v1.EndpointPort": [
    ["name", ""],
    ["protocol", "TCP"],
  ],
  "networking/v1.NetworkPolicyPort": [["protocol", "TCP"]],
  "networking/v1.NetworkPolicySpec": [
    (spec) => {
      if (Array.isArray(spec["policyTypes"]) && spec["policyTypes"].length > 0) return;
      spec["policyTypes"] = objects(spec["egress"]).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    },
  ],
  "networking/v1.IngressClassParametersReference": [["scope", "Cluster"]],

  // Core
  "core/v1.Secret": [["type", "Opaque"], mergeStringData],
  "core/v1.NamespaceStatus": [["phase", "Active"]],
  "core/v1.Namespace": [
    (namespace) => {
      const metadata = namespace["metadata"] as JsonObject;
      const name = metadata["name"];
      if (typeof name !== "string" || name === "") return;
      metadata["labels"] = { ...(metadata["labels"] as JsonObject | undefined), "kubernetes.io/metadata.name": name };
    },
  ],
  "core/v1.LimitRangeItem": [fillLimitRangeItem],

  // Access
  "rbac/v1.RoleRef": [["apiGroup", RBAC_GROUP]],
  "rbac/v1.Subject": [when(is("kind", "User", "Group"), ["apiGroup", RBAC_GROUP])],
  "scheduling/v1.PriorityClass": [["preemptionPolicy", "PreemptLowerPriority"]],
  // Empty texts of these are values of their own, and refused.
  "admissionregistration/v1.ValidatingAdmissionPolicySpec": [failByDefault],
  "admissionregistration/v1.MutatingAdmissionPolicySpec": [failByDefault],
  "admissionregistration/v1.MatchResources": [
    (match) => {
      match["matchPolicy"] ??= "Equivalent";
      match["namespaceSelector"] ??= {};
      match["objectSelector"] ??= {};
    },
  ],
  "admissionregistration/v1.ValidatingWebhook": WEBHOOK,
  "admissionregistration/v1.MutatingWebhook": [...WEBHOOK, ["reinvocationPolicy", "Never"]],
  // An empty scope is one of its own, and refused.
  "admissionregistration/v1.RuleWithOperations": [
    (rule) => {
      rule["scope"] ??= "*";
    },
  ],
  "admissionregistration/v1.ServiceReference": [["port", 443]],
  "apiregistration/v1.ServiceReference": [["port", 443]],
  "apiextensions/v1.ServiceReference": [["port", 443]],
  "certificates/v1.CertificateSigningRequestCondition": [["status", "True"]],

  // Definitions of custom resources
  "apiextensions/v1.CustomResourceDefinitionSpec": [
    ["conversion", { strategy: "None" }],
    (spec) => {
      const names = spec["names"] as JsonObject;
      const kind = String(names["kind"] ?? "");
      if (kind === "") return;
      names["singular"] ??= kind.toLowerCase();
      names["listKind"] ??= `${kind}List`;
    },
  ],
};

/** `stringData` is a way to write `data` in plain text. */
function mergeStringData(secret: JsonObject): void {
  const plain = secret["stringData"] as Record<string, string> | undefined;
  if (plain === undefined) return;
  const data: JsonObject = { ...(secret["data"] as JsonObject | undefined) };
  for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(value, "utf8").toString("base64");
  secret["data"] = data;
  delete secret["stringData"];
}

function objects(value: Json | undefined): JsonObject[] {
  // Decoded lists of structs hold objects only.
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}

function fillLimitRangeItem(item: JsonObject): void {
  if (item["type"] !== "Container") return;
  item["default"] = merged(item["max"], item["default"]);
  const requests = merged(item["min"], merged(item["default"], item["defaultRequest"]));
  item["defaultRequest"] = { ...requests, ...(merged(item["default"], item["defaultRequest"]) ?? {}) };
  for (const field of ["default", "defaultRequest"]) {
    const list = item[field];
    if (list === undefined || Object.keys(list as JsonObject).length === 0) delete item[field];
  }
}

function merged(base: Json | undefined, over: Json | undefined): JsonObject | undefined {
  if (base === undefined && over === undefined) return undefined;
  return { ...(base as JsonObject | undefined), ...(over as JsonObject | undefined) };
}
