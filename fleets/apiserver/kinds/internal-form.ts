// Some messages of the reference print its internal Go structs: every field, under its Go name, nil as null. Clients
// show them; this builds the same from a canonical object. Names and order follow the tables, with exceptions listed.
import type { Json, JsonObject } from "../../../kube/object.ts";
import { type FieldRow, fieldsOf } from "./tables.ts";

/** Go names that are not the JSON name with a capital. */
const GO_NAMES: Readonly<Record<string, string>> = {
  apiGroup: "APIGroup",
  apiVersion: "APIVersion",
  awsElasticBlockStore: "AWSElasticBlockStore",
  cephfs: "CephFS",
  csi: "CSI",
  dnsConfig: "DNSConfig",
  dnsPolicy: "DNSPolicy",
  downwardAPI: "DownwardAPI",
  fc: "FC",
  fsGroup: "FSGroup",
  fsGroupChangePolicy: "FSGroupChangePolicy",
  fsType: "FSType",
  gcePersistentDisk: "GCEPersistentDisk",
  grpc: "GRPC",
  httpGet: "HTTPGet",
  httpHeaders: "HTTPHeaders",
  ip: "IP",
  iscsi: "ISCSI",
  nfs: "NFS",
  os: "OS",
  rbd: "RBD",
  seLinuxChangePolicy: "SELinuxChangePolicy",
  seLinuxOptions: "SELinuxOptions",
  storageos: "StorageOS",
  tcpSocket: "TCPSocket",
  tty: "TTY",
  uid: "UID",
};

/** Types whose internal fields stand in another order, or elsewhere. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  "core/v1.PodSpec":
    "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName automountServiceAccountToken nodeName securityContext imagePullSecrets hostname subdomain setHostnameAsFQDN affinity schedulerName tolerations hostAliases priorityClassName priority preemptionPolicy dnsConfig readinessGates runtimeClassName overhead enableServiceLinks topologySpreadConstraints os schedulingGates resourceClaims resources hostnameOverride schedulingGroup".split(
      " ",
    ),
  "core/v1.PodSecurityContext":
    "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup fsGroupChangePolicy sysctls seccompProfile appArmorProfile seLinuxChangePolicy".split(
      " ",
    ),
};

/** Fields of the spec that the internal form keeps in the security context. */
const HOST_FIELDS = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

function goName(name: string): string {
  return GO_NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

/** The internal form of a canonical value of a table type. Types of the meta group print as they are. */
export function toInternalForm(typeName: string, value: JsonObject): JsonObject {
  if (typeName.startsWith("meta/")) return value;
  if (typeName === "core/v1.PodTemplateSpec") {
    const spec = toInternalForm("core/v1.PodSpec", (value["spec"] ?? {}) as JsonObject);
    // Metadata is embedded: its fields stand beside the spec.
    return { ...(value["metadata"] as JsonObject | undefined), Spec: spec };
  }
  const out: JsonObject = {};
  for (const [, name, code, flags] of orderedRows(typeName)) {
    if (name === "") Object.assign(out, toInternalForm(code.slice(1), value));
    else out[goName(name)] = internalValue(code, flags.includes("p"), value[name]);
  }
  if (typeName === "core/v1.PodSpec") moveHostFields(out, value);
  return out;
}

function orderedRows(typeName: string): readonly FieldRow[] {
  const rows = fieldsOf(typeName);
  const order = ORDER[typeName];
  if (order === undefined) return rows;
  const byName = new Map(rows.map((row) => [row[1], row]));
  return order.map((name) => byName.get(name)).filter((row) => row !== undefined);
}

function moveHostFields(out: JsonObject, spec: JsonObject): void {
  const context = out["SecurityContext"] as JsonObject | null;
  if (context === null) return;
  const host: JsonObject = {};
  const rows = new Map(fieldsOf("core/v1.PodSpec").map((row) => [row[1], row]));
  for (const name of HOST_FIELDS) {
    const row = rows.get(name);
    if (row !== undefined) host[goName(name)] = internalValue(row[2], row[3].includes("p"), spec[name]);
  }
  out["SecurityContext"] = { ...host, ...context };
}

function internalValue(code: string, pointer: boolean, value: Json | undefined): Json {
  const isMissing = value === undefined || value === null;
  if (code.startsWith(":")) {
    if (isMissing && pointer) return null;
    return toInternalForm(code.slice(1), (value ?? {}) as JsonObject);
  }
  if (code.startsWith("[:")) {
    return Array.isArray(value) ? value.map((item) => toInternalForm(code.slice(2), item as JsonObject)) : null;
  }
  if (!isMissing) return value;
  if (pointer) return null;
  return ZEROS[code] ?? null;
}

const ZEROS: Readonly<Record<string, Json>> = { s: "", i: 0, b: false, d: 0, Quantity: "0", IntOrString: 0 };
