// What plans say of fields that cannot be changed, beside what a real kube-apiserver refuses.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpTransport, openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { ApiStatusError } from "../../kube/client/status-error.ts";
import type { KubeObject } from "../../kube/object.ts";
import { fieldChanges } from "../../reconciler/plan/changes.ts";
import { immutableAmong } from "../../reconciler/plan/safety/immutable-field.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";

const assets = findKubeAssets();

type Fields = Readonly<Record<string, unknown>>;

const pods = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web:1" }], restartPolicy: "Always" },
};
const template = { selector: { matchLabels: { app: "web" } }, template: pods };
const jobPods = { ...pods, spec: { ...pods.spec, restartPolicy: "Never" } };
const otherPods = { metadata: { labels: { app: "other" } }, spec: pods.spec };
const other = { selector: { matchLabels: { app: "other" } }, template: otherPods };
const image = (of: typeof pods) => ({ ...of, spec: { ...of.spec, containers: [{ name: "web", image: "web:2" }] } });
const job = (spec: Fields) => ({ spec: { template: jobPods, ...spec } });
const service = (spec: Fields) => ({
  spec: { ports: [{ port: 80, name: "http" }], selector: { app: "web" }, ...spec },
});
const claim = (spec: Fields, storage = "1Gi") => ({
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...spec },
});
const volume = (spec: Fields) => ({
  spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/a" }, ...spec },
});
const nodes = (name: string) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [name] }] }] },
});
const definition = (names: Fields, rest: Fields = {}) => ({
  metadata: { name: "dbs.example.io" },
  spec: {
    group: "example.io",
    names: { plural: "dbs", kind: "Db", singular: "db", ...names },
    scope: "Namespaced",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    ...rest,
  },
});
const role = (name: string) => ({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name } });
const policyOfFailures = (values: number[]) => ({
  podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes: { operator: "In", values } }] },
});

