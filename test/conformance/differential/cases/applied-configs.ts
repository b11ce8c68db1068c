// Random configurations for server-side apply: parts of objects that several managers may share.
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";

/** A kind that the apply cases use. */
export interface AppliedKind {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly hasScale: boolean;
  readonly hasStatus: boolean;
  /** A random part of an object, without kind and name; `whole` asks for one that is valid on its own. */
  part(random: Random, whole: boolean): JsonObject;
  status?(random: Random): JsonObject;
}

/** Each field with the given probability. */
function fields(random: Random, probability: number, makers: Readonly<Record<string, () => Json>>): JsonObject {
  const out: JsonObject = {};
  for (const [name, make] of Object.entries(makers)) if (random.chance(probability)) out[name] = make();
  return out;
}

function text(random: Random): Json {
  return random.pick(["u", "v", "w"]);
}

function texts(random: Random, keys: readonly string[]): JsonObject {
  return Object.fromEntries(random.some(keys).map((key) => [key, text(random)]));
}

function metadata(random: Random): JsonObject {
  return fields(random, 0.2, {
    labels: () => texts(random, ["l1", "l2", "x.io/l"]),
    annotations: () => texts(random, ["a1", "a2"]),
    finalizers: () => random.some(["x.io/f", "x.io/g"]),
    ownerReferences: () =>
      random
        .some(["u1", "u2"])
        .map((uid) => ({ apiVersion: "none.example.io/v1", kind: "Owner", name: `n${random.below(2)}`, uid })),
  });
}

function withMetadata(random: Random, rest: JsonObject): JsonObject {
  const meta = metadata(random);
  delete meta["finalizers"];
  if (random.chance(0.5)) delete meta["ownerReferences"];
  return { ...(Object.keys(meta).length > 0 ? { metadata: meta } : {}), ...rest };
}

function widgetItem(random: Random, name: string): JsonObject {
  return {
    name,
    ...fields(random, 0.4, {
      value: () => text(random),
      n: () => random.below(3),
      tags: () => random.some(["t1", "t2", "t3"]),
      subs: () => random.some([1, 2, 3]).map((id) => ({ id, ...fields(random, 0.6, { v: () => text(random) }) })),
    }),
  };
}

function free(random: Random, depth = 0): Json {
  const kind = random.below(depth > 2 ? 3 : 6);
  if (kind === 0) return random.below(3);
  if (kind === 1) return random.pick([true, null, "x", 1.5]);
  if (kind === 2) return random.some(["p", "q", "r"]);
  if (kind === 3) return [{ name: "a", v: random.below(2) }];
  return Object.fromEntries(random.some(["f", "g", "h"], 1).map((key) => [key, free(random, depth + 1)]));
}

const WIDGET: AppliedKind = {
  path: "/apis/vec.example.io/v1/namespaces/{ns}/widgets",
  apiVersion: "vec.example.io/v1",
  kind: "Widget",
  hasScale: true,
  hasStatus: true,
  part: (random) =>
    withMetadata(random, {
      spec: fields(random, 0.25, {
        title: () => text(random),
        size: () => random.below(3),
        on: () => random.chance(0.5),
        mode: () => random.pick(["auto", "man", null]),
        nick: () => random.pick(["n", null]),
        gran: () => texts(random, ["x", "y", "z"]),
        atomMap: () => texts(random, ["x", "y"]),
        atomObj: () => fields(random, 0.6, { x: () => random.below(2), y: () => random.below(2) }),
        obj: () =>
          fields(random, 0.6, {
            x: () => random.below(2),
            y: () => random.below(2),
            z: () => fields(random, 0.6, { p: () => text(random), q: () => text(random) }),
          }),
        atomList: () => random.some(["p", "q", "r"]),
        set: () => random.some(["p", "q", "r", "s"]),
        intset: () => random.some([1, 2, 3]),
        items: () => random.some(["i", "j", "k"]).map((name) => widgetItem(random, name)),
        ports: () =>
          random.some([80, 81, 82]).map((port) => ({
            port,
            ...fields(random, 0.5, { proto: () => random.pick(["TCP", "UDP"]), label: () => text(random) }),
          })),
        ios: () => random.pick<Json>([1, "25%"]),
        free: () => fields(random, 0.6, { f: () => free(random), g: () => free(random) }),
        any: () => free(random),
        replicas: () => random.below(4),
      }),
    }),
  status: (random) =>
    fields(random, 0.5, {
      phase: () => text(random),
      replicas: () => random.below(3),
      observedGeneration: () => random.below(3),
      conditions: () =>
        random.some(["A", "B"]).map((type) => ({
          type,
          status: random.pick(["True", "False"]),
          ...fields(random, 0.4, { reason: () => text(random), message: () => text(random) }),
        })),
    }),
};

