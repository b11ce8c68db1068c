// What of an object may leave its cluster in a snapshot.
import { cloneJson, isObject, type KubeObject } from "../../../kube/object.ts";

/** Stands where a secret was. Base64, so that what reads Secrets goes on to work. */
export const WITHHELD = Buffer.from("withheld").toString("base64");
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const URL_CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i;

/**
 * The object without what must not be told: values of Secrets (their keys stay, since Pods refer to them), those of
 * Secrets inside of Works and of other objects that hold whole manifests, annotations that repeat them, bootstrap tokens,
 * headers and credentials by which clusters and repositories are reached. The object itself when there is nothing to
 * withhold. What users write into ConfigMaps and environment variables is no secret to Kubernetes, and stays.
 */
export function withoutSecrets(object: KubeObject): KubeObject {
  return holdsSecrets(object) ? (withheld(cloneJson(object)) as KubeObject) : object;
}

function holdsSecrets(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecrets);
  if (typeof value === "string") return URL_CREDENTIALS.test(value);
  if (!isObject(value)) return false;
  if (isSecret(value) || isCluster(value)) return true;
  for (const key in value) if (holdsSecrets(value[key])) return true;
  return false;
}

function isSecret(value: Readonly<Record<string, unknown>>): boolean {
  return value["kind"] === "Secret" && value["apiVersion"] === "v1";
}

function isCluster({ kind, apiVersion }: Readonly<Record<string, unknown>>): boolean {
  return kind === "Cluster" && typeof apiVersion === "string" && apiVersion.startsWith("cluster.karmada.io/");
}

/** Withholds in a copy of our own. */
function withheld(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withheld);
  if (typeof value === "string") return value.replace(URL_CREDENTIALS, "$1");
  if (!isObject(value)) return value;
  for (const key of Object.keys(value)) value[key] = withheld(value[key]);
  if (isSecret(value)) withholdSecret(value);
  if (isCluster(value) && isObject(value["spec"])) delete value["spec"]["proxyHeader"];
  return value;
}

function withholdSecret(secret: Record<string, unknown>): void {
  for (const field of ["data", "stringData"]) {
    const values = secret[field];
    if (!isObject(values)) continue;
    for (const key of Object.keys(values)) values[key] = field === "data" ? WITHHELD : "withheld";
  }
  const metadata = isObject(secret["metadata"]) ? secret["metadata"] : {};
  const annotations = metadata["annotations"];
  if (isObject(annotations)) delete annotations[LAST_APPLIED];
}
