// Plausible values of the built-in kinds' fields, good and bad, by the field's name and type.
import { fieldsOf } from "../../../../fleets/apiserver/kinds/tables.ts";
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";

const QUANTITIES: readonly Json[] = ["1", "500m", "1Gi", "1000m", "0.5", 2, "1e3", "1024Mi", "0", "-1", "1x"];
const NAMES: readonly Json[] = ["a", "web", "x-1", "a.b", "A", "", "b_c", "-a"];

/** By field name; the last ones of a row are often refused. */
const BY_NAME: Readonly<Record<string, readonly Json[]>> = {
  restartPolicy: ["Always", "OnFailure", "Never", "Sometimes"],
  imagePullPolicy: ["Always", "IfNotPresent", "Never", "Maybe"],
  image: [
    "nginx",
    "nginx:1",
    "a/b:latest",
    "x@sha256:0123456789012345678901234567890123456789012345678901234567890123",
    " ",
    "",
  ],
  dnsPolicy: ["ClusterFirst", "Default", "None", "ClusterFirstWithHostNet", "Bad"],
  protocol: ["TCP", "UDP", "SCTP", "tcp", "ICMP"],
  scheme: ["HTTP", "HTTPS", "http"],
  terminationMessagePolicy: ["File", "FallbackToLogsOnError", "X"],
  operator: ["In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt", "Nope"],
  effect: ["NoSchedule", "PreferNoSchedule", "NoExecute", "Bad"],
  topologyKey: ["zone", "kubernetes.io/hostname", "", "a b"],
  whenUnsatisfiable: ["DoNotSchedule", "ScheduleAnyway", "x"],
  concurrencyPolicy: ["Allow", "Forbid", "Replace", "X"],
  completionMode: ["NonIndexed", "Indexed", "X"],
  podReplacementPolicy: ["Failed", "TerminatingOrFailed", "X"],
  schedule: ["*/5 * * * *", "@hourly", "0 0 * * 8", "bad", "TZ=UTC * * * * *"],
  timeZone: ["Europe/Berlin", "Etc/UTC", "Nowhere/Land", ""],
  type: [
    "ClusterIP",
    "NodePort",
    "LoadBalancer",
    "ExternalName",
    "RollingUpdate",
    "Recreate",
    "OnDelete",
    "Opaque",
    "Resource",
    "Utilization",
    "Container",
    "X",
  ],
  sessionAffinity: ["None", "ClientIP", "X"],
  externalTrafficPolicy: ["Cluster", "Local", "X"],
  internalTrafficPolicy: ["Cluster", "Local", "X"],
  ipFamilyPolicy: ["SingleStack", "PreferDualStack", "RequireDualStack"],
  clusterIP: ["None", "", "1.2.3.4", "x"],
  externalName: ["example.org", "a_b", "", "Example.Org"],
  loadBalancerIP: ["1.2.3.4", "x"],
  podManagementPolicy: ["OrderedReady", "Parallel", "X"],
  whenDeleted: ["Retain", "Delete", "X"],
  whenScaled: ["Retain", "Delete", "X"],
  volumeMode: ["Filesystem", "Block", "X"],
  reclaimPolicy: ["Retain", "Delete", "Recycle", "X"],
  persistentVolumeReclaimPolicy: ["Retain", "Delete", "Recycle", "X"],
  volumeBindingMode: ["Immediate", "WaitForFirstConsumer", "X"],
  accessModes: [["ReadWriteOnce"], ["ReadOnlyMany", "ReadWriteMany"], ["X"], [], ["ReadWriteOncePod", "ReadWriteOnce"]],
  pathType: ["Prefix", "Exact", "ImplementationSpecific", "X"],
  path: ["/", "/a/b", "a", "/a/../b", "", "/a b", "/%2f"],
  mountPath: ["/data", "rel", "", "/a:b", "/x"],
  subPath: ["a", "../x", "/abs", ""],
  host: ["example.org", "*.example.org", "1.2.3.4", "Bad_Host", ""],
  policyTypes: [["Ingress"], ["Egress", "Ingress"], ["X"], []],
  cidr: ["10.0.0.0/8", "10.0.0.0", "10.0.0.1/8", "::/0", "x"],
  failurePolicy: ["Fail", "Ignore", "X"],
  matchPolicy: ["Exact", "Equivalent", "X"],
  sideEffects: ["None", "NoneOnDryRun", "Some", "X"],
  reinvocationPolicy: ["Never", "IfNeeded", "X"],
  scope: ["Cluster", "Namespace", "Namespaced", "*", "X"],
  preemptionPolicy: ["PreemptLowerPriority", "Never", "X"],
  globalDefault: [false],
  verbs: [["get"], ["*"], [], ["get", "list"]],
  kind: ["User", "Group", "ServiceAccount", "Deployment", "X", ""],
  apiGroup: ["rbac.authorization.k8s.io", "", "x"],
  key: ["a", "x.io/y", "a b", "", "-"],
  fieldPath: ["metadata.name", "metadata.labels", "metadata.labels['a']", "status.podIP", "spec.nodeName", "x.y", ""],
  resource: ["limits.cpu", "requests.memory", "limits.hugepages-2Mi", "x"],
  ip: ["1.2.3.4", "::1", "1.2.3", "127.0.0.1", ""],
  ipAddress: ["1.2.3.4", "x"],
  clusterIPs: [["None"], ["10.0.1.2"], ["x"]],
  ipFamilies: [["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["X"]],
  addressType: ["IPv4", "IPv6", "FQDN", "X"],
  scaleDown: [{ selectPolicy: "Disabled" }, { stabilizationWindowSeconds: 4000 }, { policies: [] }],
  port: [80, "http", 0, 70000, -1, "Bad_Name"],
  targetPort: [80, "http", 0, 70000, "a--b", "toolongportname1"],
  containerPort: [80, 8080, 0, 65536, -1],
  hostPort: [80, 0, 70000],
  nodePort: [0, 31234, 80],
  name: NAMES,
  serviceName: NAMES,
  serviceAccountName: ["sa", "Bad_Name", ""],
  nodeName: ["n1", "N 1"],
  hostname: ["h", "H_", "a.b"],
  subdomain: ["s", "S_"],
  priorityClassName: ["none-such", ""],
  runtimeClassName: ["rc", "R C"],
  schedulerName: ["default-scheduler", "s", ""],
  secretName: ["s", "", "S_"],
  claimName: ["c", ""],
  storageClassName: ["fast", "", "S C"],
  cpu: QUANTITIES,
  memory: QUANTITIES,
  minAvailable: [1, "50%", "0%", -1, "101%", "x"],
  maxUnavailable: [1, "25%", 0, "0%", "200%", -1, "x"],
  maxSurge: [1, "25%", 0, "0%", "x", -1],
  replicas: [0, 1, 3, -1, 2147483648],
  labels: [{ a: "b" }, { "x.io/y": "" }, { "bad key": "v" }, { a: "bad value!" }, {}],
  annotations: [{ a: "b c" }, { "Bad Key": "v" }, {}],
  matchLabels: [{ app: "a" }, { app: "other" }, {}, { "bad key": "v" }],
  nodeSelector: [{ a: "b" }, { "bad key": "v" }],
  finalizers: [["x.io/f"], ["bare"], ["a b"], []],
  defaultMode: [420, 0, 511, 512, -1],
  mode: [420, 512],
  activeDeadlineSeconds: [1, 0, -1],
  backoffLimit: [0, 3, -1],
  parallelism: [0, 2, -1],
  completions: [0, 2, -1],
  runAsUser: [0, 1000, -1],
  runAsNonRoot: [true, false],
  minReplicas: [1, 0, -1, 50],
  maxReplicas: [3, 0, 10],
  averageUtilization: [50, 0, -1],
  value: ["1", "v", "1000", -5, ""],
  uid: ["u", ""],
  data: [{ a: "YQ==" }, { "bad key": "YQ==" }, { a: "" }, {}],
  binaryData: [{ a: "YQ==" }, { a: "!!" }, { b: "" }],
  stringData: [{ a: "x" }],
};

const BY_CODE: Readonly<Record<string, readonly Json[]>> = {
  s: ["a", "x y", "", "Z"],
  i: [0, 1, 5, -1, 4_000_000_000],
  b: [true, false],
  d: [1.5, 0],
  y: ["YQ==", "", "!!"],
  Time: ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5+01:00", "yesterday", null],
  MicroTime: ["2024-01-01T00:00:00.123456Z", "2024-01-01T00:00:00Z"],
  Duration: ["5s", "1m0s", "x"],
  Quantity: QUANTITIES,
  IntOrString: [1, "25%", 0, "x", -1, true],
  FieldsV1: [{}],
  RawExtension: [{ a: 1 }, { kind: "X", apiVersion: "v1" }],
  JSON: [1, "x", { a: null }],
};

const MISFITS: readonly Json[] = [null, 1, "x", true, [], {}, 1.5, [1], { a: 1 }];

/** A value for a field; with `misfit` probability one of another JSON type. */
export function valueFor(random: Random, name: string, code: string, depth: number, misfit: number): Json {
  if (random.chance(misfit)) return random.pick(MISFITS);
  const known = BY_NAME[name];
  const first = code.charAt(0);
  const inner = code.slice(1);
  if (known !== undefined && random.chance(0.85) && fits(code, known[0]!)) return random.pick(known);
  if (first === "[" || first === "w") {
    const count = depth > 4 ? 1 : random.below(3);
    return Array.from({ length: count }, () => valueFor(random, name, inner, depth + 1, misfit));
  }
  if (first === "{") {
    const keys = code === "{Quantity" ? ["cpu", "memory", "x.io/gpu", "bad key"] : ["a", "b", "x.io/c"];
    return Object.fromEntries(random.some(keys).map((key) => [key, valueFor(random, key, inner, depth + 1, misfit)]));
  }
  if (first === ":") return structFor(random, inner, depth + 1, misfit);
  return random.pick(BY_CODE[code] ?? ["a"]);
}

function fits(code: string, value: Json): boolean {
  const first = code.charAt(0);
  if (first === "[" || first === "w") return Array.isArray(value);
  if (first === "{" || first === ":") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value !== "object" || value === null;
}

/** All fields of a type, those of inlined structs too. */
export function flatFields(typeName: string): { readonly name: string; readonly code: string }[] {
  return fieldsOf(typeName).flatMap(([, name, code]) => (name === "" ? flatFields(code.slice(1)) : [{ name, code }]));
}

function structFor(random: Random, typeName: string, depth: number, misfit: number): JsonObject {
  const fields = flatFields(typeName);
  if (fields.length === 0 || depth > 7) return {};
  const count = 1 + random.below(Math.min(3, fields.length));
  const out: JsonObject = {};
  for (let at = 0; at < count; at++) {
    const { name, code } = random.pick(fields);
    out[name] = valueFor(random, name, code, depth, misfit);
  }
  return out;
}
