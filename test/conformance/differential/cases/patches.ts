// Patches of every type with right and wrong operations and directives.
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { type DifferentialCase, type DifferentialStep, PATCH_TYPES, patch, send } from "../differential-case.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments";
const WIDGETS = "/apis/vec.example.io/v1/namespaces/{ns}/widgets";

const DEPLOYMENT: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "p", labels: { a: "1", b: "2" }, annotations: { x: "y" }, finalizers: ["x.io/a", "x.io/b"] },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "a" } },
    template: {
      metadata: { labels: { app: "a" } },
      spec: {
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "w", configMap: { name: "c" } },
        ],
        tolerations: [{ key: "a", operator: "Exists" }],
        hostAliases: [{ ip: "1.1.1.1", hostnames: ["a"] }],
        imagePullSecrets: [{ name: "s" }],
        containers: [
          {
            name: "c",
            image: "nginx:1",
            args: ["-a", "-b"],
            env: [
              { name: "E", value: "1" },
              { name: "F", value: "2" },
              { name: "G", value: "3" },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 81, protocol: "UDP" }],
            volumeMounts: [{ name: "v", mountPath: "/v" }],
          },
          { name: "d", image: "redis:7" },
        ],
      },
    },
  },
};

const WIDGET: JsonObject = {
  apiVersion: "vec.example.io/v1",
  kind: "Widget",
  metadata: { name: "p", labels: { a: "1" }, annotations: { x: "y" } },
  spec: {
    title: "t",
    size: 1,
    gran: { x: "1", y: "2" },
    set: ["p", "q"],
    atomList: ["a", "b", "c"],
    items: [
      { name: "i", value: "1" },
      { name: "j", tags: ["t1"] },
    ],
    free: { f: { g: [1, 2, { h: null }] } },
    any: "x",
  },
};

const POINTERS = [
  "/spec/replicas",
  "/spec/template/spec/containers/0/image",
  "/spec/template/spec/containers/1",
  "/metadata/labels/a",
  "/metadata/annotations",
  "/metadata/name",
  "/spec/title",
  "/spec/size",
  "/spec/gran/x",
  "/spec/set/-",
  "/spec/set/0",
  "/spec/atomList/1",
  "/spec/atomList/9",
  "/spec/atomList/-1",
  "/spec/items/0/value",
  "/spec/items/1/tags",
  "/spec/free/f/g/2",
  "/spec/free/new",
  "/spec/any",
  "/spec/none/deep",
  "/spec",
  "",
  "/kind",
  "/metadata/labels/x~1y",
  "/metadata/labels/t~0u",
  "/metadata/resourceVersion",
  "/metadata/uid",
  "/metadata/finalizers/0",
  "/spec/template/spec/containers/0/env/1",
  "/spec/template/spec/containers/0/args/01",
  "no-slash",
  "/status",
  "/spec/unknown",
];
const VALUES: readonly Json[] = ["z", 5, 0, true, null, [], {}, ["a"], { a: "b" }, { name: "k" }, "1", 1.5];

function operation(random: Random): JsonObject {
  const op = random.pick(["add", "remove", "replace", "move", "copy", "test", "add", "replace", "bogus"]);
  const path = random.pick(POINTERS);
  const value = { value: random.pick(VALUES) };
  if (op === "move" || op === "copy") return { op, from: random.pick(POINTERS), path };
  if (op === "remove") return { op, path };
  return random.chance(0.05) ? { op, path } : { op, path, ...value };
}

function target(random: Random): {
  readonly one: string;
  readonly create: DifferentialStep;
  readonly builtin: boolean;
} {
  const builtin = random.chance(0.5);
  const [path, body] = builtin ? [DEPLOYMENTS, DEPLOYMENT] : [WIDGETS, WIDGET];
  return { one: `${path}/p`, create: { ...send("POST", path, body), silent: true }, builtin };
}

export function jsonPatches(random: Random): DifferentialCase {
  const { one, create } = target(random);
  const steps: DifferentialStep[] = [create];
  for (let at = 0; at < 4; at++) {
    const operations: Json = Array.from({ length: 1 + random.below(3) }, () => operation(random));
    const body: Json = random.chance(0.05) ? random.pick<Json>([{}, "x", [], [1], [{}], null]) : operations;
    steps.push(patch("json", `${one}${random.chance(0.1) ? "/status" : ""}?fieldManager=m`, body));
  }
  return { steps };
}

