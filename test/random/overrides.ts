// Random objects, clusters and override policies: every overrider over every kind, right ones and odd ones.
import type { Cluster } from "../../api/cluster.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { randomJsonText, randomYamlText } from "./documents.ts";

type Json = Record<string, unknown>;

const HEX = "9b2a28eb47540823042a2ba401386845089bb7b62a9637d55816132c4c3c36eb";
const IMAGES = [
  "nginx",
  "nginx:1.19",
  "library/nginx:1.19",
  "docker.io/library/nginx@sha256:<hex>",
  "repo/app:1@sha256:<hex>",
  "localhost:5000/db:16",
  "localhost/db",
  "10.1.2.3:5000/a/b/c:v1",
  "[2001:db8::1]:5000/app:1",
  "UPPER/case:1",
  "registry.example.com:443/team/web",
  "a.b/c_d/e--f/g__h:T.-_",
  "nginx@sha512:<hex><hex>",
  "nginx@sha384:<hex>",
  "nginx@sha256:ABCD",
  "nginx@md5:<hex>",
  "",
  "nginx:",
  ":1",
  "nginx:1:2",
  "-nginx",
  "nginx ",
  "Nginx",
  "a/b/",
  "a//b",
  "host.:80/x",
  "http://x/y",
  HEX,
  `${"a".repeat(256)}:1`,
  `${"a/".repeat(127)}a`,
  `nginx:${"t".repeat(129)}`,
  "nginx\n",
].map((image) => image.replaceAll("<hex>", HEX));
const GOOD_IMAGES = IMAGES.slice(0, 11);
const IMAGE_VALUES = [
  "",
  "1.2",
  "-alpine",
  "bad tag",
  "/plus",
  "reg.io",
  ".mirror",
  ":5000",
  "b.io:5000",
  "x",
  "@sha256:abc",
  `sha256:${HEX}`,
  `sha256:${HEX.slice(0, 32)}`,
  `md5:${HEX.slice(0, 31)}`,
  "v".repeat(128),
  "ä",
  "1.2\n",
];
const WORDS = ["--serve", "-v", "--level=info", "a", "b", "", "ü", "a b"];
const CONTAINERS = ["app0", "app1", "absent", ""];
const KINDS = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["apps/v1", "ReplicaSet"],
  ["batch/v1", "Job"],
  ["v1", "Pod"],
  ["batch/v1", "CronJob"],
  ["example.com/v1", "Deployment"],
  ["example.com/v1", "Widget"],
] as const;
const LABELS = ["app", "tier", "example.com/owner", "absent"];
const LABEL_VALUES = ["web", "back", "", "team-a"];

function randomContainers(dice: Dice): Json[] {
  return Array.from({ length: dice.between(1, 3) }, (_, index) => ({
    name: `app${dice.chance(0.95) ? index : 0}`,
    ...(dice.chance(0.96) ? { image: dice.pick(dice.chance(0.85) ? GOOD_IMAGES : IMAGES) } : {}),
    ...(dice.chance(0.4) ? { args: dice.some(WORDS, 0.4) } : {}),
    ...(dice.chance(0.3) ? { command: dice.some(WORDS, 0.4) } : {}),
    ...(dice.chance(0.04) ? { args: null } : {}),
    ...(dice.chance(0.5) ? { env: [{ name: "MODE", value: "fast" }] } : {}),
  }));
}

function randomPodSpec(dice: Dice): Json {
  return {
    ...(dice.chance(0.97) ? { containers: randomContainers(dice) } : {}),
    ...(dice.chance(0.3) ? { initContainers: randomContainers(dice) } : {}),
  };
}

function randomMetadata(dice: Dice, name: string): KubeObject["metadata"] {
  const map = (): Record<string, string> =>
    Object.fromEntries(dice.some(LABELS.slice(0, 3), 0.6).map((key) => [key, dice.pick(LABEL_VALUES)]));
  return {
    name,
    namespace: "shop",
    ...(dice.chance(0.7) ? { labels: map() } : {}),
    ...(dice.chance(0.5) ? { annotations: map() } : {}),
  };
}

