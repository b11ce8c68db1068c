// Validation of Services, and warnings about them.
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../../../kube/names.ts";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notSupported,
  oneOf,
  problems,
  required,
} from "./field-errors.ts";
import { checkAddress, checkAddressRange, checkRoutableAddress } from "./ip-checks.ts";
import { checkPortName, isPort, PORT_RANGE } from "./port-checks.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const SERVICE_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const LONGEST_AFFINITY_SECONDS = 86_400;

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Reached from outside the cluster: by node ports, a load balancer or external addresses. */
export function isExternallyAccessible(spec: JsonObject): boolean {
  const type = spec["type"];
  if (type === "LoadBalancer" || type === "NodePort") return true;
  return type === "ClusterIP" && texts(spec["externalIPs"]).length > 0;
}

/** Load balancers that keep the source address ask each node whether it has an endpoint. */
export function needsHealthCheckPort(spec: JsonObject): boolean {
  return spec["type"] === "LoadBalancer" && spec["externalTrafficPolicy"] === "Local";
}

export function validateService(service: KubeObject): FieldError[] {
  const spec = part(service, "spec");
  const ports = listOf(spec["ports"]);
  const errors: FieldError[] = [];
  const type = textOf(spec["type"]);
  if (!SERVICE_TYPES.includes(type)) errors.push(notSupported("spec.type", type, SERVICE_TYPES));
  const headless = spec["clusterIP"] === "None";
  if (ports.length === 0 && !headless && type !== "ExternalName") errors.push(required("spec.ports"));
  if (type === "ExternalName") errors.push(...externalNameErrors(spec));
  if (headless && (type === "NodePort" || type === "LoadBalancer")) {
    const why = `may not be set to 'None' for ${type} services`;
    errors.push(invalidValue("spec.clusterIPs[0]", "None", why));
  }
  if (type !== "ExternalName") errors.push(...clusterAddressErrors(texts(spec["clusterIPs"])));
  errors.push(...portsErrors(ports, type), ...selectorLabelErrors(part(spec, "selector")));
  errors.push(...affinityErrors(spec), ...externalAddressErrors(spec), ...balancerErrors(spec, type));
  errors.push(...trafficErrors(spec), ...familyErrors(spec));
  return errors;
}

function externalNameErrors(spec: JsonObject): FieldError[] {
  const name = textOf(spec["externalName"]);
  const errors: FieldError[] = [];
  if (texts(spec["clusterIPs"]).length > 0) {
    errors.push(forbiddenValue("spec.clusterIPs", "may not be set for ExternalName services"));
  }
  if (name === "") errors.push(required("spec.externalName"));
  else errors.push(...problems("spec.externalName", name, checkDnsSubdomain(name.replace(/\.$/, ""))));
  return errors;
}

function clusterAddressErrors(addresses: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length > 1 && addresses.includes("None")) {
    errors.push(invalidValue("spec.clusterIPs", [...addresses], "'None' must be the first and only value"));
  }
  for (const [index, address] of addresses.entries()) {
    if (address === "None") continue;
    errors.push(...problems(`spec.clusterIPs[${index}]`, address, checkAddress(address)));
  }
  return errors;
}

function portsErrors(ports: readonly JsonObject[], type: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    errors.push(...portErrors(port, path, ports.length > 1, names));
    const nodePort = port["nodePort"];
    if ((type === "ClusterIP" || type === "ExternalName") && typeof nodePort === "number" && nodePort !== 0) {
      errors.push(forbiddenValue(`${path}.nodePort`, `may not be used when \`type\` is '${type}'`));
    }
    const key = `${port["protocol"]}/${port["port"]}`;
    if (seen.has(key)) errors.push(duplicateValue(path, printedPort(port)));
    seen.add(key);
  }
  return errors;
}

