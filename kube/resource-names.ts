// Which names of resources mean what, in requests of pods, on nodes and in quotas.
import { checkQualifiedName } from "./names.ts";

/** Names in use are few; those that users invent must not fill the memory. */
const MOST_KNOWN = 10_000;
const scalars = new Map<string, boolean>();

/** An extended resource such as `nvidia.com/gpu`: with a domain that is not Kubernetes' own. */
export function isExtendedResource(name: string): boolean {
  if (!name.includes("/") || isOfKubernetes(name) || name.startsWith("requests.")) return false;
  return checkQualifiedName(`requests.${name}`).length === 0;
}

function isOfKubernetes(name: string): boolean {
  return name.includes("kubernetes.io/");
}

/**
 * Whether nodes keep an account of the resource beside cpu, memory, ephemeral storage and pods: extended resources, huge
 * pages, attachable volumes, and those with Kubernetes' domain. Requests for anything else do not count on nodes.
 */
export function isScalarResource(name: string): boolean {
  let answer = scalars.get(name);
  if (answer === undefined) {
    answer =
      name.startsWith("hugepages-") ||
      name.startsWith("attachable-volumes-") ||
      isOfKubernetes(name) ||
      isExtendedResource(name);
    if (scalars.size >= MOST_KNOWN) scalars.clear();
    scalars.set(name, answer);
  }
  return answer;
}
