// Validation of the core group's kinds other than workloads and Services, and of access control and storage.
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { forbiddenValue, invalidValue, notSupported, required, tooLong, unchanged } from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { diffValues } from "./line-diff.ts";

const MAX_BYTES = 1024 * 1024;
const KEY = /^[-._a-zA-Z0-9]+$/;
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function keyErrors(field: string, key: string): FieldError[] {
  const at = `${field}[${key}]`;
  if (key.length > 253) return [invalidValue(at, key, "must be no more than 253 characters")];
  if (!KEY.test(key)) return [invalidValue(at, key, KEY_RULE)];
  if (key === ".") return [invalidValue(at, key, "must not be '.'")];
  if (key === "..") return [invalidValue(at, key, "must not be '..'")];
  return key.startsWith("..") ? [invalidValue(at, key, "must not start with '..'")] : [];
}

function bytesOfBase64(text: string): number {
  return Buffer.byteLength(text, "base64");
}

export function validateConfigMap(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const data = part(object, "data");
  const binary = part(object, "binaryData");
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...keyErrors("data", key));
    if (Object.hasOwn(binary, key)) {
      errors.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    size += Buffer.byteLength(String(value));
  }
  for (const [key, value] of Object.entries(binary)) {
    errors.push(...keyErrors("binaryData", key));
    size += bytesOfBase64(String(value));
  }
  if (size > MAX_BYTES) errors.push(tooLong("[]", MAX_BYTES));
  return errors;
}

/** An object marked immutable keeps its content and the mark. */
function immutableErrors(object: KubeObject, old: KubeObject, fields: readonly string[]): FieldError[] {
  if (old["immutable"] !== true) return [];
  const errors: FieldError[] = [];
  const why = "field is immutable when `immutable` is set";
  if (object["immutable"] !== true) errors.push(forbiddenValue("immutable", why));
  for (const field of fields) {
    if (!equalJson(object[field] ?? {}, old[field] ?? {})) errors.push(forbiddenValue(field, why));
  }
  return errors;
}

export function validateConfigMapUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  return immutableErrors(object, old, ["data", "binaryData"]);
}

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

const JSON_KEYS: Readonly<Record<string, string>> = {
  "kubernetes.io/dockercfg": ".dockercfg",
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
};

export function validateSecret(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const data = part(object, "data");
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...keyErrors("data", key));
    size += bytesOfBase64(String(value));
  }
  if (size > MAX_BYTES) errors.push(tooLong("data", MAX_BYTES));
  const type = textOf(object["type"]);
  for (const key of REQUIRED_KEYS[type] ?? []) {
    const isMissing = type === "kubernetes.io/tls" ? data[key] === undefined : textOf(data[key]) === "";
    if (isMissing) errors.push(required(`data[${key}]`));
  }
  const jsonKey = JSON_KEYS[type];
  if (jsonKey !== undefined) errors.push(...jsonErrors(jsonKey, data[jsonKey]));
  if (type === "kubernetes.io/basic-auth" && data["username"] === undefined && data["password"] === undefined) {
    errors.push(required("data[username]"), required("data[password]"));
  }
  if (type === "kubernetes.io/service-account-token") {
    const name = "kubernetes.io/service-account.name";
    if ((object.metadata.annotations?.[name] ?? "") === "") errors.push(required(`metadata.annotations[${name}]`));
  }
  return errors;
}

function jsonErrors(key: string, value: unknown): FieldError[] {
  const field = `data[${key}]`;
  if (value === undefined) return [required(field)];
  const text = Buffer.from(String(value), "base64").toString("utf8");
  try {
    JSON.parse(text);
    return [];
  } catch {
    const first = text.trimStart().charAt(0);
    const why =
      first === "" ? "unexpected end of JSON input" : `invalid character '${first}' looking for beginning of value`;
    return [invalidValue(field, "<secret contents redacted>", why)];
  }
}

export function validateSecretUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const type = textOf(object["type"]);
  return [...unchanged("type", type, textOf(old["type"])), ...immutableErrors(object, old, ["data"])];
}

export function validateEvent(event: KubeObject): FieldError[] {
  const involved = part(event, event.apiVersion === "v1" ? "involvedObject" : "regarding");
  const field = event.apiVersion === "v1" ? "involvedObject.namespace" : "regarding.namespace";
  const namespace = textOf(involved["namespace"]);
  if (namespace === "") return [];
  return namespace === event.metadata.namespace
    ? []
    : [invalidValue(field, namespace, "does not match event.namespace")];
}

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

function accessModeErrors(modes: unknown, field: string): FieldError[] {
  const given = Array.isArray(modes) ? modes : [];
  if (given.length === 0) return [required(field, "at least 1 access mode is required")];
  return given.filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => notSupported(field, mode, ACCESS_MODES));
}

export function validateVolumeClaim(claim: KubeObject): FieldError[] {
  const spec = part(claim, "spec");
  const errors = accessModeErrors(spec["accessModes"], "spec.accessModes");
  if (part(part(spec, "resources"), "requests")["storage"] === undefined) {
    errors.push(required("spec.resources[storage]"));
  }
  return errors;
}

