import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import { cloneJson, isObject, type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { isStillAsApplied } from "./still-applied.ts";

let server: ApiServer;
let client: KubeClient;

beforeEach(async () => {
  server = await createApiServer({ name: "member", clock: new FakeClock(), logger: silentLogger });
  client = new KubeClient(server.handle);
});

afterEach(() => server.close());

const namespace = "default";
const podSpec = {
  containers: [
    {
      name: "web",
      image: "web:1",
      args: ["--fast", "--port=80"],
      ports: [{ containerPort: 80 }, { containerPort: 53 }, { containerPort: 53, protocol: "UDP" }],
      env: [
        { name: "A", value: "1" },
        { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      ],
      resources: { requests: { cpu: "1000m", memory: "1024Mi" } },
      readinessProbe: { httpGet: { path: "/", port: 80 } },
      volumeMounts: [{ name: "scratch", mountPath: "/tmp" }],
    },
  ],
  tolerations: [{ key: "spot", operator: "Exists" }],
  volumes: [
    { name: "scratch", emptyDir: {} },
    { name: "config", configMap: { name: "settings" } },
  ],
};

/** What a server defaults, keys, sorts and writes otherwise in as many ways as possible. */
const MANIFESTS: readonly KubeObject[] = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace, labels: {}, annotations: { team: "shop" } },
    data: { color: "blue", "a.b-c": "1" },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a", namespace, labels: { app: "web" } },
    spec: {
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80 },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a", namespace, creationTimestamp: null },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      strategy: {},
      template: { metadata: { labels: { app: "web" } }, spec: podSpec },
    },
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "a", namespace },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }],
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "a", namespace },
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "a", namespace },
    spec: {
      rules: [
        {
          host: "a.example",
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } }],
          },
        },
      ],
    },
  },
  {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "a", namespace },
    spec: {
      minReplicas: 1,
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      ],
    },
  },
  {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "a", namespace, finalizers: ["example.org/hold"] },
    imagePullSecrets: [{ name: "pull" }],
  },
  { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "a", namespace }, spec: { hard: { cpu: "2000m" } } },
];

const named = MANIFESTS.map((manifest) => [manifest.kind, manifest] as const);

async function applied(manifest: KubeObject): Promise<KubeObject> {
  return client.apply(manifest, { fieldManager: "flaghoist", force: true });
}

/** Every place in a manifest where a text or number stands. */
function leaves(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, [...path, index]));
  if (isObject(value)) return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
  return value === null ? [] : [path];
}

function withLeaf(object: KubeObject, path: readonly (string | number)[]): KubeObject {
  const copy = cloneJson(object);
  let parent = copy as unknown as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>;
  const last = path.at(-1) ?? "";
  parent[last] = typeof parent[last] === "number" ? (parent[last] as number) + 1 : `${String(parent[last])}x`;
  return copy;
}

describe("isStillAsApplied", () => {
  it.each(named)("knows a %s that nobody has touched", async (_kind, manifest) => {
    const answer = await applied(manifest);

    expect(isStillAsApplied(manifest, answer)).toBe(true);
  });

  it.each(named)("does not take any other manifest for that of a %s", async (_kind, manifest) => {
    const answer = await applied(manifest);

    const identity = ["kind", "metadata,name", "metadata,namespace"];
    for (const path of leaves(manifest).filter((each) => !identity.includes(each.join())))
      expect([path, isStillAsApplied(withLeaf(manifest, path), answer)]).toEqual([path, false]);
  });

  it("sees what others changed, and what they took away", async () => {
    const manifest = MANIFESTS[0] as KubeObject;
    await applied(manifest);
    const changed = await client.patch(refOf(manifest), { data: { color: "red" } }, "merge", { fieldManager: "edit" });
    expect(isStillAsApplied(manifest, changed)).toBe(false);
    await applied(manifest);
    const cut = await client.patch(refOf(manifest), { data: { color: null } }, "merge", { fieldManager: "edit" });
    expect(isStillAsApplied(manifest, cut)).toBe(false);
  });

  it("sees what others changed inside a list that is one value", async () => {
    const manifest = MANIFESTS[3] as KubeObject;
    await applied(manifest);
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"], resourceNames: ["one"] }];

    const changed = await client.patch(refOf(manifest), { rules }, "merge", { fieldManager: "edit" });

    expect(isStillAsApplied(manifest, changed)).toBe(false);
  });

  it("does not mind what others added", async () => {
    const manifest = MANIFESTS[2] as KubeObject;
    await applied(manifest);
    const added = {
      metadata: { labels: { tier: "front" } },
      spec: { template: { spec: { priorityClassName: "high" } } },
    };

    const live = await client.patch(refOf(manifest), added, "strategic", { fieldManager: "edit" });

    expect(isStillAsApplied(manifest, live)).toBe(true);
  });

  it("wants sent what is to be taken away", async () => {
    const manifest = MANIFESTS[0] as KubeObject;
    const answer = await applied(manifest);

    expect(isStillAsApplied({ ...manifest, data: { color: "blue" } }, answer)).toBe(false);
    expect(isStillAsApplied({ ...manifest, data: {} }, answer)).toBe(false);
  });

  it("knows nothing of objects that were not applied by us, or at another version", async () => {
    const manifest = MANIFESTS[0] as KubeObject;
    const created = await client.create(manifest, { fieldManager: "flaghoist" });
    expect(isStillAsApplied(manifest, created)).toBe(false);
    const answer = await applied(MANIFESTS[6] as KubeObject);
    expect(isStillAsApplied({ ...(MANIFESTS[6] as KubeObject), apiVersion: "autoscaling/v1" }, answer)).toBe(false);
  });
});
