// Where a webhook of a ResourceInterpreterWebhookConfiguration is.
import type { InterpreterClientConfig } from "../../../../api/config.ts";
import type { CallTarget } from "../../../../fleets/apiserver/http/json-call.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";

/** A Service of the control plane; undefined when there is none of that name. */
export type FindService = (namespace: string, name: string) => Promise<KubeObject | undefined>;

const HTTPS_PORT = 443;

/** Throws in words when the configuration or its Service leads nowhere. */
export async function webhookTarget(
  config: InterpreterClientConfig,
  timeoutMs: number,
  findService: FindService,
): Promise<CallTarget> {
  const ca = config.caBundle === undefined || config.caBundle === "" ? undefined : decodeBundle(config.caBundle);
  const timeout = `${Math.ceil(timeoutMs / 1000)}s`;
  const { service } = config;
  if (service === undefined) {
    const url = URL.parse(config.url ?? "");
    if (url === null || url.protocol !== "https:")
      throw new Error(`clientConfig.url ${JSON.stringify(config.url ?? "")} is not an address that begins with https`);
    url.searchParams.set("timeout", timeout);
    return { url, ca };
  }
  const { namespace, name, path = "/", port = HTTPS_PORT } = service;
  const serverName = `${name}.${namespace}.svc`;
  const url = new URL(`https://${serverName}:${port}`);
  url.pathname = path;
  url.searchParams.set("timeout", timeout);
  return {
    url,
    ca,
    address: serviceAddress(await findService(namespace, name), name, port) ?? { host: serverName, port },
  };
}

/**
 * As Karmada: the cluster address of the Service, or the name it stands for; without a Service of that name, undefined: the
 * name that it would have inside a cluster. The port is one of the Service's, and not that of its endpoints.
 */
function serviceAddress(
  service: KubeObject | undefined,
  name: string,
  port: number,
): { readonly host: string; readonly port: number } | undefined {
  if (service === undefined) return undefined;
  const spec = isObject(service["spec"]) ? service["spec"] : {};
  const { type = "ClusterIP", clusterIP, externalName, ports } = spec;
  if (type === "ExternalName") return { host: String(externalName), port };
  if (type !== "ClusterIP" && type !== "NodePort" && type !== "LoadBalancer")
    throw new Error(`unsupported service type ${JSON.stringify(type)}`);
  if (clusterIP === "None") throw new Error('cannot route to service with ClusterIP "None"');
  const hasPort = Array.isArray(ports) && ports.some((each) => isObject(each) && each["port"] === port);
  if (!hasPort) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  if (typeof clusterIP !== "string" || clusterIP === "")
    throw new Error(`service ${JSON.stringify(name)} has no cluster address yet`);
  return { host: clusterIP, port };
}

function decodeBundle(text: string): string {
  return Buffer.from(text, "base64").toString();
}
