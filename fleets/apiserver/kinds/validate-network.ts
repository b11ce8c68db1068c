// Validation of Services and Ingresses.
import { checkDnsLabel } from "../../../kube/names.ts";
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { duplicateValue, invalidValue, notSupported, oneOf, problems, required } from "./field-errors.ts";
import { checkPortName, isPort, PORT_RANGE } from "./validate-pods.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const SERVICE_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

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
  errors.push(...oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"]));
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    errors.push(...servicePortErrors(port, path, ports.length > 1, names));
    const key = `${port["protocol"]}/${port["port"]}`;
    if (seen.has(key)) errors.push(duplicateValue(path, { port: port["port"], protocol: port["protocol"] }));
    seen.add(key);
  }
  return errors;
}

function externalNameErrors(spec: JsonObject): FieldError[] {
  const name = textOf(spec["externalName"]);
  const errors: FieldError[] = [];
  if (name === "") errors.push(required("spec.externalName"));
  if (textOf(spec["clusterIP"]) !== "") {
    const why = "may not be set for ExternalName services";
    errors.push({ reason: "FieldValueForbidden", field: "spec.clusterIPs[0]", message: `Forbidden: ${why}` });
  }
  return errors;
}

function servicePortErrors(port: JsonObject, path: string, needsName: boolean, names: Set<string>): FieldError[] {
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
  const nodePort = port["nodePort"];
  if (typeof nodePort === "number" && nodePort !== 0 && (nodePort < 30000 || nodePort > 32767)) {
    const why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
    errors.push(invalidValue(`${path}.nodePort`, nodePort, why));
  }
  return errors;
}

export function validateServiceUpdate(service: KubeObject, old: KubeObject): FieldError[] {
  const spec = part(service, "spec");
  const before = part(old, "spec");
  // The address may go away or come with a change to or from ExternalName.
  if (spec["type"] === "ExternalName" || before["type"] === "ExternalName") return [];
  const addresses = (spec["clusterIPs"] ?? []) as string[];
  const was = ((before["clusterIPs"] ?? []) as string[])[0];
  if (was === undefined || was === "" || addresses[0] === was) return [];
  return [invalidValue("spec.clusterIPs[0]", addresses, "may not change once set")];
}

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];

export function validateIngress(ingress: KubeObject): FieldError[] {
  const spec = part(ingress, "spec");
  const rules = listOf(spec["rules"]);
  const errors: FieldError[] = [];
  if (rules.length === 0 && spec["defaultBackend"] === undefined) {
    errors.push(invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec["defaultBackend"] !== undefined) {
    errors.push(...backendErrors(part(spec, "defaultBackend"), "spec.defaultBackend"));
  }
  for (const [index, rule] of rules.entries()) {
    if (rule["http"] === undefined) continue;
    const paths = listOf(part(rule, "http")["paths"]);
    const at = `spec.rules[${index}].http.paths`;
    if (paths.length === 0) errors.push(required(at));
    for (const [position, path] of paths.entries()) errors.push(...pathErrors(path, `${at}[${position}]`));
  }
  return errors;
}

function pathErrors(path: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = textOf(path["pathType"]);
  const text = textOf(path["path"]);
  if (type === "") errors.push(required(`${field}.pathType`, "pathType must be specified"));
  else if (!PATH_TYPES.includes(type)) errors.push(notSupported(`${field}.pathType`, type, PATH_TYPES));
  else if ((type !== "ImplementationSpecific" || text !== "") && !text.startsWith("/")) {
    errors.push(invalidValue(`${field}.path`, text, "must be an absolute path"));
  }
  errors.push(...backendErrors(part(path, "backend"), `${field}.backend`));
  return errors;
}

function backendErrors(backend: JsonObject, field: string): FieldError[] {
  const service = backend["service"] as JsonObject | undefined;
  const resource = backend["resource"];
  if (service === undefined && resource === undefined)
    return [required(field, "either a service or resource backend must be specified")];
  if (service === undefined) return [];
  if (resource !== undefined) return [invalidValue(field, "", "cannot set both resource and service backends")];
  const errors: FieldError[] = [];
  const name = textOf(service["name"]);
  if (name === "") errors.push(required(`${field}.service.name`));
  const port = part(service, "port");
  const number = port["number"];
  const hasName = textOf(port["name"]) !== "";
  const hasNumber = number !== undefined && number !== 0;
  if (hasName && hasNumber) {
    errors.push(invalidValue(field, "", "cannot set both port name & port number"));
  } else if (hasNumber && !isPort(number))
    errors.push(invalidValue(`${field}.service.port.number`, number, PORT_RANGE));
  else if (!hasName && !hasNumber) errors.push(required(field, "port name or number is required"));
  return errors;
}

export function validateEndpointSliceUpdate(slice: KubeObject, old: KubeObject): FieldError[] {
  if (equalJson(slice["addressType"], old["addressType"])) return [];
  return [invalidValue("addressType", textOf(slice["addressType"]), "field is immutable")];
}
