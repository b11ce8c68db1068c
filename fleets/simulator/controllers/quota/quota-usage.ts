// What objects use of a ResourceQuota.
import type { KubeObject } from "../../../../kube/object.ts";
import {
  compareQuantities,
  parseQuantity,
  type Quantity,
  quantityOf,
  roundQuantityUp,
} from "../../../../kube/quantity.ts";
import { serviceOf } from "../network/service-object.ts";
import { isTerminal, type Pod, podOf } from "../pod-object.ts";
import { type Amounts, ONE, readAmounts } from "./amounts.ts";
import { containersOf, podAmounts } from "./pod-amounts.ts";

const STORAGE_CLASS = ".storageclass.storage.k8s.io/";
/** Counted under their bare name as well. */
const BARE_NAMES = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];

/** `count/deployments.apps` of the storage key `apps/deployments`. */
function countName(resource: string): string {
  const [group, plural] = resource.includes("/") ? resource.split("/") : ["", resource];
  return `count/${plural}${group === "" ? "" : `.${group}`}`;
}

/** Whether a quota's limit of this name is about objects of a resource. */
export function concerns(name: string, resource: string): boolean {
  if (name === countName(resource)) return true;
  switch (resource) {
    case "pods":
      return isPodName(name);
    case "services":
      return name === "services" || name === "services.nodeports" || name === "services.loadbalancers";
    case "persistentvolumeclaims": {
      const plain = name.slice(name.includes(STORAGE_CLASS) ? name.indexOf(STORAGE_CLASS) + STORAGE_CLASS.length : 0);
      return plain === "persistentvolumeclaims" || plain === "requests.storage";
    }
    default:
      return BARE_NAMES.has(resource) && name === resource;
  }
}

function isPodName(name: string): boolean {
  if (name === "pods" || name.startsWith("hugepages-")) return true;
  if (COMPUTE.includes(name.replace(/^(requests|limits)\./, ""))) return true;
  const requested = /^requests\.(.+)$/.exec(name)?.[1];
  return requested !== undefined && (requested.startsWith("hugepages-") || isExtended(requested));
}

/** Whether a resource is none of Kubernetes' own: `nvidia.com/gpu`. */
function isExtended(name: string): boolean {
  return name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name);
}

/** What one object uses. */
export function usageOf(resource: string, object: KubeObject, nowMs: number): Amounts {
  switch (resource) {
    case "pods":
      return podUsage(podOf(object), nowMs);
    case "services":
      return serviceUsage(object);
    case "persistentvolumeclaims":
      return claimUsage(object);
    default:
      return new Map([[countName(resource), ONE], ...(BARE_NAMES.has(resource) ? [[resource, ONE] as const] : [])]);
  }
}

/** Whether a Pod is charged for more than being there. */
export function isCharged(pod: Pod, nowMs: number): boolean {
  if (isTerminal(pod)) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  // Of a Pod whose node is lost nobody knows when it ends: it must not keep others from starting.
  return deletionTimestamp === undefined || Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000 >= nowMs;
}

function podUsage(pod: Pod, nowMs: number): Amounts {
  const usage = new Map([["count/pods", ONE]]);
  if (!isCharged(pod, nowMs)) return usage;
  usage.set("pods", ONE);
  for (const [name, amount] of computeUsage(podAmounts(pod, "requests"), podAmounts(pod, "limits")))
    usage.set(name, amount);
  return usage;
}

/** Requests and limits under the names that quotas have for them. */
export function computeUsage(requests: Amounts, limits: Amounts): Map<string, Quantity> {
  const usage = new Map<string, Quantity>();
  for (const [name, amount] of requests) {
    if (COMPUTE.includes(name) || name.startsWith("hugepages-")) usage.set(name, amount);
    if (usage.has(name) || isExtended(name)) usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  return usage;
}

function serviceUsage(object: KubeObject): Amounts {
  const { type, ports = [] } = serviceOf(object).spec;
  const { allocateLoadBalancerNodePorts } = (object["spec"] ?? {}) as { allocateLoadBalancerNodePorts?: boolean };
  const isBalanced = type === "LoadBalancer";
  const explicit = ports.filter((port) => ((port as { nodePort?: number }).nodePort ?? 0) !== 0).length;
  const nodePorts =
    isBalanced && allocateLoadBalancerNodePorts === false
      ? explicit
      : isBalanced || type === "NodePort"
        ? ports.length
        : 0;
  return new Map([
    ["count/services", ONE],
    ["services", ONE],
    ["services.loadbalancers", quantityOf(isBalanced ? 1 : 0)],
    ["services.nodeports", quantityOf(nodePorts)],
  ]);
}

interface ClaimParts {
  readonly spec?: {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: { readonly allocatedResources?: Readonly<Record<string, string>> };
}

function claimUsage(object: KubeObject): Amounts {
  // The server has checked the shape of every claim.
  const { spec = {}, status = {} } = object as ClaimParts;
  const className = object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName;
  const usage = new Map([
    ["persistentvolumeclaims", ONE],
    ["count/persistentvolumeclaims", ONE],
  ]);
  const requested = spec.resources?.requests?.storage;
  if (requested !== undefined) {
    const allocated = readAmounts(status.allocatedResources).get("storage");
    const own = parseQuantity(requested);
    // A volume that could not grow as far as it was asked to still has what it got.
    const isMore = allocated !== undefined && compareQuantities(allocated, own) > 0;
    usage.set("requests.storage", roundQuantityUp(isMore ? allocated : own, 0));
  }
  if ((className ?? "") === "") return usage;
  for (const name of ["persistentvolumeclaims", "requests.storage"]) {
    const amount = usage.get(name);
    if (amount !== undefined) usage.set(`${className}${STORAGE_CLASS}${name}`, amount);
  }
  return usage;
}

/** Whether the quality of service of a Pod is BestEffort. */
export function isBestEffort(pod: Pod): boolean {
  if (pod.status.qosClass !== undefined) return pod.status.qosClass === "BestEffort";
  return containersOf(pod).every(({ resources = {} }) => {
    const names = [...Object.keys(resources.requests ?? {}), ...Object.keys(resources.limits ?? {})];
    return !names.includes("cpu") && !names.includes("memory");
  });
}