export function validateVolumeClaimUpdate(claim: KubeObject, old: KubeObject): FieldError[] {
  const after = { ...part(claim, "spec") };
  const before = part(old, "spec");
  const bound = part(old, "status")["phase"] === "Bound";
  // The binder fills in the volume, and a size may grow.
  if (textOf(before["volumeName"]) === "") after["volumeName"] = before["volumeName"];
  if (bound) {
    after["resources"] = before["resources"];
    after["volumeAttributesClassName"] = before["volumeAttributesClassName"];
  }
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
  if ([...keys].every((key) => equalJson(after[key], before[key]))) return [];
  const why =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  const type = "core/v1.PersistentVolumeClaimSpec";
  return [forbiddenValue("spec", `${why}\n${diffValues(toInternalForm(type, before), toInternalForm(type, after))}`)];
}

const NOT_SOURCES: ReadonlySet<string> = new Set([
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
]);

export function validateVolume(volume: KubeObject): FieldError[] {
  const spec = part(volume, "spec");
  const errors = accessModeErrors(spec["accessModes"], "spec.accessModes");
  if (Object.keys(part(spec, "capacity")).length === 0) errors.push(required("spec.capacity"));
  const sources = Object.keys(spec).filter((key) => !NOT_SOURCES.has(key));
  if (sources.length === 0) errors.push(required("spec", "must specify a volume type"));
  for (const extra of sources.slice(1)) {
    errors.push(forbiddenValue(`spec.${extra}`, "may not specify more than 1 volume type"));
  }
  return errors;
}

export function validateStorageClass(object: KubeObject): FieldError[] {
  return textOf(object["provisioner"]) === "" ? [required("provisioner")] : [];
}

export function validateStorageClassUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["parameters", "provisioner", "reclaimPolicy"]) {
    if (equalJson(object[field], old[field])) continue;
    errors.push(forbiddenValue(field, `updates to ${field} are forbidden.`));
  }
  errors.push(...unchanged("volumeBindingMode", textOf(object["volumeBindingMode"]), textOf(old["volumeBindingMode"])));
  return errors;
}

export function validatePriorityClassUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  if (object["value"] !== old["value"]) errors.push(forbiddenValue("value", "may not be changed in an update."));
  errors.push(...unchanged("preemptionPolicy", textOf(object["preemptionPolicy"]), textOf(old["preemptionPolicy"])));
  return errors;
}

export function validateRole(role: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const isNamespaced = role.kind === "Role";
  for (const [index, rule] of listOf(role["rules"]).entries())
    errors.push(...ruleErrors(rule, `rules[${index}]`, isNamespaced));
  return errors;
}

function ruleErrors(rule: JsonObject, path: string, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const count = (field: string): number => (Array.isArray(rule[field]) ? rule[field].length : 0);
  if (count("verbs") === 0) errors.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  if (count("nonResourceURLs") > 0) {
    if (isNamespaced) {
      const why = "namespaced rules cannot apply to non-resource URLs";
      errors.push(invalidValue(`${path}.nonResourceURLs`, rule["nonResourceURLs"], why));
    }
    if (count("apiGroups") + count("resources") + count("resourceNames") > 0) {
      const why = "rules cannot apply to both regular resources and non-resource URLs";
      errors.push(invalidValue(`${path}.nonResourceURLs`, rule["nonResourceURLs"], why));
    }
    return errors;
  }
  if (count("apiGroups") === 0) {
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (count("resources") === 0) {
    errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  }
  return errors;
}

const RBAC_GROUP = "rbac.authorization.k8s.io";

export function validateRoleBinding(binding: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const ref = part(binding, "roleRef");
  if (ref["apiGroup"] !== RBAC_GROUP) errors.push(notSupported("roleRef.apiGroup", ref["apiGroup"], [RBAC_GROUP]));
  const kinds = binding.kind === "ClusterRoleBinding" ? ["ClusterRole"] : ["Role", "ClusterRole"];
  if (!kinds.includes(textOf(ref["kind"]))) errors.push(notSupported("roleRef.kind", ref["kind"], kinds));
  if (textOf(ref["name"]) === "") errors.push(required("roleRef.name"));
  for (const [index, subject] of listOf(binding["subjects"]).entries()) {
    errors.push(...subjectErrors(subject, `subjects[${index}]`));
  }
  return errors;
}

function subjectErrors(subject: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (textOf(subject["name"]) === "") errors.push(required(`${path}.name`));
  const group = textOf(subject["apiGroup"]);
  switch (subject["kind"]) {
    case "ServiceAccount":
      if (group !== "") errors.push(notSupported(`${path}.apiGroup`, group, [""]));
      if (textOf(subject["namespace"]) === "") errors.push(required(`${path}.namespace`));
      break;
    case "User":
    case "Group":
      if (group !== RBAC_GROUP) errors.push(notSupported(`${path}.apiGroup`, group, [RBAC_GROUP]));
      break;
    default:
      errors.push(notSupported(`${path}.kind`, textOf(subject["kind"]), ["ServiceAccount", "User", "Group"]));
  }
  return errors;
}

export function validateRoleBindingUpdate(binding: KubeObject, old: KubeObject): FieldError[] {
  const ref = part(binding, "roleRef");
  if (equalJson(ref, old["roleRef"])) return [];
  // The reference prints its internal form.
  const printed = { APIGroup: ref["apiGroup"], Kind: ref["kind"], Name: ref["name"] };
  return [invalidValue("roleRef", printed, "cannot change roleRef")];
}

export function validateApiService(object: KubeObject): FieldError[] {
  const spec = part(object, "spec");
  const wanted = `${textOf(spec["version"])}.${textOf(spec["group"])}`;
  if (object.metadata.name === wanted) return [];
  return [invalidValue("metadata.name", object.metadata.name ?? "", 'must be `spec.version+"."+spec.group`')];
}