/** What, of what kind, before and after. A real server refuses those of the first list, and takes those of the second. */
const REFUSED: readonly (readonly [string, string, Fields, Fields])[] = [
  ["selector", "apps/v1 Deployment", { spec: template }, { spec: other }],
  ["selector", "apps/v1 ReplicaSet", { spec: template }, { spec: other }],
  ["selector", "apps/v1 DaemonSet", { spec: template }, { spec: other }],
  ["selector", "apps/v1 StatefulSet", { spec: template }, { spec: other }],
  [
    "service name",
    "apps/v1 StatefulSet",
    { spec: { ...template, serviceName: "a" } },
    { spec: { ...template, serviceName: "b" } },
  ],
  [
    "pod management",
    "apps/v1 StatefulSet",
    { spec: template },
    { spec: { ...template, podManagementPolicy: "Parallel" } },
  ],
  ["data", "apps/v1 ControllerRevision", { data: { a: 1 }, revision: 1 }, { data: { a: 2 }, revision: 1 }],
  ["image", "batch/v1 Job", job({}), job({ template: image(jobPods) })],
  ["image", "batch/v1 Job", job({ suspend: true }), job({ suspend: true, template: image(jobPods) })],
  ["completions", "batch/v1 Job", job({ completions: 1 }), job({ completions: 2 })],
  ["completion mode", "batch/v1 Job", job({ completions: 1 }), job({ completions: 1, completionMode: "Indexed" })],
  ["failure policy", "batch/v1 Job", job(policyOfFailures([1])), job(policyOfFailures([2]))],
  ["manager", "batch/v1 Job", job({ managedBy: "a.io/b" }), job({ managedBy: "a.io/c" })],
  [
    "scopes",
    "v1 ResourceQuota",
    { spec: { hard: { pods: "1" }, scopes: ["BestEffort"] } },
    { spec: { hard: { pods: "1" }, scopes: ["NotTerminating"] } },
  ],
  ["source", "v1 PersistentVolume", volume({}), volume({ hostPath: { path: "/b" } })],
  ["volume mode", "v1 PersistentVolume", volume({}), volume({ volumeMode: "Block" })],
  ["node affinity", "v1 PersistentVolume", volume({ nodeAffinity: nodes("a") }), volume({ nodeAffinity: nodes("b") })],
  ["class", "v1 PersistentVolumeClaim", claim({ storageClassName: "a" }), claim({ storageClassName: "b" })],
  ["access", "v1 PersistentVolumeClaim", claim({}), claim({ accessModes: ["ReadWriteMany"] })],
  ["volume", "v1 PersistentVolumeClaim", claim({ volumeName: "a" }), claim({ volumeName: "b" })],
  [
    "limits",
    "v1 PersistentVolumeClaim",
    claim({}),
    claim({ resources: { requests: { storage: "1Gi" }, limits: { storage: "2Gi" } } }),
  ],
  ["headless", "v1 Service", service({}), service({ clusterIP: "None" })],
  ["address", "v1 Service", service({ clusterIP: "10.0.7.1" }), service({ clusterIP: "10.0.7.2" })],
  ["no more headless", "v1 Service", service({ clusterIP: "None" }), service({ clusterIP: "10.0.7.3" })],
  [
    "load balancer",
    "v1 Service",
    service({ type: "LoadBalancer", loadBalancerClass: "a.io/b" }),
    service({ type: "LoadBalancer", loadBalancerClass: "a.io/c" }),
  ],
  [
    "load balancer later",
    "v1 Service",
    service({ type: "LoadBalancer" }),
    service({ type: "LoadBalancer", loadBalancerClass: "a.io/c" }),
  ],
  [
    "health port",
    "v1 Service",
    service({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31001 }),
    service({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31002 }),
  ],
  [
    "command",
    "v1 Pod",
    pods,
    { spec: { ...pods.spec, containers: [{ name: "web", image: "web:1", command: ["x"] }] } },
  ],
  ["grace", "v1 Pod", pods, { spec: { ...pods.spec, terminationGracePeriodSeconds: 5 } }],
  ["node", "v1 Pod", pods, { spec: { ...pods.spec, nodeName: "n" } }],
  ["type", "v1 Secret", { type: "a.io/b" }, { type: "a.io/c" }],
  ["fixed data", "v1 ConfigMap", { data: { a: "1" }, immutable: true }, { data: { a: "2" }, immutable: true }],
  ["fixed data", "v1 Secret", { data: { a: "MQ==" }, immutable: true }, { data: { a: "Mg==" }, immutable: true }],
  ["role", "rbac.authorization.k8s.io/v1 RoleBinding", role("view"), role("edit")],
  ["role", "rbac.authorization.k8s.io/v1 ClusterRoleBinding", role("view"), role("edit")],
  ["provisioner", "storage.k8s.io/v1 StorageClass", { provisioner: "a.io/b" }, { provisioner: "a.io/c" }],
  [
    "parameters",
    "storage.k8s.io/v1 StorageClass",
    { provisioner: "a.io/b" },
    { provisioner: "a.io/b", parameters: { x: "1" } },
  ],
  [
    "reclaiming",
    "storage.k8s.io/v1 StorageClass",
    { provisioner: "a.io/b" },
    { provisioner: "a.io/b", reclaimPolicy: "Retain" },
  ],
  [
    "binding",
    "storage.k8s.io/v1 StorageClass",
    { provisioner: "a.io/b" },
    { provisioner: "a.io/b", volumeBindingMode: "WaitForFirstConsumer" },
  ],
  [
    "parameters",
    "storage.k8s.io/v1 VolumeAttributesClass",
    { driverName: "a.io", parameters: { x: "1" } },
    { driverName: "a.io", parameters: { x: "2" } },
  ],
  ["attaching", "storage.k8s.io/v1 CSIDriver", { spec: {} }, { spec: { attachRequired: false } }],
  ["life", "storage.k8s.io/v1 CSIDriver", { spec: {} }, { spec: { volumeLifecycleModes: ["Ephemeral"] } }],
  ["class", "storage.k8s.io/v1 CSIStorageCapacity", { storageClassName: "a" }, { storageClassName: "b" }],
  ["value", "scheduling.k8s.io/v1 PriorityClass", { value: 1 }, { value: 2 }],
  ["preemption", "scheduling.k8s.io/v1 PriorityClass", { value: 1 }, { value: 1, preemptionPolicy: "Never" }],
  ["handler", "node.k8s.io/v1 RuntimeClass", { handler: "a" }, { handler: "b" }],
  [
    "controller",
    "networking.k8s.io/v1 IngressClass",
    { spec: { controller: "a.io/b" } },
    { spec: { controller: "a.io/c" } },
  ],
  [
    "addresses",
    "discovery.k8s.io/v1 EndpointSlice",
    { addressType: "IPv4", endpoints: [] },
    { addressType: "IPv6", endpoints: [] },
  ],
  [
    "spec",
    "resource.k8s.io/v1 ResourceClaim",
    { spec: { devices: { requests: [{ name: "a", exactly: { deviceClassName: "x.io" } }] } } },
    { spec: { devices: { requests: [{ name: "a", exactly: { deviceClassName: "y.io" } }] } } },
  ],
  [
    "spec",
    "resource.k8s.io/v1 ResourceClaimTemplate",
    { spec: { spec: { devices: { requests: [{ name: "a", exactly: { deviceClassName: "x.io" } }] } } } },
    { spec: { spec: { devices: { requests: [{ name: "a", exactly: { deviceClassName: "y.io" } }] } } } },
  ],
  ["plural", "apiextensions.k8s.io/v1 CustomResourceDefinition", definition({}), definition({ plural: "others" })],
  ["scope", "apiextensions.k8s.io/v1 CustomResourceDefinition", definition({}), definition({}, { scope: "Cluster" })],
];

