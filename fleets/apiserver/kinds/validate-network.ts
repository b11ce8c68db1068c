// Validation of Ingresses and EndpointSlices.
import { equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { invalidValue, notSupported, required } from "./field-errors.ts";
import { isPort, PORT_RANGE } from "./port-checks.ts";

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
