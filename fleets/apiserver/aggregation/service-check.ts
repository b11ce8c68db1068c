// Whether an APIService's server can be reached, in the words of the reference.
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Store } from "../storage/store.ts";
import type { ApiServiceSpec, ServiceTarget } from "./api-service.ts";
import type { Backend } from "./backend.ts";

/** What the condition `Available` is to say, and what the server offers when it told. */
export interface Finding {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly resources?: readonly JsonObject[];
}

const SLICES = "discovery.k8s.io/endpointslices";
const SERVICE_LABEL = "kubernetes.io/service-name";
const PATIENCE_MS = 6_000;

export async function checkService(store: Store, spec: ApiServiceSpec, backend: Backend): Promise<Finding> {
  const { service } = spec;
  if (service === undefined) return unavailable("ServiceNotFound", "no service is named");
  const problem = checkObjects(store, service);
  if (problem !== undefined) return problem;
  const path = `/apis/${spec.group}/${spec.version}`;
  let url = path;
  try {
    url = `${backend.resolve()}${path}`;
    const { status, text } = await backend.read(path, {}, PATIENCE_MS);
    if (status < 200 || status > 299) {
      return unavailable(
        "FailedDiscoveryCheck",
        `failing or missing response from ${url}: bad status from ${url}: ${status}`,
      );
    }
    const resources = resourcesIn(text);
    return {
      status: "True",
      reason: "Passed",
      message: "all checks passed",
      ...(resources === undefined ? {} : { resources }),
    };
  } catch (error) {
    return unavailable(
      "FailedDiscoveryCheck",
      `failing or missing response from ${url}: Get "${url}": ${messageOf(error)}`,
    );
  }
}

function unavailable(reason: string, message: string): Finding {
  return { status: "False", reason, message };
}

/** What the stored Service and its slices rule out. */
function checkObjects(store: Store, { namespace, name, port }: ServiceTarget): Finding | undefined {
  const what = `service/${name} in ${JSON.stringify(namespace)}`;
  const stored = store.get({ resource: "services", namespace, name })?.object;
  if (stored === undefined) return unavailable("ServiceNotFound", `${what} is not present`);
  const spec = isObject(stored["spec"]) ? stored["spec"] : {};
  if ((spec["type"] ?? "ClusterIP") !== "ClusterIP") return undefined;
  const ports = Array.isArray(spec["ports"]) ? spec["ports"].filter(isObject) : [];
  const found = ports.find((each) => each["port"] === port);
  if (found === undefined) return unavailable("ServicePortError", `${what} is not listening on port ${port}`);
  const slices = store
    .list(SLICES, namespace)
    .map(({ object }) => object)
    .filter((slice) => slice.metadata.labels?.[SERVICE_LABEL] === name);
  if (slices.length === 0) {
    return unavailable("EndpointsNotFound", `cannot find endpointslices for ${what}`);
  }
  const portName = String(found["name"] ?? "");
  if (slices.some((slice) => hasReadyEndpoint(slice, portName))) return undefined;
  const message = `endpointslices for ${what} have no addresses with port name ${JSON.stringify(portName)}`;
  return unavailable("MissingEndpoints", message);
}

function hasReadyEndpoint(slice: KubeObject, portName: string): boolean {
  const endpoints = Array.isArray(slice["endpoints"]) ? slice["endpoints"].filter(isObject) : [];
  const ports = Array.isArray(slice["ports"]) ? slice["ports"].filter(isObject) : [];
  const ready = endpoints.some(({ conditions }) => !isObject(conditions) || conditions["ready"] !== false);
  return ready && ports.some((port) => String(port["name"] ?? "") === portName && typeof port["port"] === "number");
}

/** The entries of an APIResourceList; undefined for what is none. */
function resourcesIn(text: string): readonly JsonObject[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isObject(parsed) || parsed["kind"] !== "APIResourceList" || !Array.isArray(parsed["resources"]))
      return undefined;
    // JSON throughout.
    return parsed["resources"].filter((each) => isObject(each) && typeof each["name"] === "string") as JsonObject[];
  } catch {
    return undefined;
  }
}