/** An object whose containers, documents and fields the overriders below know. */
export function randomOverridable(dice: Dice): KubeObject {
  const roll = dice.next();
  if (roll < 0.35) {
    const kind = dice.chance(0.9) ? "ConfigMap" : "Secret";
    return {
      apiVersion: "v1",
      kind,
      metadata: randomMetadata(dice, "conf"),
      [kind === "Secret" ? "stringData" : "data"]: {
        "app.yaml": randomYamlText(dice),
        "app.json": randomJsonText(dice),
        plain: "just text",
        "a/b~c": dice.chance(0.5) ? randomYamlText(dice) : randomJsonText(dice),
        ...(dice.chance(0.2) ? { empty: "" } : {}),
      },
      ...(dice.chance(0.2) ? { list: [randomJsonText(dice), 1, null, { text: randomYamlText(dice) }] } : {}),
    };
  }
  if (roll < 0.42) {
    const { namespace: _, ...metadata } = randomMetadata(dice, "reader");
    return {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata,
      rules: [{ apiGroups: [""], verbs: ["get"] }],
    };
  }
  const [apiVersion, kind] = dice.pick(KINDS);
  const pod = randomPodSpec(dice);
  const template = { metadata: { labels: { app: "web" } }, spec: pod };
  const spec: Json =
    kind === "Pod"
      ? pod
      : kind === "CronJob"
        ? { schedule: "0 3 * * *", jobTemplate: { spec: { template } } }
        : {
            ...(dice.chance(0.8) ? { replicas: dice.between(0, 9) } : {}),
            selector: { matchLabels: { app: "web" } },
            template,
            ...(kind === "Widget" ? { image: dice.pick(IMAGES), images: dice.some(IMAGES, 0.1), size: "big" } : {}),
          };
  return { apiVersion, kind, metadata: randomMetadata(dice, "web"), spec };
}

const IMAGE_PATHS = [
  "/spec/template/spec/containers/0/image",
  "/spec/template/spec/containers/1/image",
  "/spec/template/spec/initContainers/0/image",
  "/spec/jobTemplate/spec/template/spec/containers/0/image",
  "/spec/containers/0/image",
  "/spec/image",
  "/spec/image/",
  "//spec/image",
  "/spec/images/0",
  "/spec/none/image",
  "/spec/template/spec/containers/x/image",
  "/spec/template/spec/containers/+0/image",
  "/spec/template/spec/containers/image",
  "/metadata/annotations/example.com~1owner",
  "/metadata/labels/app",
  "/metadata/name",
  "/kind",
  "/spec/replicas",
  "spec/image",
  "/",
  "",
];

const PATHS = [
  "/spec/replicas",
  "/spec/template/spec/containers/0/env",
  "/spec/template/spec/containers/0/env/-",
  "/spec/template/spec/containers/-",
  "/spec/template/spec/containers/-1",
  "/spec/template/spec/containers/-2",
  "/spec/template/spec/containers/0",
  "/spec/template/spec/containers/9",
  "/spec/template/spec/containers/01",
  "/spec/template/spec/containers/0/image",
  "/spec/template/spec/containers/0/args/0",
  "/spec/template/spec/containers",
  "/spec/selector",
  "/spec/more",
  "/spec/none/x",
  "/spec",
  "/data",
  "/data/new",
  "/data/plain",
  "/data/a~1b~0c",
  "/data/app.json",
  "/binaryData",
  "/list/0",
  "/list/-",
  "/list/-1",
  "/list/3/text",
  "/metadata/labels",
  "/metadata/labels/app",
  "/metadata/labels/new~1key",
  "/metadata/labels/",
  "/metadata/annotations",
  "/metadata/annotations/x",
  "/metadata/name",
  "/metadata/namespace",
  "/metadata",
  "/kind",
  "/apiVersion",
  "/rules/0/verbs/-",
  "/rules/0",
  "/",
  "",
  "spec/replicas",
];

function randomValue(dice: Dice): unknown {
  return dice.pick<() => unknown>([
    () => dice.between(-3, 9),
    () => dice.pick(["1", "x", "", "Deployment", "example.com/v2", "a/b/c", "true", "<b>&"]),
    () => null,
    () => dice.chance(0.5),
    () => [1, "b", { c: null }],
    () => ({}),
    () => ({ image: dice.pick(IMAGES), name: "side", args: dice.some(WORDS, 0.3) }),
    () => dice.pick([1.5, 1e21, 0.1, -0.5, 123456789.25, 1e-7]),
    () => ({ a: { b: [1] }, "x/y": "z" }),
    () => [1, 2.5, true, null, "w", [1], { a: 1 }],
  ])();
}

