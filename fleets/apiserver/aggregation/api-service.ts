// APIServices as values: one for each group-version, local or served by another server.
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";

export const API_SERVICES = "apiregistration.k8s.io/apiservices";
export const API_REGISTRATION = { group: "apiregistration.k8s.io", version: "v1", plural: "apiservices" } as const;
/** On APIServices that the server makes itself: `onstart` when it starts, `true` as definitions come and go. */
export const AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged";

const DEFAULT_PORT = 443;

export interface ServiceTarget {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface ApiServiceSpec {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  /** Undefined for what the server serves itself. */
  readonly service: ServiceTarget | undefined;
  /** PEM of the authorities of the other server's certificate. */
  readonly caPem: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** `v1.apps`; `v1.` for the core group. */
export function apiServiceName(group: string, version: string): string {
  return `${version}.${group}`;
}

export function readApiService(object: KubeObject): ApiServiceSpec {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const { group, version, groupPriorityMinimum, versionPriority, service, caBundle, insecureSkipTLSVerify } = spec;
  return {
    group: String(group ?? ""),
    version: String(version ?? ""),
    groupPriorityMinimum: Number(groupPriorityMinimum ?? 0),
    versionPriority: Number(versionPriority ?? 0),
    service: isObject(service)
      ? {
          namespace: String(service["namespace"] ?? ""),
          name: String(service["name"] ?? ""),
          port: typeof service["port"] === "number" ? service["port"] : DEFAULT_PORT,
        }
      : undefined,
    caPem:
      typeof caBundle === "string" && caBundle !== "" ? Buffer.from(caBundle, "base64").toString("utf8") : undefined,
    insecureSkipTlsVerify: insecureSkipTLSVerify === true,
  };
}

export function availability(object: KubeObject): Condition | undefined {
  const status = isObject(object["status"]) ? object["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? (status["conditions"] as Condition[]) : [];
  return conditions.find((each) => each.type === "Available");
}

/** The condition of an APIService that the server serves itself. */
export function localCondition(now: string): JsonObject {
  return {
    type: "Available",
    status: "True",
    lastTransitionTime: now,
    reason: "Local",
    message: "Local APIServices are always available",
  };
}
