// Random objects of the kinds that kustomize has rules for, referring to one another by name.
import type { Random } from "../../../../runtime/random.ts";
import { RawYaml, type YamlValue } from "./yaml-writer.ts";

/** An object as a map, with what others need to name it. */
export interface GeneratedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly clusterScoped: boolean;
  readonly value: { readonly [key: string]: YamlValue | undefined };
}

/** Names from which objects and references are drawn, so that some meet. */
export interface NamePool {
  readonly names: readonly string[];
  readonly namespaces: readonly string[];
  /** `$(NAME)` texts of variables that may be defined. */
  readonly variables: readonly string[];
}

type Fields = { readonly [key: string]: YamlValue | undefined };

export const IMAGES = [
  "nginx",
  "nginx:1.7.9",
  "example/app:v1",
  "example/app",
  "registry.example:5000/team/app:1.2",
  "busybox@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
  "redis:6@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
] as const;

export const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"] as const;

/** Objects of random kinds without two of one identity. */
export function randomObjects(random: Random, pool: NamePool, count: number): GeneratedObject[] {
  const objects: GeneratedObject[] = [];
  const taken = new Set<string>();
  for (let i = 0; i < count; i++) {
    const object = randomObject(random, pool);
    const id = `${object.apiVersion} ${object.kind} ${object.name} ${object.namespace ?? "default"}`;
    if (taken.has(id)) continue;
    taken.add(id);
    objects.push(object);
  }
  return objects;
}

export function randomObject(random: Random, pool: NamePool): GeneratedObject {
  const [apiVersion, kind, clusterScoped, body] = random.pick(KINDS);
  const name = random.pick(pool.names);
  const namespace = clusterScoped || random.chance(0.75) ? undefined : random.pick(pool.namespaces);
  const metadata = {
    name,
    namespace,
    labels: random.chance(0.5) ? labelsOf(random) : undefined,
    annotations: random.chance(0.25) ? annotationsOf(random, pool) : undefined,
  };
  return {
    apiVersion,
    kind,
    name,
    namespace,
    clusterScoped,
    value: { apiVersion, kind, metadata, ...body(random, pool, name) },
  };
}

function labelsOf(random: Random): Fields {
  return {
    app: random.pick(["web", "db", "x"]),
    ...(random.chance(0.4) && { tier: random.pick(["front", "back", new RawYaml('"1"')]) }),
    ...(random.chance(0.2) && { "example.org/part": "a" }),
  };
}

function annotationsOf(random: Random, pool: NamePool): Fields {
  return {
    note: random.pick(["plain", "a: b", "# no comment", "two\nlines\n", textOf(random, pool)]),
    ...(random.chance(0.2) && { "config.kubernetes.io/local-config": random.pick(["true", "false"]) }),
  };
}

/** A text of an environment variable or argument, sometimes with a variable in it. */
export function textOf(random: Random, pool: NamePool): string {
  if (pool.variables.length === 0 || random.chance(0.5)) return random.pick(["plain", "a,b,c", "http://h:80/p", "x=1"]);
  const variable = random.pick(pool.variables);
  return random.pick([`$(${variable})`, `http://$(${variable})/p`, `$$(${variable})`, `$(${variable})-$(UNKNOWN)`]);
}

function podSpec(random: Random, pool: NamePool): Fields {
  const names = random.pick([["main"], ["main", "side"], ["main", "side", "extra"]]);
  return {
    serviceAccountName: random.chance(0.4) ? random.pick(pool.names) : undefined,
    priorityClassName: random.chance(0.1) ? random.pick(pool.names) : undefined,
    imagePullSecrets: random.chance(0.2) ? [{ name: random.pick(pool.names) }] : undefined,
    initContainers: random.chance(0.2) ? [container(random, pool, "init")] : undefined,
    containers: names.map((name) => container(random, pool, name)),
    volumes: random.chance(0.4) ? volumes(random, pool) : undefined,
    nodeSelector: random.chance(0.1) ? { disk: "ssd" } : undefined,
    affinity: random.chance(0.15) ? affinity(random) : undefined,
    topologySpreadConstraints: random.chance(0.1) ? [spread(random)] : undefined,
    tolerations: random.chance(0.1) ? [{ key: "a", operator: "Exists" }] : undefined,
  };
}

function spread(random: Random): Fields {
  return {
    maxSkew: 1,
    topologyKey: random.pick(["zone", "host"]),
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: { app: "web" } },
  };
}

function affinity(random: Random): Fields {
  const term = { topologyKey: "zone", labelSelector: { matchLabels: { app: "web" } } };
  // Not the preferred ones: a list in the way of a label's path makes each build with commonLabels fail.
  return {
    [random.pick(["podAffinity", "podAntiAffinity"])]: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
  };
}