function randomPlaintext(dice: Dice): Json[] {
  return Array.from({ length: dice.between(1, 3) }, () => {
    const operator = dice.pick(["add", "add", "replace", "remove"]);
    return {
      path: dice.pick(PATHS),
      operator,
      ...(operator !== "remove" || dice.chance(0.1) ? (dice.chance(0.95) ? { value: randomValue(dice) } : {}) : {}),
    };
  });
}

function randomImage(dice: Dice): Json {
  return {
    ...(dice.chance(0.35) ? { predicate: { path: dice.pick(IMAGE_PATHS) } } : {}),
    component: dice.pick(["Registry", "Repository", "Tag"]),
    operator: dice.pick(["add", "replace", "remove"]),
    ...(dice.chance(0.85) ? { value: dice.pick(IMAGE_VALUES) } : {}),
  };
}

function randomWords(dice: Dice): Json {
  return {
    containerName: dice.pick(CONTAINERS),
    operator: dice.pick(["add", "remove"]),
    ...(dice.chance(0.9) ? { value: dice.some(WORDS, 0.4) } : {}),
  };
}

function randomLabels(dice: Dice): Json {
  const keys = dice.some([...LABELS, ...(dice.chance(0.1) ? ["a~b", "a~1b", "~"] : [])], 0.4);
  return {
    operator: dice.pick(["add", "replace", "remove"]),
    ...(dice.chance(0.95) ? { value: Object.fromEntries(keys.map((key) => [key, dice.pick(LABEL_VALUES)])) } : {}),
  };
}

const FIELD_PATHS = [
  "/data/app.yaml",
  "/data/app.yaml",
  "/data/app.yaml",
  "/data/app.json",
  "/data/app.json",
  "/data/a~1b~0c",
  "/stringData/app.yaml",
  "/stringData/app.json",
  "/data/plain",
  "/data/empty",
  "/data",
  "/data/none",
  "/list/0",
  "/list/-1",
  "/list/+0",
  "/list/3/text",
  "/metadata/labels/app",
  "/kind",
  "data/app.yaml",
  "",
];
export const SUB_PATHS = [
  "/log/level",
  "/log",
  "/log/sinks/-",
  "/log/sinks/0",
  "/log/sinks/-1",
  "/log/none/x",
  "/limits/rps",
  "/new",
  "/a~1b",
  "/m~0n",
  "/0",
  "/1/name",
  "/-",
  "/n",
  "/true",
  "/t",
  "/",
  "",
  "//log",
  "log/level",
];

function randomOperation(dice: Dice): Json {
  const operator = dice.pick(["add", "add", "replace", "remove"]);
  return {
    subPath: dice.pick(SUB_PATHS),
    operator,
    ...(operator === "remove" ? {} : { value: randomValue(dice) }),
  };
}

function randomField(dice: Dice): Json {
  const operations = (): Json[] => Array.from({ length: dice.between(1, 3) }, () => randomOperation(dice));
  const roll = dice.next();
  return {
    fieldPath: dice.pick(FIELD_PATHS),
    ...(roll < 0.48 ? { yaml: operations() } : roll < 0.92 ? { json: operations() } : {}),
    ...(roll > 0.97 ? { json: operations(), yaml: operations() } : {}),
  };
}