/** Only what makes two ports the same, in the internal form of a port. */
function printedPort(port: JsonObject): JsonObject {
  const { protocol = "", port: number = 0 } = port;
  return { Name: "", Protocol: protocol, AppProtocol: null, Port: number, TargetPort: 0, NodePort: 0 };
}

function portErrors(port: JsonObject, path: string, needsName: boolean, names: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const name = textOf(port["name"]);
  if (name === "" && needsName) errors.push(required(`${path}.name`));
  if (name !== "") {
    errors.push(...problems(`${path}.name`, name, checkDnsLabel(name)));
    if (names.has(name)) errors.push(duplicateValue(`${path}.name`, name));
    names.add(name);
  }
  if (!isPort(port["port"])) errors.push(invalidValue(`${path}.port`, port["port"], PORT_RANGE));
  const protocol = textOf(port["protocol"]);
  if (protocol === "") errors.push(required(`${path}.protocol`));
  else errors.push(...oneOf(`${path}.protocol`, protocol, PROTOCOLS));
  const target = port["targetPort"];
  if (typeof target === "string") errors.push(...problems(`${path}.targetPort`, target, checkPortName(target)));
  else if (!isPort(target)) errors.push(invalidValue(`${path}.targetPort`, target, PORT_RANGE));
  const app = port["appProtocol"];
  if (typeof app === "string") errors.push(...problems(`${path}.appProtocol`, app, checkQualifiedName(app)));
  const nodePort = port["nodePort"];
  if (typeof nodePort === "number" && nodePort !== 0 && (nodePort < 30000 || nodePort > 32767)) {
    const why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
    errors.push(invalidValue(`${path}.nodePort`, nodePort, why));
  }
  return errors;
}

function selectorLabelErrors(selector: JsonObject): FieldError[] {
  return Object.entries(selector).flatMap(([key, value]) => [
    ...problems("spec.selector", key, checkQualifiedName(key)),
    ...problems("spec.selector", String(value), checkLabelValue(String(value))),
  ]);
}