const MERGES: readonly ((random: Random, value: Json) => Json)[] = [
  (_r, value) => ({ metadata: { labels: value } }),
  (_r, value) => ({ metadata: { labels: { a: value, n: "1" } } }),
  (_r, value) => ({ metadata: { annotations: { x: value } } }),
  (_r, value) => ({ metadata: { finalizers: value } }),
  (_r, value) => ({ spec: value }),
  (_r, value) => ({ spec: { replicas: value, size: value } }),
  (_r, value) => ({ spec: { title: value, gran: { x: value, z: "9" } } }),
  (_r, value) => ({ spec: { free: { f: { g: value, k: value } }, any: value } }),
  (_r, value) => ({ spec: { items: value, set: value } }),
  (_r, value) => ({ spec: { template: { spec: { containers: value } } } }),
  (_r, value) => ({ spec: { template: { spec: { nodeSelector: value, dnsPolicy: value } } } }),
  (_r, value) => ({ spec: { unknown: value }, extra: value }),
  (_r, value) => ({ status: value }),
  (_r, value) => ({ apiVersion: value }),
  (_r, value) => ({ kind: value }),
  (_r, value) => ({ metadata: { name: value } }),
  (_r, value) => ({ metadata: { namespace: value } }),
  (_r, value) => ({ metadata: { resourceVersion: value } }),
  (_r, value) => ({ metadata: { uid: value } }),
  (_r, value) => ({ metadata: value }),
  (_r, value) => value,
];

export function mergePatches(random: Random): DifferentialCase {
  const { one, create } = target(random);
  const steps: DifferentialStep[] = [create];
  for (let at = 0; at < 4; at++) {
    const body = random.pick(MERGES)(random, random.pick(VALUES));
    const query = random.pick(["", "&fieldValidation=Strict", "&dryRun=All", "&fieldValidation=Ignore"]);
    steps.push(patch("merge", `${one}${random.chance(0.1) ? "/status" : ""}?fieldManager=m${query}`, body));
  }
  return { steps };
}

function containerPatch(random: Random): JsonObject {
  const directive = random.pick<JsonObject>([
    {},
    {},
    {},
    { $patch: "delete" },
    { $patch: "replace" },
    { $patch: "bogus" },
  ]);
  return { name: random.pick(["c", "d", "e"]), ...directive, ...fieldsOf(random) };
}

function fieldsOf(random: Random): JsonObject {
  const out: JsonObject = {};
  if (random.chance(0.6)) out["image"] = random.pick<Json>(["nginx:2", null]);
  if (random.chance(0.3)) out["args"] = random.pick<Json>([["-c"], [], null]);
  if (random.chance(0.4)) {
    out["env"] = random.some(["E", "F", "H"], 1).map((name) =>
      random.pick<JsonObject>([
        { name, value: "9" },
        { name, $patch: "delete" },
        { name, value: null },
      ]),
    );
    if (random.chance(0.4)) out["$setElementOrder/env"] = random.some(["E", "F", "G", "H"]).map((name) => ({ name }));
  }
  if (random.chance(0.3)) {
    out["ports"] = random.some([80, 81, 82], 1).map((containerPort) =>
      random.pick<JsonObject>([
        { containerPort, name: `p${containerPort}` },
        { containerPort, $patch: "delete" },
        { containerPort, protocol: "TCP" },
      ]),
    );
  }
  if (random.chance(0.2))
    out["volumeMounts"] = random
      .some(["/v", "/w"], 1)
      .map((mountPath) => ({ mountPath, name: random.pick(["v", "w"]) }));
  if (random.chance(0.1)) out["resources"] = { limits: { cpu: random.pick<Json>(["1", null]) } };
  return out;
}

function podPatch(random: Random): JsonObject {
  const out: JsonObject = {};
  if (random.chance(0.7)) {
    const containers: JsonObject[] = Array.from({ length: 1 + random.below(2) }, () => containerPatch(random));
    if (random.chance(0.1)) containers.unshift({ $patch: random.pick(["replace", "delete", "merge"]) });
    out["containers"] = containers;
    if (random.chance(0.4)) out["$setElementOrder/containers"] = random.some(["c", "d", "e"]).map((name) => ({ name }));
  }
  if (random.chance(0.3)) {
    out["volumes"] = [
      random.pick<JsonObject>([
        { name: "v", hostPath: { path: "/h" }, $retainKeys: ["name", "hostPath"] },
        { name: "v", hostPath: { path: "/h" } },
        { name: "w", $patch: "delete" },
        { name: "x", secret: { secretName: "s" } },
        { name: "w", configMap: { name: "d" } },
        { $patch: "delete" },
        { emptyDir: {} },
      ]),
    ];
  }
  if (random.chance(0.2)) out["tolerations"] = random.pick<Json>([[{ key: "b", operator: "Exists" }], null, []]);
  if (random.chance(0.2)) out["hostAliases"] = [{ ip: random.pick(["1.1.1.1", "2.2.2.2"]), hostnames: ["b"] }];
  if (random.chance(0.2))
    out["imagePullSecrets"] = random.pick<Json>([[{ name: "t" }], [{ name: "s", $patch: "delete" }], []]);
  if (random.chance(0.2))
    out["securityContext"] = random.pick<Json>([{ runAsUser: 1 }, null, { $patch: "replace", fsGroup: 2 }]);
  return out;
}

