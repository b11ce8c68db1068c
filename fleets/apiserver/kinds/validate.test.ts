import { describe, expect, it } from "vitest";
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { builtinKinds } from "./builtin.ts";

function kindNamed(name: string): KindStrategy {
  const found = builtinKinds().find((kind) => kind.kind === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

function made(kind: string, body: JsonObject): KubeObject {
  const strategy = kindNamed(kind);
  const { object } = strategy.decode(
    { ...body, metadata: { name: "x", namespace: "n", ...(body["metadata"] as object) } },
    [],
  );
  strategy.applyDefaults(object, undefined);
  object.metadata.uid = "u";
  strategy.prepareForCreate(object);
  strategy.allocate?.(object, undefined, () => []);
  return object;
}

function lines(kind: string, object: KubeObject, old?: KubeObject): string[] {
  const strategy = kindNamed(kind);
  const errors = old === undefined ? strategy.validateCreate(object) : strategy.validateUpdate(object, old);
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

const TEMPLATE = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
const WORKLOAD = { selector: { matchLabels: { a: "b" } }, template: TEMPLATE };

function podSpec(changes: JsonObject): JsonObject {
  return { spec: { containers: [{ name: "c", image: "i", ...changes }] } };
}

describe("a valid object", () => {
  it.each<[string, JsonObject]>([
    ["Pod", podSpec({ ports: [{ containerPort: 80, name: "web" }], resources: { limits: { cpu: "1" } } })],
    ["Deployment", { spec: WORKLOAD }],
    ["StatefulSet", { spec: { ...WORKLOAD, serviceName: "s" } }],
    ["DaemonSet", { spec: WORKLOAD }],
    ["ReplicaSet", { spec: WORKLOAD }],
    ["Job", { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } }],
    ["Service", { spec: { ports: [{ port: 80 }] } }],
    ["ConfigMap", { data: { "a.b-c_d": "x" } }],
    [
      "PersistentVolumeClaim",
      { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
    ],
    ["Role", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }],
  ])("%s has no errors", (kind, body) => {
    expect(lines(kind, made(kind, body))).toEqual([]);
  });
});

describe("validation of a new object", () => {
  it.each<[string, string, JsonObject, string]>([
    ["a Pod without containers", "Pod", { spec: { containers: [] } }, "spec.containers: Required value"],
    ["a container without image", "Pod", podSpec({ image: "" }), "spec.containers[0].image: Required value"],
    [
      "a bad container name",
      "Pod",
      podSpec({ name: "A" }),
      'spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label',
    ],
    [
      "a request above its limit",
      "Pod",
      podSpec({ resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } }),
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      "a negative limit",
      "Pod",
      podSpec({ resources: { limits: { cpu: "-1" } } }),
      'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      "a mount without volume",
      "Pod",
      podSpec({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      "two sources in a volume",
      "Pod",
      {
        spec: {
          containers: [{ name: "c", image: "i" }],
          volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }],
        },
      },
      "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
    ],
    ["a Deployment without selector", "Deployment", { spec: { template: TEMPLATE } }, "spec.selector: Required value"],
    [
      "labels that the selector misses",
      "Deployment",
      { spec: { ...WORKLOAD, selector: { matchLabels: { a: "c" } } } },
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    ],
    [
      "a rolling update that stands still",
      "Deployment",
      { spec: { ...WORKLOAD, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      "a rolling update under Recreate",
      "Deployment",
      { spec: { ...WORKLOAD, strategy: { type: "Recreate", rollingUpdate: {} } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      "a Deployment whose Pods end",
      "Deployment",
      { spec: { ...WORKLOAD, template: { ...TEMPLATE, spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      "a Job whose Pods never end",
      "Job",
      { spec: { template: TEMPLATE } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      "a schedule of four fields",
      "CronJob",
      {
        spec: {
          schedule: "* * * *",
          jobTemplate: { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } },
        },
      },
      'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
    ],
    [
      "a schedule out of range",
      "CronJob",
      {
        spec: {
          schedule: "61 * * * *",
          jobTemplate: { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } },
        },
      },
      'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
    ],
    [
      "an autoscaler upside down",
      "HorizontalPodAutoscaler",
      { spec: { minReplicas: 3, maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "d" } } },
      "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`",
    ],
    ["a Service without ports", "Service", { spec: {} }, "spec.ports: Required value"],
    [
      "a headless NodePort",
      "Service",
      { spec: { type: "NodePort", clusterIP: "None", ports: [{ port: 1 }] } },
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
    ],
    [
      "a bad key",
      "ConfigMap",
      { data: { "a b": "x" } },
      'data[a b]: Invalid value: "a b": a valid config key must consist of',
    ],
    [
      "a key twice",
      "ConfigMap",
      { data: { a: "x" }, binaryData: { a: "eA==" } },
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ],
    ["a TLS Secret without keys", "Secret", { type: "kubernetes.io/tls" }, "data[tls.crt]: Required value"],
    [
      "a registry Secret that is not JSON",
      "Secret",
      { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "YQ==" } },
      "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'a' looking for beginning of value",
    ],
    [
      "an Ingress without rules",
      "Ingress",
      { spec: {} },
      "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
    ],
    [
      "a rule without verbs",
      "Role",
      { rules: [{ apiGroups: [""], resources: ["x"] }] },
      "rules[0].verbs: Required value: verbs must contain at least one value",
    ],
    [
      "a URL in a namespaced role",
      "Role",
      { rules: [{ nonResourceURLs: ["/x"], verbs: ["get"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ],
    [
      "a Lease without length",
      "Lease",
      { spec: { leaseDurationSeconds: 0 } },
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ],
    [
      "a webhook without a say on side effects",
      "ValidatingWebhookConfiguration",
      { webhooks: [{ name: "a.b.c", clientConfig: { url: "https://x" }, admissionReviewVersions: ["v1"] }] },
      "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
    ],
    [
      "a webhook of two words",
      "MutatingWebhookConfiguration",
      { webhooks: [{ name: "a.b", clientConfig: {} }] },
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    ],
    [
      "an IngressClass without domain",
      "IngressClass",
      { spec: { controller: "x" } },
      'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      "a claim without size",
      "PersistentVolumeClaim",
      { spec: { accessModes: ["ReadWriteOnce"] } },
      "spec.resources[storage]: Required value",
    ],
  ])("refuses %s", (_what, kind, body, expected) => {
    expect(lines(kind, made(kind, body))).toContainEqual(expect.stringContaining(expected));
  });

  it("refuses more than one MiB of data", () => {
    const object = made("ConfigMap", { data: { a: "x".repeat(1024 * 1024 + 1) } });

    expect(lines("ConfigMap", object)).toEqual(["[]: Too long: may not be more than 1048576 bytes"]);
  });
});

describe("validation of a change", () => {
  function refusedChange(kind: string, body: JsonObject, change: (object: KubeObject) => void): string[] {
    const old = made(kind, body);
    const changed = cloneJson(old);
    change(changed);
    return lines(kind, changed, old);
  }

  function spec(object: KubeObject): JsonObject {
    return object["spec"] as JsonObject;
  }

  it("keeps selectors of workloads", () => {
    const errors = refusedChange("Deployment", { spec: WORKLOAD }, (object) => {
      spec(object)["selector"] = { matchLabels: { z: "z" } };
    });

    expect(errors).toContain('spec.selector: Invalid value: {"matchLabels":{"z":"z"}}: field is immutable');
  });

  it("keeps the content of immutable objects, but not their labels", () => {
    const body = { immutable: true, data: { a: "1" } };
    const relabel = refusedChange("ConfigMap", body, (object) => {
      object.metadata.labels = { x: "y" };
    });
    const rewrite = refusedChange("ConfigMap", body, (object) => {
      object["data"] = { a: "2" };
    });

    expect(relabel).toEqual([]);
    expect(rewrite).toEqual(["data: Forbidden: field is immutable when `immutable` is set"]);
  });

  it("lets Pods have new images and further tolerations, and nothing else", () => {
    const image = refusedChange("Pod", podSpec({}), (pod) => {
      (spec(pod)["containers"] as JsonObject[])[0]!["image"] = "j";
      (spec(pod)["tolerations"] as JsonObject[]).push({ key: "k", operator: "Exists" });
    });
    const node = refusedChange("Pod", podSpec({}), (pod) => {
      spec(pod)["nodeName"] = "n";
    });

    expect(image).toEqual([]);
    expect(node).toEqual([expect.stringContaining("spec: Forbidden: pod updates may not change fields other than")]);
  });

  it("keeps the role of a binding", () => {
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" };
    const errors = refusedChange("RoleBinding", { roleRef }, (binding) => {
      binding["roleRef"] = { ...roleRef, name: "z" };
    });

    expect(errors).toEqual([
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"z"}: cannot change roleRef',
    ]);
  });

  it("lets a StatefulSet scale but not rename its Service", () => {
    const body = { spec: { ...WORKLOAD, serviceName: "s" } };
    const scale = refusedChange("StatefulSet", body, (set) => {
      spec(set)["replicas"] = 5;
    });
    const rename = refusedChange("StatefulSet", body, (set) => {
      spec(set)["serviceName"] = "t";
    });

    expect(scale).toEqual([]);
    expect(rename).toEqual([expect.stringContaining("spec: Forbidden: updates to statefulset spec for fields other")]);
  });
});
