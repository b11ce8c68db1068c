// Warnings about Pods and templates that are accepted but unlikely to do what was meant.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { listOf, part } from "./cell-values.ts";

/** Volume types that no longer do anything. */
const DEAD_VOLUMES: Readonly<Record<string, string>> = {
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
};

function podSpecWarnings(spec: JsonObject, path: string): string[] {
  const warnings: string[] = [];
  for (const [index, constraint] of listOf(spec["topologySpreadConstraints"]).entries()) {
    if (constraint["labelSelector"] !== undefined) continue;
    const field = `${path}.topologySpreadConstraints[${index}].labelSelector`;
    warnings.push(`${field}: a null labelSelector results in matching no pod`);
  }
  for (const [index, volume] of listOf(spec["volumes"]).entries()) {
    for (const type in volume) {
      const text = DEAD_VOLUMES[type];
      if (text !== undefined) warnings.push(`${path}.volumes[${index}].${type}: ${text}`);
    }
  }
  warnings.push(...nameWarnings(spec, path));
  const seen: PortAt[] = [];
  const names = new Map<string, string>();
  for (const list of ["initContainers", "containers"]) {
    for (const [index, container] of listOf(spec[list]).entries()) {
      const at = `${path}.${list}[${index}]`;
      warnings.push(...quantityWarnings(container, at), ...environmentWarnings(container, at));
      if (list === "containers") warnings.push(...portWarnings(container, at, seen, names));
    }
  }
  return warnings;
}

const OLD_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Names that say nothing, or the same twice. */
function nameWarnings(spec: JsonObject, path: string): string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(part(spec, "nodeSelector"))) {
    const text = OLD_NODE_LABELS[key];
    if (text !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${text}`);
  }
  const addresses = new Set<unknown>();
  for (const [index, { ip }] of listOf(spec["hostAliases"]).entries()) {
    if (addresses.has(ip)) warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`);
    addresses.add(ip);
  }
  const secrets = new Set<unknown>();
  for (const [index, { name = "" }] of listOf(spec["imagePullSecrets"]).entries()) {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (name === "") warnings.push(`${at}: invalid empty name ""`);
    else if (secrets.has(name)) warnings.push(`${at}: duplicate name ${JSON.stringify(name)}`);
    secrets.add(name);
  }
  return warnings;
}

/** Bytes are whole. */
function quantityWarnings(container: JsonObject, path: string): string[] {
  const resources = part(container, "resources");
  return ["memory", "ephemeral-storage"].flatMap((name) =>
    ["limits", "requests"].flatMap((list) => {
      const quantity = part(resources, list)[name];
      if (!/[num]$/.test(String(quantity ?? ""))) return [];
      const text = JSON.stringify(String(quantity));
      return [`${path}.resources.${list}[${name}]: fractional byte value ${text} is invalid, must be an integer`];
    }),
  );
}

function environmentWarnings(container: JsonObject, path: string): string[] {
  const names = new Set<unknown>();
  return listOf(container["env"]).flatMap(({ name }, index) => {
    const isHidden = names.has(name);
    names.add(name);
    if (!isHidden) return [];
    const text = JSON.stringify(name);
    return [`${path}.env[${index}]: hides previous definition of ${text}, which may be dropped when using apply`];
  });
}

interface PortAt {
  readonly at: string;
  readonly port: JsonObject;
}

/** Ports that say the same, or nearly: a host port and none may be one, as may be an address and none. */
function portWarnings(container: JsonObject, path: string, seen: PortAt[], names: Map<string, string>): string[] {
  const warnings: string[] = [];
  for (const [index, port] of listOf(container["ports"]).entries()) {
    const at = `${path}.ports[${index}]`;
    const name = String(port["name"] ?? "");
    for (const other of seen) {
      if (port["containerPort"] !== other.port["containerPort"] || port["protocol"] !== other.port["protocol"])
        continue;
      const relation = portRelation(port, other.port);
      if (relation !== undefined) warnings.push(`${at}: ${relation} port definition with ${other.at}`);
    }
    const before = names.get(name);
    if (name !== "" && before !== undefined && !before.startsWith(`${path}.`)) {
      const why = `services and probes that select ports by name will use ${before}`;
      warnings.push(`${at}: duplicate port name ${JSON.stringify(name)} with ${before}, ${why}`);
    } else if (name !== "") names.set(name, at);
    seen.push({ at, port });
  }
  return warnings;
}

function portRelation(port: JsonObject, other: JsonObject): "duplicate" | "overlapping" | undefined {
  const host = Number(port["hostPort"] ?? 0);
  const otherHost = Number(other["hostPort"] ?? 0);
  const address = String(port["hostIP"] ?? "");
  const otherAddress = String(other["hostIP"] ?? "");
  if (host === otherHost && address === otherAddress) return "duplicate";
  const hostsMeet = host === otherHost || host === 0 || otherHost === 0;
  const addressesMeet = address === otherAddress || address === "" || otherAddress === "";
  return hostsMeet && addressesMeet ? "overlapping" : undefined;
}

/** Nobody reads warnings about updates of Pods, which are many. */
export function podWarnings(pod: KubeObject, old?: KubeObject): readonly string[] {
  if (old !== undefined) return [];
  return podSpecWarnings(part(pod, "spec"), "spec");
}

/** What was there before has been warned about. */
function isSameGeneration(object: KubeObject, old: KubeObject | undefined): boolean {
  return old !== undefined && old.metadata.generation === object.metadata.generation;
}

/** Warnings of a kind with a Pod template at `spec.template`. */
export function templateWarnings(object: KubeObject, old?: KubeObject): readonly string[] {
  if (isSameGeneration(object, old)) return [];
  return podSpecWarnings(part(part(part(object, "spec"), "template"), "spec"), "spec.template.spec");
}

export function cronJobWarnings(object: KubeObject, old?: KubeObject): readonly string[] {
  if (isSameGeneration(object, old)) return [];
  const job = part(part(part(object, "spec"), "jobTemplate"), "spec");
  return podSpecWarnings(part(part(job, "template"), "spec"), "spec.jobTemplate.spec.template.spec");
}