function affinityErrors(spec: JsonObject): FieldError[] {
  const errors = oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"]);
  const seconds = part(part(spec, "sessionAffinityConfig"), "clientIP")["timeoutSeconds"];
  if (spec["sessionAffinity"] !== "ClientIP" || typeof seconds !== "number") return errors;
  if (seconds > 0 && seconds <= LONGEST_AFFINITY_SECONDS) return errors;
  const why = `must be greater than 0 and less than ${LONGEST_AFFINITY_SECONDS}`;
  return [...errors, invalidValue("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, why)];
}

function externalAddressErrors(spec: JsonObject): FieldError[] {
  return texts(spec["externalIPs"]).flatMap((address, index) => {
    const found = checkAddress(address);
    return problems(`spec.externalIPs[${index}]`, address, found.length > 0 ? found : checkRoutableAddress(address));
  });
}

function balancerErrors(spec: JsonObject, type: string): FieldError[] {
  const errors: FieldError[] = [];
  const isBalancer = type === "LoadBalancer";
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges = texts(spec["loadBalancerSourceRanges"]);
  // The reference writes this field's name with a capital.
  const at = "spec.LoadBalancerSourceRanges";
  if (ranges.length > 0 && !isBalancer) errors.push(forbiddenValue(at, only));
  for (const [index, range] of ranges.entries()) {
    errors.push(...problems(`${at}[${index}]`, range, checkAddressRange(range.trim())));
  }
  if (!isBalancer && spec["allocateLoadBalancerNodePorts"] !== undefined) {
    errors.push(forbiddenValue("spec.allocateLoadBalancerNodePorts", only));
  }
  const cls = spec["loadBalancerClass"];
  if (typeof cls !== "string") return errors;
  if (!isBalancer) return [...errors, forbiddenValue("spec.loadBalancerClass", only)];
  return [...errors, ...problems("spec.loadBalancerClass", cls, checkQualifiedName(cls))];
}

function trafficErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const external = spec["externalTrafficPolicy"];
  if (external !== undefined) {
    if (!isExternallyAccessible(spec)) {
      const why = "may only be set for externally-accessible services";
      errors.push(invalidValue("spec.externalTrafficPolicy", external, why));
    } else errors.push(...oneOf("spec.externalTrafficPolicy", external, POLICIES));
  }
  const check = spec["healthCheckNodePort"];
  if (typeof check === "number" && check !== 0 && !needsHealthCheckPort(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidValue("spec.healthCheckNodePort", check, why));
  }
  errors.push(...oneOf("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], POLICIES));
  errors.push(...oneOf("spec.trafficDistribution", spec["trafficDistribution"], DISTRIBUTIONS));
  return errors;
}

/** Services here have IPv4 addresses only; headless ones without a selector may name what they like. */
function familyErrors(spec: JsonObject): FieldError[] {
  const families = texts(spec["ipFamilies"]);
  const policy = textOf(spec["ipFamilyPolicy"]);
  if (spec["type"] === "ExternalName") return [];
  const isFree = spec["clusterIP"] === "None" && Object.keys(part(spec, "selector")).length === 0;
  const errors: FieldError[] = [];
  for (const [index, family] of families.entries()) {
    const at = `spec.ipFamilies[${index}]`;
    if (family !== "IPv4" && family !== "IPv6") errors.push(notSupported(at, family, ["IPv4", "IPv6"]));
    else if (families.indexOf(family) < index) errors.push(duplicateValue(at, family));
    else if (family === "IPv6" && index === 0 && families.length === 1 && !isFree) {
      errors.push(invalidValue(at, family, "not configured on this cluster"));
    }
  }
  if (errors.length > 0 || isFree) return errors;
  if (families.length > 1 && policy === "SingleStack") {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    return [invalidValue("spec.ipFamilyPolicy", policy, why)];
  }
  if (policy !== "RequireDualStack")
    return oneOf("spec.ipFamilyPolicy", policy, ["SingleStack", "PreferDualStack", "RequireDualStack"]);
  return [invalidValue("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")];
}

/** What an update may not change. */
export function validateServiceUpdate(service: KubeObject, old: KubeObject): FieldError[] {
  const spec = part(service, "spec");
  const before = part(old, "spec");
  const errors: FieldError[] = [];
  const cls = before["loadBalancerClass"];
  if (spec["type"] === "LoadBalancer" && before["type"] === "LoadBalancer" && spec["loadBalancerClass"] !== cls) {
    errors.push(invalidValue("spec.loadBalancerClass", spec["loadBalancerClass"] ?? null, "may not change once set"));
  }
  // The address may go away or come with a change to or from ExternalName.
  if (spec["type"] === "ExternalName" || before["type"] === "ExternalName") return errors;
  const addresses = texts(spec["clusterIPs"]);
  const was = texts(before["clusterIPs"])[0];
  if (was === undefined || was === "" || addresses[0] === was) return errors;
  return [...errors, invalidValue("spec.clusterIPs[0]", addresses, "may not change once set")];
}

export function serviceWarnings(service: KubeObject): readonly string[] {
  const spec = part(service, "spec");
  const warnings: string[] = [];
  const headless = spec["clusterIP"] === "None";
  const hasExternal = texts(spec["externalIPs"]).length > 0;
  const isAlias = spec["type"] === "ExternalName";
  if (headless) {
    if (textOf(spec["loadBalancerIP"]) !== "") warnings.push("spec.loadBalancerIP is ignored for headless services");
    if (hasExternal) warnings.push("spec.externalIPs is ignored for headless services");
    if (spec["sessionAffinity"] === "ClientIP") warnings.push("spec.SessionAffinity is ignored for headless services");
  }
  if (hasExternal && isAlias) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  else if (hasExternal && !headless) {
    warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (textOf(spec["externalName"]) !== "" && !isAlias) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec["trafficDistribution"] === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