function randomOverriders(dice: Dice, object: KubeObject): Json {
  const list = (probability: number, make: (dice: Dice) => Json): Json[] | undefined =>
    dice.chance(probability) ? Array.from({ length: dice.between(1, 2) }, () => make(dice)) : undefined;
  const hasTexts = object["data"] !== undefined || object["stringData"] !== undefined;
  const all = {
    imageOverrider: list(hasTexts ? 0.05 : 0.4, randomImage),
    commandOverrider: list(hasTexts ? 0.05 : 0.25, randomWords),
    argsOverrider: list(hasTexts ? 0.05 : 0.25, randomWords),
    labelsOverrider: list(0.25, randomLabels),
    annotationsOverrider: list(0.2, randomLabels),
    fieldOverrider: list(hasTexts ? 0.75 : 0.03, randomField),
    plaintext: dice.chance(0.3) ? randomPlaintext(dice) : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function randomTarget(dice: Dice): Json | undefined {
  return dice.pick<() => Json | undefined>([
    () => undefined,
    () => undefined,
    () => ({ clusterNames: ["m1", "other"] }),
    () => ({ clusterNames: ["other"] }),
    () => ({ exclude: ["other"] }),
    () => ({ exclude: ["m1"] }),
    () => ({}),
    () => ({ labelSelector: { matchLabels: { env: dice.pick(["prod", "dev"]) } } }),
    () => ({ labelSelector: { matchExpressions: [{ key: "env", operator: "Near", values: ["prod"] }] } }),
    () => ({
      fieldSelector: {
        matchExpressions: [
          {
            key: dice.pick(["region", "zone", "provider"]),
            operator: dice.pick(["In", "NotIn"]),
            values: [dice.pick(["eu", "eu-a", "aws"])],
          },
        ],
      },
    }),
  ])();
}

function randomSelectors(dice: Dice, { apiVersion, kind, metadata }: KubeObject): Json[] | undefined {
  if (dice.chance(0.2)) return dice.chance(0.5) ? undefined : [];
  return Array.from({ length: dice.between(1, 2) }, () => ({
    apiVersion: dice.chance(0.95) ? apiVersion : "apps/v2",
    kind: dice.chance(0.95) ? kind : "Other",
    ...(dice.chance(0.5) ? { namespace: dice.chance(0.95) ? metadata.namespace : "bank" } : {}),
    ...(dice.chance(0.4) ? { name: dice.chance(0.9) ? metadata.name : "other" } : {}),
    ...(dice.chance(0.4) ? { labelSelector: { matchLabels: { [dice.pick(LABELS)]: dice.pick(LABEL_VALUES) } } } : {}),
    ...(dice.chance(0.05) ? { labelSelector: { matchExpressions: [{ key: "app", operator: "Odd" }] } } : {}),
  }));
}

/** An override policy that mostly means `object`, in the present or the superseded form. */
export function randomOverridePolicy(dice: Dice, object: KubeObject, name: string): KubeObject {
  const isClusterWide = object.metadata.namespace === undefined || dice.chance(0.4);
  const resourceSelectors = randomSelectors(dice, object);
  const rule = (): Json => {
    const targetCluster = randomTarget(dice);
    return {
      overriders: randomOverriders(dice, object),
      ...(targetCluster === undefined ? {} : { targetCluster }),
    };
  };
  const rules = Array.from({ length: dice.pick([1, 1, 2, 3]) }, rule);
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: isClusterWide ? "ClusterOverridePolicy" : "OverridePolicy",
    metadata: { name, ...(isClusterWide ? {} : { namespace: dice.chance(0.95) ? "shop" : "bank" }) },
    spec: {
      ...(dice.chance(0.2) ? rule() : { overrideRules: rules }),
      ...(resourceSelectors === undefined ? {} : { resourceSelectors }),
    },
  };
}

export function randomTargetCluster(dice: Dice): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "m1", labels: { env: dice.pick(["prod", "dev"]) } },
    spec: {
      syncMode: "Push",
      ...(dice.chance(0.7) ? { region: "eu" } : {}),
      ...(dice.chance(0.7) ? { provider: "aws" } : {}),
      ...(dice.chance(0.7) ? { zones: dice.some(["eu-a", "eu-b"], 0.6) } : {}),
      ...(dice.chance(0.2) ? { zone: "eu-a" } : {}),
    },
  };
}

/** Operations of JSON Patch on documents of `randomYamlText` and `randomJsonText`. */
export function randomDocumentPatch(dice: Dice): { op: string; path: string; value?: unknown }[] {
  return Array.from({ length: dice.between(1, 2) }, () => {
    const { subPath, operator, value } = randomOperation(dice);
    return { op: String(operator), path: String(subPath), ...(operator === "remove" ? {} : { value }) };
  });
}
