// Native rules: which fields of a copy belong to the member cluster, so that an update leaves them as they are.

import { type KubeObject, refOf } from "../../kube/object.ts";
import { RETAIN_REPLICAS_LABEL } from "../works/metadata-keys.ts";
import { interpreterFailed } from "./errors.ts";
import {
  type Fields,
  fieldsAt,
  integerAt,
  objectsAt,
  optionalFieldsAt,
  optionalIntegerAt,
  textAt,
} from "./field-access.ts";
import { encodePodSpec } from "./pod-encoding.ts";

/** Replicas, if an autoscaler in the member has been given charge of them. */
export function retainDeployment(desired: KubeObject, observed: KubeObject): KubeObject {
  if (desired.metadata.labels?.[RETAIN_REPLICAS_LABEL] !== "true") return desired;
  const replicas = optionalIntegerAt(fieldsAt(observed, "spec"), "replicas");
  if (replicas === undefined) throw interpreterFailed("Retain", refOf(observed), "the copy has no spec.replicas");
  return withSpec(desired, { replicas });
}

/** Where the Pod runs, and the account and volumes that admission in the member gave it. */
export function retainPod(desired: KubeObject, observed: KubeObject): KubeObject {
  const seen = fieldsAt(observed, "spec");
  const spec: Record<string, unknown> = { ...fieldsAt(desired, "spec") };
  for (const field of ["nodeName", "serviceAccountName", "volumes"]) {
    if (seen[field] === undefined || seen[field] === null) delete spec[field];
    else spec[field] = seen[field];
  }
  for (const list of ["initContainers", "containers"]) {
    if (spec[list] !== undefined) spec[list] = withMountsOf(objectsAt(spec, list), objectsAt(seen, list));
  }
  return { ...desired, spec: encodePodSpec(spec), status: fieldsAt(desired, "status") };
}

function withMountsOf(containers: readonly Fields[], observed: readonly Fields[]): readonly Fields[] {
  return containers.map((container) => {
    const twin = observed.find((other) => textAt(other, "name") === textAt(container, "name"));
    if (twin === undefined) return container;
    const { volumeMounts: _replaced, ...rest } = container;
    return twin["volumeMounts"] == null ? rest : { ...rest, volumeMounts: twin["volumeMounts"] };
  });
}

// As Karmada: `clusterIPs` and node ports are left to the API server, which keeps them for an unchanged clusterIP.
export function retainService(desired: KubeObject, observed: KubeObject): KubeObject {
  const seen = fieldsAt(observed, "spec");
  const healthCheckNodePort = integerAt(seen, "healthCheckNodePort");
  const clusterIP = textAt(seen, "clusterIP");
  return withSpec(desired, {
    ...(healthCheckNodePort > 0 ? { healthCheckNodePort } : {}),
    ...(clusterIP === "" ? {} : { clusterIP }),
  });
}

/** Secrets that the member added to the account, for its tokens and for image pulls. */
export function retainServiceAccount(desired: KubeObject, observed: KubeObject): KubeObject {
  return {
    ...desired,
    secrets: mergeByName(desired, observed, "secrets"),
    imagePullSecrets: mergeByName(desired, observed, "imagePullSecrets"),
  };
}

/** Null when there is nothing to keep: the field is always written. */
function mergeByName(desired: KubeObject, observed: KubeObject, list: string): readonly Fields[] | null {
  const merged = new Map<string, Fields>();
  for (const entry of [...objectsAt(desired, list), ...objectsAt(observed, list)]) {
    const name = textAt(entry, "name");
    if (!merged.has(name)) merged.set(name, entry);
  }
  return merged.size === 0 ? null : [...merged.values()];
}

export function retainVolumeClaim(desired: KubeObject, observed: KubeObject): KubeObject {
  const volumeName = textAt(fieldsAt(observed, "spec"), "volumeName");
  return volumeName === "" ? desired : withSpec(desired, { volumeName });
}

export function retainPersistentVolume(desired: KubeObject, observed: KubeObject): KubeObject {
  const claimRef = optionalFieldsAt(observed, "spec", "claimRef");
  return claimRef === undefined ? desired : withSpec(desired, { claimRef });
}

/** The labels by which the member's Job controller knows its pods. */
export function retainJob(desired: KubeObject, observed: KubeObject): KubeObject {
  const matchLabels = optionalFieldsAt(observed, "spec", "selector", "matchLabels");
  const labels = optionalFieldsAt(observed, "spec", "template", "metadata", "labels");
  let result = desired;
  if (matchLabels !== undefined) {
    result = withSpec(result, { selector: { ...fieldsAt(desired, "spec", "selector"), matchLabels } });
  }
  if (labels !== undefined) {
    const template = fieldsAt(desired, "spec", "template");
    result = withSpec(result, {
      template: { ...template, metadata: { ...fieldsAt(template, "metadata"), labels } },
    });
  }
  return result;
}

/** Tokens of service accounts are made in the member. */
export function retainSecret(desired: KubeObject, observed: KubeObject): KubeObject {
  if (textAt(desired, "type") !== "kubernetes.io/service-account-token") return desired;
  const data = optionalFieldsAt(observed, "data");
  return data === undefined ? desired : { ...desired, data };
}

function withSpec(object: KubeObject, fields: Fields): KubeObject {
  return { ...object, spec: { ...fieldsAt(object, "spec"), ...fields } };
}