const TAKEN: readonly (readonly [string, string, Fields, Fields])[] = [
  ["image", "apps/v1 Deployment", { spec: template }, { spec: { ...template, template: image(pods) } }],
  [
    "what it may",
    "apps/v1 StatefulSet",
    { spec: template },
    {
      spec: {
        ...template,
        template: image(pods),
        replicas: 2,
        minReadySeconds: 1,
        revisionHistoryLimit: 3,
        ordinals: { start: 1 },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" },
        updateStrategy: { rollingUpdate: { partition: 1 } },
      },
    },
  ],
  [
    "a default",
    "apps/v1 StatefulSet",
    { spec: template },
    { spec: { ...template, podManagementPolicy: "OrderedReady" } },
  ],
  ["revision", "apps/v1 ControllerRevision", { data: { a: 1 }, revision: 1 }, { data: { a: 1 }, revision: 2 }],
  [
    "what it may",
    "batch/v1 Job",
    job({}),
    job({
      parallelism: 2,
      suspend: true,
      ttlSecondsAfterFinished: 5,
      backoffLimit: 1,
      activeDeadlineSeconds: 9,
      podReplacementPolicy: "Failed",
    }),
  ],
  [
    "completions with parallelism",
    "batch/v1 Job",
    job({ completionMode: "Indexed", completions: 1, parallelism: 1 }),
    job({ completionMode: "Indexed", completions: 2, parallelism: 2 }),
  ],
  [
    "where a suspended one goes",
    "batch/v1 Job",
    job({ suspend: true }),
    job({
      suspend: true,
      template: { metadata: { labels: { app: "x" } }, spec: { ...jobPods.spec, nodeSelector: { a: "b" } } },
    }),
  ],
  [
    "resources of a suspended one",
    "batch/v1 Job",
    job({ suspend: true }),
    job({
      suspend: true,
      template: {
        ...jobPods,
        spec: { ...jobPods.spec, containers: [{ name: "web", image: "web:1", resources: { requests: { cpu: "1" } } }] },
      },
    }),
  ],
  ["limits", "v1 ResourceQuota", { spec: { hard: { pods: "1" } } }, { spec: { hard: { pods: "2" } } }],
  [
    "what it may",
    "v1 PersistentVolume",
    volume({}),
    volume({ capacity: { storage: "2Gi" }, nodeAffinity: nodes("a"), persistentVolumeReclaimPolicy: "Delete" }),
  ],
  ["volume, once", "v1 PersistentVolumeClaim", claim({}), claim({ volumeName: "a" })],
  ["a class later", "v1 PersistentVolumeClaim", claim({}), claim({ storageClassName: "a" })],
  ["a default", "v1 PersistentVolumeClaim", claim({}), claim({ volumeMode: "Filesystem" })],
  ["ports", "v1 Service", service({}), service({ ports: [{ port: 81, name: "http" }] })],
  ["to the outside", "v1 Service", service({}), { spec: { type: "ExternalName", externalName: "a.example" } }],
  [
    "from the outside",
    "v1 Service",
    { spec: { type: "ExternalName", externalName: "a.example" } },
    service({ type: "ClusterIP", clusterIP: "None" }),
  ],
  ["an address left to the server", "v1 Service", service({ clusterIP: "10.0.7.9" }), service({})],
  ["headless left to the server", "v1 Service", service({ clusterIP: "None" }), service({})],
  [
    "another kind with a load balancer",
    "v1 Service",
    service({ type: "LoadBalancer", loadBalancerClass: "a.io/b" }),
    service({ type: "ClusterIP" }),
  ],
  [
    "health port with the policy",
    "v1 Service",
    service({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31003 }),
    service({ type: "LoadBalancer", externalTrafficPolicy: "Cluster" }),
  ],
  ["image", "v1 Pod", pods, image(pods)],
  ["tolerations", "v1 Pod", pods, { spec: { ...pods.spec, tolerations: [{ key: "a", operator: "Exists" }] } }],
  ["a default", "v1 Secret", {}, { type: "Opaque" }],
  ["data", "v1 Secret", { data: { a: "MQ==" } }, { data: { a: "Mg==" }, immutable: true }],
  [
    "subjects",
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
    role("view"),
    { ...role("view"), subjects: [{ kind: "User", name: "x", apiGroup: "rbac.authorization.k8s.io" }] },
  ],
  [
    "expansion",
    "storage.k8s.io/v1 StorageClass",
    { provisioner: "a.io/b" },
    { provisioner: "a.io/b", reclaimPolicy: "Delete", allowVolumeExpansion: true, mountOptions: ["ro"] },
  ],
  [
    "what it may",
    "storage.k8s.io/v1 CSIDriver",
    { spec: {} },
    { spec: { attachRequired: true, podInfoOnMount: true, storageCapacity: true } },
  ],
  [
    "capacity",
    "storage.k8s.io/v1 CSIStorageCapacity",
    { storageClassName: "a" },
    { storageClassName: "a", capacity: "1Gi" },
  ],
  [
    "description",
    "scheduling.k8s.io/v1 PriorityClass",
    { value: 1 },
    { value: 1, description: "x", preemptionPolicy: "PreemptLowerPriority" },
  ],
  [
    "parameters",
    "networking.k8s.io/v1 IngressClass",
    { spec: { controller: "a.io/b" } },
    { spec: { controller: "a.io/b", parameters: { kind: "X", name: "y", scope: "Cluster" } } },
  ],
  [
    "names",
    "apiextensions.k8s.io/v1 CustomResourceDefinition",
    definition({}),
    definition({ singular: "base", shortNames: ["d"] }),
  ],
];