function container(random: Random, pool: NamePool, name: string): Fields {
  const source = (): Fields => ({ name: random.pick(pool.names), key: "k" });
  return {
    name,
    image: random.pick(IMAGES),
    command: random.chance(0.2) ? ["run", textOf(random, pool)] : undefined,
    args: random.chance(0.3) ? [textOf(random, pool), "--flag"] : undefined,
    ports: random.chance(0.4)
      ? [{ containerPort: 8080, name: "http" }, ...(random.chance(0.3) ? [{ containerPort: 53, protocol: "UDP" }] : [])]
      : undefined,
    env: random.chance(0.5)
      ? [
          { name: "TEXT", value: textOf(random, pool) },
          ...(random.chance(0.5) ? [{ name: "CONF", valueFrom: { configMapKeyRef: source() } }] : []),
          ...(random.chance(0.3) ? [{ name: "PASS", valueFrom: { secretKeyRef: source() } }] : []),
        ]
      : undefined,
    envFrom: random.chance(0.3)
      ? [
          random.pick([
            { configMapRef: { name: random.pick(pool.names) } },
            { secretRef: { name: random.pick(pool.names) } },
          ]),
        ]
      : undefined,
    resources: random.chance(0.2) ? { limits: { cpu: new RawYaml(random.pick(["1", "0.5", "500m"])) } } : undefined,
    volumeMounts: random.chance(0.2) ? [{ name: "v", mountPath: textOf(random, pool) }] : undefined,
  };
}

function volumes(random: Random, pool: NamePool): Fields[] {
  const name = (): string => random.pick(pool.names);
  return random.list(3, () =>
    random.pick<Fields>([
      { name: "v", configMap: { name: name() } },
      { name: "s", secret: { secretName: name() } },
      { name: "p", persistentVolumeClaim: { claimName: name() } },
      { name: "e", emptyDir: {} },
      { name: "j", projected: { sources: [{ configMap: { name: name() } }, { secret: { name: name() } }] } },
    ]),
  );
}

function template(random: Random, pool: NamePool): Fields {
  return {
    metadata: {
      labels: random.chance(0.8) ? { app: "web" } : undefined,
      annotations: random.chance(0.2) ? { note: textOf(random, pool) } : undefined,
    },
    spec: podSpec(random, pool),
  };
}

type Body = (random: Random, pool: NamePool, name: string) => Fields;

function workload(withReplicas: boolean): Body {
  return (random, pool) => ({
    spec: {
      replicas: withReplicas && random.chance(0.6) ? random.below(4) : undefined,
      selector: random.chance(0.8) ? { matchLabels: { app: "web" } } : undefined,
      template: template(random, pool),
    },
  });
}

function statefulSet(random: Random, pool: NamePool): Fields {
  const claim = {
    metadata: { name: "data", labels: random.chance(0.5) ? { of: "set" } : undefined },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: random.pick(pool.names) },
  };
  return {
    spec: {
      replicas: 2,
      serviceName: random.pick(pool.names),
      selector: { matchLabels: { app: "web" } },
      template: template(random, pool),
      volumeClaimTemplates: random.chance(0.5) ? [claim] : undefined,
    },
  };
}

const DATA_TEXTS = [
  "plain",
  "007",
  "true",
  "1e3",
  "a: b\nc: d\n",
  "line\n\n\nend",
  "x".repeat(90),
  "w ".repeat(60),
  "é",
  "",
];

function configMapData(random: Random, pool: NamePool): Fields {
  return {
    data: {
      k: random.pick(DATA_TEXTS),
      ...(random.chance(0.5) && { text: textOf(random, pool) }),
      ...(random.chance(0.3) && { "file.json": '{"a": {"b": "c"}, "n": 1}' }),
      ...(random.chance(0.2) && { list: "one,two,three" }),
    },
  };
}

function ingress(random: Random, pool: NamePool): Fields {
  const backend = { service: { name: random.pick(pool.names), port: { number: 80 } } };
  return {
    spec: {
      ingressClassName: random.chance(0.3) ? random.pick(pool.names) : undefined,
      defaultBackend: random.chance(0.3) ? backend : undefined,
      tls: random.chance(0.3) ? [{ hosts: ["h"], secretName: random.pick(pool.names) }] : undefined,
      rules: [
        {
          host: random.pick(["h.example", textOf(random, pool)]),
          http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
        },
      ],
    },
  };
}

function rules(random: Random, pool: NamePool): Fields {
  const names = random.chance(0.6) ? [random.pick(pool.names), random.pick(pool.names)] : undefined;
  return {
    rules: [
      { apiGroups: [""], resources: [random.pick(["configmaps", "secrets"])], verbs: ["get"], resourceNames: names },
    ],
  };
}

function binding(random: Random, pool: NamePool): Fields {
  // With a namespace, as the API server asks for.
  const account = (): Fields => ({
    kind: "ServiceAccount",
    name: random.chance(0.2) ? "default" : random.pick(pool.names),
    namespace: random.pick(pool.namespaces),
  });
  return {
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: random.pick(["Role", "ClusterRole"]),
      name: random.pick(pool.names),
    },
    subjects: random.chance(0.9)
      ? [account(), ...(random.chance(0.2) ? [{ kind: "User", name: "u" }] : [])]
      : undefined,
  };
}