export function strategicPatches(random: Random): DifferentialCase {
  const steps: DifferentialStep[] = [{ ...send("POST", DEPLOYMENTS, DEPLOYMENT), silent: true }];
  for (let at = 0; at < 3; at++) {
    const spec: JsonObject = { template: { spec: podPatch(random) } };
    if (random.chance(0.25)) {
      spec["strategy"] = random.pick<Json>([
        { type: "Recreate" },
        { type: "Recreate", rollingUpdate: null },
        { $retainKeys: ["type"], type: "Recreate" },
        { $patch: "replace", type: "Recreate" },
        { rollingUpdate: { maxSurge: 2 } },
      ]);
    }
    if (random.chance(0.2)) spec["replicas"] = random.pick<Json>([5, null, "x", -1]);
    if (random.chance(0.1)) spec["selector"] = random.pick<Json>([{ matchLabels: { app: "b" } }, null]);
    const metadata = random.pick<JsonObject>([
      {},
      {},
      { labels: { a: null, n: "1" } },
      { labels: { $patch: "replace", z: "1" } },
      { labels: { $patch: "delete" } },
      { annotations: null },
      { finalizers: ["x.io/c"] },
      { "$deleteFromPrimitiveList/finalizers": ["x.io/a"] },
      { finalizers: ["x.io/c"], "$setElementOrder/finalizers": ["x.io/c", "x.io/b", "x.io/a"] },
      { ownerReferences: [{ apiVersion: "none.example.io/v1", kind: "O", name: "o", uid: "u1" }] },
      { ownerReferences: [{ uid: "u1", $patch: "delete" }] },
    ]);
    const body = random.chance(0.04)
      ? random.pick<Json>([[], "x", { spec: "x" }, { spec: [] }, { metadata: [] }])
      : { metadata, spec };
    steps.push(
      patch("strategic", `${DEPLOYMENTS}/p?fieldManager=m${random.pick(["", "&fieldValidation=Strict"])}`, body),
    );
  }
  return { steps };
}

const SERVICE: JsonObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "p" },
  spec: {
    selector: { a: "b" },
    ports: [
      { name: "x", port: 80 },
      { name: "y", port: 81 },
    ],
  },
};
const ACCOUNT: JsonObject = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "p" },
  secrets: [{ name: "a" }, { name: "b" }],
  imagePullSecrets: [{ name: "c" }],
};
const BINDING: JsonObject = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name: "p" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
  subjects: [{ kind: "User", name: "u" }],
};

/** Strategic patches of kinds with other merge keys. */
export function otherStrategic(random: Random): DifferentialCase {
  const [path, body, patches] = random.pick<[string, JsonObject, readonly JsonObject[]]>([
    [
      "/api/v1/namespaces/{ns}/services",
      SERVICE,
      [
        { spec: { ports: [{ port: 80, targetPort: "http" }] } },
        { spec: { ports: [{ port: 82, name: "z" }] } },
        { spec: { ports: [{ port: 80, $patch: "delete" }] } },
        { spec: { ports: [{ name: "x", targetPort: 5 }] } },
        { spec: { ports: [{ port: 81, name: "yy" }], "$setElementOrder/ports": [{ port: 81 }, { port: 80 }] } },
        { spec: { selector: { $patch: "replace", c: "d" } } },
        { spec: { selector: null } },
        { spec: { type: "NodePort" } },
        { spec: { ports: null } },
      ],
    ],
    [
      "/api/v1/namespaces/{ns}/serviceaccounts",
      ACCOUNT,
      [
        { secrets: [{ name: "c" }] },
        { secrets: [{ name: "a", $patch: "delete" }] },
        { secrets: [{ name: "z" }], "$setElementOrder/secrets": [{ name: "z" }, { name: "b" }, { name: "a" }] },
        { imagePullSecrets: [{ name: "d" }] },
        { imagePullSecrets: [{ $patch: "replace" }, { name: "e" }] },
        { automountServiceAccountToken: false },
        { secrets: null },
      ],
    ],
    [
      "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings",
      BINDING,
      [
        { subjects: [{ kind: "Group", name: "g" }] },
        { subjects: null },
        { subjects: [{ $patch: "delete", name: "u" }] },
        { roleRef: { name: "other" } },
      ],
    ],
  ]);
  const steps: DifferentialStep[] = [{ ...send("POST", path, body), silent: true }];
  for (let at = 0; at < 3; at++) steps.push(patch("strategic", `${path}/p?fieldManager=m`, random.pick(patches)));
  return { steps };
}

/** Bodies and types that no patch may have. */
export function patchFaults(random: Random): DifferentialCase {
  const { one, create } = target(random);
  const type = random.pick([
    ...Object.values(PATCH_TYPES),
    "application/json",
    "text/plain",
    "application/yaml",
    "application/apply-patch+cbor",
    "",
  ]);
  const body = random.pick<Json | string>([
    "{",
    "",
    "[",
    "null",
    "{}",
    "[]",
    "x: [",
    { spec: {} },
    '{"spec":{"replicas":1,"replicas":2}}',
    '{"a":1}x',
  ]);
  const query = random.pick([
    "",
    "?force=true",
    "?fieldManager=",
    "?fieldManager=m",
    "?dryRun=x",
    "?fieldValidation=x",
    "?force=x&fieldManager=m",
  ]);
  const name = random.chance(0.15) ? "/missing" : "";
  return { steps: [create, send("PATCH", `${one}${name === "" ? "" : "x"}${query}`, body, { "Content-Type": type })] };
}