describe.runIf(assets !== undefined)("fields that a real kube-apiserver refuses to change", () => {
  let server: RealApiServer;
  let transport: HttpTransport;
  let client: KubeClient;
  let next = 0;

  beforeAll(async () => {
    server = await startRealApiServer(assets ?? "");
    transport = await openHttpTransportFile(server.kubeconfig);
    client = new KubeClient(transport.send);
  }, 120_000);
  afterAll(async () => {
    await transport?.close();
    await server?.close();
  });

  async function changed(
    kind: string,
    before: Fields,
    after: Fields,
  ): Promise<{ refused: string; said: readonly string[] }> {
    const [apiVersion = "", name = ""] = kind.split(" ");
    const { namespaced } = await client.mapper.get(apiVersion, name);
    const object = (fields: Fields): KubeObject => {
      const { metadata = {}, ...rest } = fields;
      const namespace = namespaced ? { namespace: "default" } : {};
      return {
        apiVersion,
        kind: name,
        ...rest,
        metadata: { name: `case-${next}`, ...namespace, ...(metadata as object) },
      };
    };
    next++;
    const [old, fresh] = [object(before), object(after)];
    const apply = (one: KubeObject) => client.apply(one, { fieldManager: "flaghoist", force: true });
    await apply(old);
    const said = immutableAmong(old, fieldChanges(old, fresh), []);
    try {
      await apply(fresh);
      return { refused: "", said };
    } catch (error) {
      if (!(error instanceof ApiStatusError) || ![403, 422].includes(error.status.code)) throw error;
      return { refused: error.message, said };
    }
  }

  it.each(REFUSED)("%s of %s", async (_what, kind, before, after) => {
    const { refused, said } = await changed(kind, before, after);

    expect(refused).not.toBe("");
    expect(said).not.toEqual([]);
  });

  it.each(TAKEN)("but not %s of %s", async (_what, kind, before, after) => {
    expect(await changed(kind, before, after)).toEqual({ refused: "", said: [] });
  });
});