const BLOB: AppliedKind = {
  path: "/apis/vec.example.io/v1/namespaces/{ns}/blobs",
  apiVersion: "vec.example.io/v1",
  kind: "Blob",
  hasScale: false,
  hasStatus: false,
  part: (random) => withMetadata(random, fields(random, 0.6, { spec: () => free(random), data: () => free(random) })),
};

const CONFIG_MAP: AppliedKind = {
  path: "/api/v1/namespaces/{ns}/configmaps",
  apiVersion: "v1",
  kind: "ConfigMap",
  hasScale: false,
  hasStatus: false,
  part: (random) => ({
    ...(random.chance(0.4) ? { metadata: metadata(random) } : {}),
    ...fields(random, 0.7, {
      data: () => texts(random, ["a", "b", "c"]),
      binaryData: () => ({ z: random.pick(["YQ==", "Yg=="]) }),
    }),
  }),
};

function container(random: Random, name: string, whole: boolean): JsonObject {
  return {
    name,
    ...(whole || random.chance(0.5) ? { image: random.pick(["nginx:1", "nginx", "redis:7"]) } : {}),
    ...fields(random, 0.25, {
      args: () => random.some(["-a", "-b"]),
      env: () =>
        random
          .some(["E", "F", "G"])
          .map((env) =>
            random.chance(0.75)
              ? { name: env, value: text(random) }
              : { name: env, valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          ),
      ports: () =>
        random.some([80, 81]).map((containerPort) => ({
          containerPort,
          ...fields(random, 0.4, {
            protocol: () => random.pick(["TCP", "UDP"]),
            name: () => `p${containerPort}`,
          }),
        })),
      resources: () => ({
        [random.pick(["limits", "requests"])]: Object.fromEntries(
          random.some(["cpu", "memory"], 1).map((name) => [name, random.pick<Json>(["1", "500m", "1000m", 1, "1Gi"])]),
        ),
      }),
      volumeMounts: () => random.some(["/a", "/b"]).map((mountPath) => ({ mountPath, name: "v" })),
      imagePullPolicy: () => random.pick(["Always", "Never"]),
      livenessProbe: () => ({
        httpGet: { port: random.pick<Json>([80, "http"]) },
        ...fields(random, 0.4, { periodSeconds: () => random.below(3) + 1 }),
      }),
      securityContext: () =>
        fields(random, 0.7, { runAsUser: () => random.below(2), privileged: () => random.chance(0.5) }),
      workingDir: () => random.pick(["", "/w"]),
    }),
  };
}

function podSpec(random: Random, whole: boolean): JsonObject {
  return {
    ...(whole || random.chance(0.7)
      ? { containers: random.some(["c", "d"], whole ? 1 : 0).map((name) => container(random, name, whole)) }
      : {}),
    ...fields(random, 0.15, {
      volumes: () => [{ name: "v", ...random.pick<JsonObject>([{ emptyDir: {} }, { configMap: { name: "x" } }, {}]) }],
      nodeSelector: () => texts(random, ["n1", "n2"]),
      tolerations: () =>
        random.some([
          { key: "a", operator: "Exists" },
          { key: "b", value: "c" },
        ]),
      imagePullSecrets: () => random.some(["s1", "s2"]).map((name) => ({ name })),
      hostAliases: () => random.some(["1.1.1.1", "2.2.2.2"]).map((ip) => ({ ip, hostnames: [text(random)] })),
      serviceAccountName: () => random.pick(["sa", "sb"]),
      terminationGracePeriodSeconds: () => random.pick([10, 30]),
      securityContext: () => fields(random, 0.6, { fsGroup: () => random.below(2), runAsNonRoot: () => true }),
      topologySpreadConstraints: () => [
        {
          maxSkew: random.below(2) + 1,
          topologyKey: "zone",
          whenUnsatisfiable: random.pick(["DoNotSchedule", "ScheduleAnyway"]),
          labelSelector: { matchLabels: { app: "a" } },
        },
      ],
      initContainers: () => [container(random, "init", true)],
      affinity: () => ({
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "k", operator: "Exists" }] }],
          },
        },
      }),
    }),
  };
}

