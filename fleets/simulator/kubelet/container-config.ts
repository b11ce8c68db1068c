// ConfigMaps and Secrets that a Pod needs before its containers can start. Pure.
import type { KubeObject } from "../../../kube/object.ts";
import type { Container, PodSpec } from "./pod-spec.ts";

/** Finds a ConfigMap or a Secret of the Pod's namespace. */
export type FindSource = (resource: "configmaps" | "secrets", name: string) => KubeObject | undefined;

/** Why the container's environment cannot be made, as the kubelet says it; undefined when it can. */
export function containerConfigProblem(container: Container, namespace: string, find: FindSource): string | undefined {
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    const problem = missing("configmaps", configMapRef, find) ?? missing("secrets", secretRef, find);
    if (problem !== undefined) return problem;
  }
  for (const { valueFrom } of container.env ?? []) {
    const problem =
      missingKey("configmaps", valueFrom?.configMapKeyRef, namespace, find) ??
      missingKey("secrets", valueFrom?.secretKeyRef, namespace, find);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Why a volume cannot be mounted, and which; undefined when all can. */
export function volumeProblem(
  spec: PodSpec,
  find: FindSource,
): { readonly volume: string; readonly message: string } | undefined {
  for (const { name, configMap, secret, projected } of spec.volumes ?? []) {
    const sources = [
      { configMap, secret: secret === undefined ? undefined : { ...secret, name: secret.secretName } },
      ...(projected?.sources ?? []),
    ];
    for (const source of sources) {
      const message =
        mountProblem("configmaps", source.configMap, find) ?? mountProblem("secrets", source.secret, find);
      if (message !== undefined) return { volume: name, message };
    }
  }
  return undefined;
}

interface Source {
  readonly name?: string | undefined;
  readonly optional?: boolean;
}

type Kind = "configmaps" | "secrets";

function missing(resource: Kind, source: Source | undefined, find: FindSource): string | undefined {
  const name = source?.name;
  if (name === undefined || source?.optional === true || find(resource, name) !== undefined) return undefined;
  return `${resource === "configmaps" ? "configmap" : "secret"} "${name}" not found`;
}

function missingKey(
  resource: Kind,
  source: (Source & { readonly key: string }) | undefined,
  namespace: string,
  find: FindSource,
): string | undefined {
  const problem = missing(resource, source, find);
  if (problem !== undefined || source?.name === undefined || source.optional === true) return problem;
  const object = find(resource, source.name);
  if (object === undefined || keysOf(object).has(source.key)) return undefined;
  const kind = resource === "configmaps" ? "ConfigMap" : "Secret";
  return `couldn't find key ${source.key} in ${kind} ${namespace}/${source.name}`;
}

function mountProblem(
  resource: Kind,
  source: (Source & { readonly items?: readonly { readonly key: string }[] }) | undefined,
  find: FindSource,
): string | undefined {
  const problem = missing(resource, source, find);
  if (problem !== undefined || source?.name === undefined || source.optional === true) return problem;
  const object = find(resource, source.name);
  if (object === undefined) return undefined;
  const keys = keysOf(object);
  const absent = source.items?.find(({ key }) => !keys.has(key));
  if (absent === undefined) return undefined;
  return resource === "configmaps"
    ? `configmap references non-existent config key: ${absent.key}`
    : `references non-existent secret key: ${absent.key}`;
}

function keysOf(object: KubeObject): Set<string> {
  return new Set([...Object.keys(object["data"] ?? {}), ...Object.keys(object["binaryData"] ?? {})]);
}
