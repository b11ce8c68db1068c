// Fields that belong to one API server and mean nothing in another: they are taken out before an object is sent on.

import { isObject, type KubeObject, type ObjectMeta } from "../../kube/object.ts";

type Fields = Readonly<Record<string, unknown>>;

const SERVER_METADATA: readonly (keyof ObjectMeta)[] = [
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
  "ownerReferences",
  "finalizers",
];

const JOB_SELECTOR_LABELS: readonly string[] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
const JOB_POD_LABELS: readonly string[] = [...JOB_SELECTOR_LABELS, "job-name", "batch.kubernetes.io/job-name"];

/** A copy without status, without what the server wrote into the metadata, and without what its controllers filled in. */
export function pruneObject(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of SERVER_METADATA) delete metadata[field];
  delete metadata["selfLink"];
  // What is left are fields of the same object.
  return pruneKind({ ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: metadata as ObjectMeta });
}

// As Karmada: kinds are told by their name alone.
function pruneKind(object: KubeObject): KubeObject {
  switch (object.kind) {
    case "Deployment":
      return withoutAnnotations(
        object,
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
      );
    case "Job":
      return pruneJob(object);
    case "Secret":
      return object["type"] === "kubernetes.io/service-account-token"
        ? { ...withoutAnnotations(object, "kubernetes.io/service-account.uid"), data: null }
        : object;
    case "ServiceAccount":
      return pruneServiceAccount(object);
    case "Service":
      return pruneService(object);
    case "PersistentVolumeClaim":
      return withoutAnnotations(object, "volume.kubernetes.io/selected-node");
    default:
      return object;
  }
}

function withoutAnnotations(object: KubeObject, ...keys: readonly string[]): KubeObject {
  const { annotations } = object.metadata;
  if (annotations === undefined || annotations === null || !keys.some((key) => key in annotations)) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: without(annotations, keys) as Record<string, string> },
  };
}

function pruneJob(object: KubeObject): KubeObject {
  const spec = object["spec"];
  if (!isObject(spec)) return object;
  const { ttlSecondsAfterFinished: _ttl, ...kept } = spec;
  if (spec["manualSelector"] === true) return { ...object, spec: kept };
  const selector = without(kept["selector"], [], (inner) => ({
    ...inner,
    ...mapped(inner, "matchLabels", (labels) => without(labels, JOB_SELECTOR_LABELS)),
  }));
  const template = without(kept["template"], [], (inner) => ({
    ...inner,
    ...mapped(inner, "metadata", (metadata) =>
      without(metadata, [], (fields) => ({
        ...fields,
        ...mapped(fields, "labels", (labels) => without(labels, JOB_POD_LABELS)),
      })),
    ),
  }));
  return {
    ...object,
    spec: { ...kept, ...("selector" in kept ? { selector } : {}), ...("template" in kept ? { template } : {}) },
  };
}

// As Karmada: of two token secrets in a row the second stays, because the list is read on past the one removed.
function pruneServiceAccount(object: KubeObject): KubeObject {
  const secrets = object["secrets"];
  if (!Array.isArray(secrets)) return object;
  const prefix = `${object.metadata.name ?? ""}-token-`;
  const kept: unknown[] = [];
  for (let i = 0; i < secrets.length; i++) {
    const secret: unknown = secrets[i];
    const isToken = isObject(secret) && typeof secret["name"] === "string" && secret["name"].startsWith(prefix);
    if (!isToken) kept.push(secret);
    else if (++i < secrets.length) kept.push(secrets[i]);
  }
  return kept.length === secrets.length ? object : { ...object, secrets: kept };
}

function pruneService(object: KubeObject): KubeObject {
  const spec = object["spec"];
  if (!isObject(spec) || spec["clusterIP"] === undefined || spec["clusterIP"] === "None") return object;
  return { ...object, spec: without(spec, ["clusterIP", "clusterIPs"]) };
}

/** `value` without `keys`, and changed by `change`; anything but an object is given back. */
function without(value: unknown, keys: readonly string[], change?: (fields: Fields) => Fields): unknown {
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  for (const key of keys) delete copy[key];
  return change === undefined ? copy : change(copy);
}

function mapped(fields: Fields, key: string, change: (value: unknown) => unknown): Fields {
  return key in fields ? { [key]: change(fields[key]) } : {};
}