const DEPLOYMENT: AppliedKind = {
  path: "/apis/apps/v1/namespaces/{ns}/deployments",
  apiVersion: "apps/v1",
  kind: "Deployment",
  hasScale: true,
  hasStatus: true,
  part: (random, whole) =>
    withMetadata(random, {
      spec: {
        ...fields(random, 0.3, {
          replicas: () => random.below(4),
          minReadySeconds: () => random.below(3),
          paused: () => random.chance(0.5),
          revisionHistoryLimit: () => random.pick([10, 3]),
          strategy: () =>
            random.pick<JsonObject>([
              { type: "Recreate" },
              { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
              { rollingUpdate: { maxUnavailable: "30%" } },
              {},
            ]),
        }),
        ...(whole || random.chance(0.3) ? { selector: { matchLabels: { app: "a" } } } : {}),
        ...(whole || random.chance(0.8)
          ? {
              template: {
                ...(whole || random.chance(0.4) ? { metadata: { labels: { app: "a", ...texts(random, ["t"]) } } } : {}),
                spec: podSpec(random, whole),
              },
            }
          : {}),
      },
    }),
  status: (random) =>
    fields(random, 0.5, {
      replicas: () => random.below(3),
      observedGeneration: () => random.below(3),
      conditions: () =>
        random
          .some(["Available", "Progressing"])
          .map((type) => ({ type, status: random.pick(["True", "False"]), reason: "R", message: "m" })),
    }),
};

const SERVICE: AppliedKind = {
  path: "/api/v1/namespaces/{ns}/services",
  apiVersion: "v1",
  kind: "Service",
  hasScale: false,
  hasStatus: true,
  part: (random, whole) =>
    withMetadata(random, {
      spec: {
        ...fields(random, 0.3, {
          selector: () => texts(random, ["a", "b"]),
          type: () => random.pick(["ClusterIP", "NodePort", "LoadBalancer"]),
          sessionAffinity: () => random.pick(["None", "ClientIP"]),
          externalIPs: () => random.some(["1.1.1.1", "2.2.2.2"]),
          externalTrafficPolicy: () => random.pick(["Cluster", "Local"]),
        }),
        ...(whole || random.chance(0.6)
          ? {
              ports: random.some([80, 81, 82], whole ? 1 : 0).map((port) => ({
                port,
                name: `p${port}`,
                ...fields(random, 0.4, {
                  targetPort: () => random.pick<Json>([8080, "http"]),
                  protocol: () => random.pick(["TCP", "UDP"]),
                  appProtocol: () => "http",
                }),
              })),
            }
          : {}),
      },
    }),
};

const POD: AppliedKind = {
  path: "/api/v1/namespaces/{ns}/pods",
  apiVersion: "v1",
  kind: "Pod",
  hasScale: false,
  hasStatus: true,
  part: (random, whole) => withMetadata(random, { spec: podSpec(random, whole) }),
  status: (random) => ({
    conditions: [{ type: random.pick(["Ready", "x.io/g"]), status: random.pick(["True", "False"]) }],
  }),
};

const SECRET: AppliedKind = {
  path: "/api/v1/namespaces/{ns}/secrets",
  apiVersion: "v1",
  kind: "Secret",
  hasScale: false,
  hasStatus: false,
  part: (random) => ({
    ...(random.chance(0.3) ? { metadata: metadata(random) } : {}),
    ...fields(random, 0.6, {
      data: () => ({ [random.pick(["a", "b"])]: random.pick(["YQ==", "Yg=="]) }),
      stringData: () => texts(random, ["a", "b", "c"]),
    }),
  }),
};

const ROLE: AppliedKind = {
  path: "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles",
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  hasScale: false,
  hasStatus: false,
  part: (random) =>
    withMetadata(random, {
      rules: random.some([
        { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
        { apiGroups: ["apps"], resources: ["*"], verbs: ["*"] },
      ]),
    }),
};

const INGRESS: AppliedKind = {
  path: "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses",
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  hasScale: false,
  hasStatus: true,
  part: (random) =>
    withMetadata(random, {
      spec: {
        defaultBackend: {
          service: { name: random.pick(["s", "t"]), port: random.pick<JsonObject>([{ number: 80 }, { name: "http" }]) },
        },
        ...fields(random, 0.4, {
          ingressClassName: () => random.pick(["c", "d"]),
          tls: () => random.some([{ hosts: ["a.b"], secretName: "s" }, { hosts: ["c.d"] }]),
        }),
      },
    }),
  status: (random) => ({ loadBalancer: { ingress: random.some([{ ip: "1.1.1.1" }, { hostname: "h" }]) } }),
};

/** Custom resources first: their schemas have every kind of list and map. */
export const APPLIED_KINDS: readonly AppliedKind[] = [
  WIDGET,
  WIDGET,
  WIDGET,
  DEPLOYMENT,
  DEPLOYMENT,
  POD,
  SERVICE,
  BLOB,
  CONFIG_MAP,
  SECRET,
  ROLE,
  INGRESS,
];