const empty: Body = () => ({});

/** apiVersion, kind, whether it is cluster-scoped, and its fields beside metadata. */
const KINDS: readonly (readonly [string, string, boolean, Body])[] = [
  ["v1", "ConfigMap", false, configMapData],
  ["v1", "ConfigMap", false, configMapData],
  ["v1", "Secret", false, () => ({ type: "Opaque", data: { k: "YQ==" } })],
  [
    "v1",
    "Service",
    false,
    (random) => ({
      spec: {
        selector: random.chance(0.7) ? { app: "web" } : undefined,
        ports: [{ port: 80 }, { port: 81, name: "b", targetPort: "http" }],
      },
    }),
  ],
  [
    "v1",
    "ServiceAccount",
    false,
    (random, pool) => ({ secrets: random.chance(0.3) ? [{ name: random.pick(pool.names) }] : undefined }),
  ],
  ["apps/v1", "Deployment", false, workload(true)],
  ["apps/v1", "Deployment", false, workload(true)],
  ["apps/v1", "DaemonSet", false, workload(false)],
  ["apps/v1", "ReplicaSet", false, workload(true)],
  ["apps/v1", "StatefulSet", false, statefulSet],
  [
    "v1",
    "ReplicationController",
    false,
    (random, pool) => ({ spec: { replicas: 1, selector: { app: "web" }, template: template(random, pool) } }),
  ],
  ["v1", "Pod", false, (random, pool) => ({ spec: podSpec(random, pool) })],
  ["batch/v1", "Job", false, (random, pool) => ({ spec: { template: template(random, pool) } })],
  [
    "batch/v1",
    "CronJob",
    false,
    (random, pool) => ({
      spec: { schedule: "* * * * *", jobTemplate: { spec: { template: template(random, pool) } } },
    }),
  ],
  ["networking.k8s.io/v1", "Ingress", false, ingress],
  ["networking.k8s.io/v1", "IngressClass", true, () => ({ spec: { controller: "x/y" } })],
  [
    "networking.k8s.io/v1",
    "NetworkPolicy",
    false,
    () => ({
      spec: {
        podSelector: { matchLabels: { app: "web" } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: "db" } } }] }],
      },
    }),
  ],
  [
    "policy/v1",
    "PodDisruptionBudget",
    false,
    () => ({ spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } } }),
  ],
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    false,
    (random, pool) => ({
      spec: {
        scaleTargetRef: {
          apiVersion: "apps/v1",
          kind: random.pick(["Deployment", "StatefulSet"]),
          name: random.pick(pool.names),
        },
        minReplicas: 1,
      },
    }),
  ],
  [
    "v1",
    "PersistentVolumeClaim",
    false,
    (random, pool) => ({
      spec: {
        storageClassName: random.pick(pool.names),
        volumeName: random.chance(0.3) ? random.pick(pool.names) : undefined,
      },
    }),
  ],
  ["v1", "PersistentVolume", true, (random, pool) => ({ spec: { storageClassName: random.pick(pool.names) } })],
  ["storage.k8s.io/v1", "StorageClass", true, () => ({ provisioner: "x" })],
  ["scheduling.k8s.io/v1", "PriorityClass", true, () => ({ value: 10 })],
  ["v1", "Namespace", true, empty],
  ["rbac.authorization.k8s.io/v1", "Role", false, rules],
  ["rbac.authorization.k8s.io/v1", "ClusterRole", true, rules],
  ["rbac.authorization.k8s.io/v1", "RoleBinding", false, binding],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding", true, binding],
  [
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    true,
    (random) => ({
      spec: {
        group: "example.org",
        conversion: random.chance(0.4)
          ? { webhook: { clientConfig: { service: { name: "app", namespace: "one" } } } }
          : undefined,
      },
    }),
  ],
  [
    "apiregistration.k8s.io/v1",
    "APIService",
    true,
    (random, pool) => ({
      spec: { service: { name: random.pick(pool.names), namespace: "one" }, group: "example.org" },
    }),
  ],
  [
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    true,
    (random, pool) => ({
      webhooks: [{ name: "a.b", clientConfig: { service: { name: random.pick(pool.names), namespace: "one" } } }],
    }),
  ],
  [
    "example.org/v1",
    "Widget",
    false,
    (random, pool) => ({
      spec: {
        size: new RawYaml(random.pick(["3", "0x1F", "007", "1e3", "1.50", "yes", "2020-01-02", "~"])),
        parts: [{ name: "a", value: textOf(random, pool) }, { name: "b" }],
        configRef: { name: random.pick(pool.names) },
        selector: { matchLabels: { app: "web" } },
        image: "nginx:1",
        empty: {},
        none: [],
      },
    }),
  ],
];
