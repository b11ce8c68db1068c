// Karmada decodes a workload into its type before it looks for images, so a field of another type than its kind has
// there is an error, wherever it stands. Fields that no such decoding needs to look at for a container are left out.

import { isObject, type KubeObject } from "../../kube/object.ts";
import { overrideImpossible } from "./errors.ts";

/** What may stand at a place; null may stand everywhere. */
type Shape =
  | "text"
  | "whole"
  | "flag"
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

const TEXTS: Shape = { list: "text" };
const TEXT_MAP: Shape = { map: "text" };
const ANY_OBJECT: Shape = { fields: {} };
const OBJECTS: Shape = { list: ANY_OBJECT };

const METADATA: Shape = {
  fields: {
    name: "text",
    generateName: "text",
    namespace: "text",
    uid: "text",
    resourceVersion: "text",
    generation: "whole",
    labels: TEXT_MAP,
    annotations: TEXT_MAP,
    finalizers: TEXTS,
    ownerReferences: OBJECTS,
  },
};

const CONTAINER: Shape = {
  fields: {
    name: "text",
    image: "text",
    command: TEXTS,
    args: TEXTS,
    workingDir: "text",
    imagePullPolicy: "text",
    terminationMessagePath: "text",
    stdin: "flag",
    tty: "flag",
    env: { list: { fields: { name: "text", value: "text", valueFrom: ANY_OBJECT } } },
    envFrom: OBJECTS,
    ports: { list: { fields: { name: "text", containerPort: "whole", hostPort: "whole", protocol: "text" } } },
    volumeMounts: { list: { fields: { name: "text", mountPath: "text", subPath: "text", readOnly: "flag" } } },
    resources: ANY_OBJECT,
    livenessProbe: ANY_OBJECT,
    readinessProbe: ANY_OBJECT,
    startupProbe: ANY_OBJECT,
    lifecycle: ANY_OBJECT,
    securityContext: ANY_OBJECT,
  },
};

const POD_SPEC: Shape = {
  fields: {
    containers: { list: CONTAINER },
    initContainers: { list: CONTAINER },
    ephemeralContainers: { list: CONTAINER },
    volumes: { list: { fields: { name: "text" } } },
    nodeSelector: TEXT_MAP,
    nodeName: "text",
    serviceAccountName: "text",
    restartPolicy: "text",
    schedulerName: "text",
    priorityClassName: "text",
    dnsPolicy: "text",
    hostname: "text",
    subdomain: "text",
    hostNetwork: "flag",
    hostPID: "flag",
    hostIPC: "flag",
    priority: "whole",
    terminationGracePeriodSeconds: "whole",
    activeDeadlineSeconds: "whole",
    imagePullSecrets: OBJECTS,
    tolerations: OBJECTS,
    topologySpreadConstraints: OBJECTS,
    affinity: ANY_OBJECT,
    securityContext: ANY_OBJECT,
  },
};

const TEMPLATE: Shape = { fields: { metadata: METADATA, spec: POD_SPEC } };
const SELECTOR: Shape = { fields: { matchLabels: TEXT_MAP, matchExpressions: OBJECTS } };

const REVISIONS = {
  template: TEMPLATE,
  selector: SELECTOR,
  revisionHistoryLimit: "whole",
  minReadySeconds: "whole",
} as const;

const SPECS: Readonly<Record<string, Shape>> = {
  Pod: POD_SPEC,
  ReplicaSet: { fields: { template: TEMPLATE, selector: SELECTOR, replicas: "whole", minReadySeconds: "whole" } },
  Deployment: {
    fields: { ...REVISIONS, replicas: "whole", progressDeadlineSeconds: "whole", paused: "flag", strategy: ANY_OBJECT },
  },
  DaemonSet: { fields: { ...REVISIONS, updateStrategy: ANY_OBJECT } },
  StatefulSet: {
    fields: {
      ...REVISIONS,
      replicas: "whole",
      serviceName: "text",
      podManagementPolicy: "text",
      updateStrategy: ANY_OBJECT,
      volumeClaimTemplates: OBJECTS,
    },
  },
  Job: {
    fields: {
      template: TEMPLATE,
      selector: SELECTOR,
      parallelism: "whole",
      completions: "whole",
      backoffLimit: "whole",
      activeDeadlineSeconds: "whole",
      ttlSecondsAfterFinished: "whole",
      manualSelector: "flag",
      suspend: "flag",
      completionMode: "text",
    },
  },
};

const WORKLOADS = new Map(
  Object.entries(SPECS).map(([kind, spec]): [string, Shape] => [
    kind,
    { fields: { apiVersion: "text", kind: "text", metadata: METADATA, spec } },
  ]),
);

/** Throws `override-impossible` for the first field of a workload that its type could not hold. */
export function checkWorkloadTypes(object: KubeObject): void {
  const shape = WORKLOADS.get(object.kind);
  if (shape !== undefined && !fits(object, shape)) check(object, shape, "");
}

// Copies share what no override changed, so that most of an object has been looked at before.
const FITTING = new WeakMap<object, Shape>();

function fits(value: unknown, shape: Shape): boolean {
  if (value === undefined || value === null) return true;
  if (typeof shape === "string") return isScalar(value, shape);
  if (typeof value !== "object") return false;
  if (FITTING.get(value) === shape) return true;
  const answer = Array.isArray(value)
    ? "list" in shape && value.every((item) => fits(item, shape.list))
    : !("list" in shape) && everyField(value as Readonly<Record<string, unknown>>, shape);
  if (answer) FITTING.set(value, shape);
  return answer;
}

function everyField(
  value: Readonly<Record<string, unknown>>,
  shape: Exclude<Shape, string | { readonly list: Shape }>,
): boolean {
  for (const key in value) {
    const inner = "map" in shape ? shape.map : Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (inner !== undefined && !fits(value[key], inner)) return false;
  }
  return true;
}

/** Names the first field that does not fit. */
function check(value: unknown, shape: Shape, path: string): void {
  if (value === undefined || value === null) return;
  if (typeof shape === "string") {
    if (!isScalar(value, shape)) throw overrideImpossible(path, `${path} is not a ${WORDS[shape]}`);
  } else if ("list" in shape) {
    if (!Array.isArray(value)) throw overrideImpossible(path, `${path} is not a list`);
    for (const [index, item] of value.entries()) check(item, shape.list, `${path}/${index}`);
  } else {
    if (!isObject(value)) throw overrideImpossible(path, `${path} is not an object`);
    if ("map" in shape) {
      for (const key of Object.keys(value)) check(value[key], shape.map, `${path}/${key}`);
      return;
    }
    for (const key in shape.fields) check(value[key], shape.fields[key] as Shape, `${path}/${key}`);
  }
}

const WORDS = { text: "text", whole: "whole number", flag: "flag" } as const;

function isScalar(value: unknown, shape: keyof typeof WORDS): boolean {
  if (shape === "whole") return Number.isInteger(value);
  return typeof value === (shape === "text" ? "string" : "boolean");
}
