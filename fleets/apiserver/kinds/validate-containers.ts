// Validation of what a container says of itself: handlers, environment, resources, security.
import { checkDnsSubdomain, checkQualifiedName } from "../../../kube/names.ts";
import type { Json, JsonObject } from "../../../kube/object.ts";
import { compareQuantities, parseQuantity, quantitySign } from "../../../kube/quantity.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { forbiddenValue, invalidValue, notNegative, oneOf, problems, required } from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { checkPortName, isPort, PORT_RANGE } from "./port-checks.ts";

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const LARGEST_ID = 2_147_483_647;
const ENV_NAME = /^[ -<>-~]+$/;
const ENV_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='";

function portErrors(field: string, port: Json | undefined): FieldError[] {
  if (typeof port === "string") return problems(field, port, checkPortName(port));
  return isPort(port) ? [] : [invalidValue(field, port, PORT_RANGE)];
}

/** Errors of the one thing that a probe or a hook does. */
function handlerErrors(handler: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const present = HANDLERS.filter((name) => handler[name] !== undefined);
  if (present.length === 0) return [required(path, "must specify a handler type")];
  for (const extra of present.slice(1)) {
    errors.push(forbiddenValue(`${path}.${extra}`, "may not specify more than 1 handler type"));
  }
  const first = present[0]!;
  const value = part(handler, first);
  const at = `${path}.${first}`;
  if (first === "exec" && listOfTexts(value["command"]).length === 0) errors.push(required(`${at}.command`));
  if (first === "httpGet") {
    if (textOf(value["path"]) === "") errors.push(required(`${at}.path`));
    errors.push(...portErrors(`${at}.port`, value["port"]));
    errors.push(...oneOf(`${at}.scheme`, value["scheme"], ["HTTP", "HTTPS"]));
  }
  if (first === "tcpSocket") errors.push(...portErrors(`${at}.port`, value["port"]));
  if (first === "grpc" && !isPort(value["port"])) errors.push(invalidValue(`${at}.port`, value["port"], PORT_RANGE));
  return errors;
}

function listOfTexts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function probeErrors(probe: JsonObject, path: string, name: string): FieldError[] {
  const errors = handlerErrors(probe, path);
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ]) {
    errors.push(...notNegative(`${path}.${field}`, probe[field]));
  }
  const grace = probe["terminationGracePeriodSeconds"];
  if (typeof grace === "number" && grace <= 0) {
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  }
  if (name === "readinessProbe") return errors;
  const threshold = probe["successThreshold"];
  if (typeof threshold === "number" && threshold !== 1) {
    errors.push(invalidValue(`${path}.successThreshold`, threshold, "must be 1"));
  }
  return errors;
}

/** Errors of probes and hooks. Init containers that end have neither. */
export function lifecycleErrors(container: JsonObject, path: string, isInit: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const ends = isInit && container["restartPolicy"] !== "Always";
  for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]) {
    const value = container[name];
    if (value === undefined) continue;
    if (ends) {
      errors.push(forbiddenValue(`${path}.${name}`, "may not be set for init containers without restartPolicy=Always"));
    } else if (name === "lifecycle") {
      for (const hook of ["postStart", "preStop"]) {
        const handler = (value as JsonObject)[hook];
        if (handler !== undefined) errors.push(...handlerErrors(handler as JsonObject, `${path}.lifecycle.${hook}`));
      }
    } else errors.push(...probeErrors(value as JsonObject, `${path}.${name}`, name));
  }
  return errors;
}

const SOURCES = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
const FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const RESOURCE_FIELDS = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

/** Errors of a reference to a field of the Pod. */
export function fieldRefErrors(ref: JsonObject, path: string): FieldError[] {
  const field = textOf(ref["fieldPath"]);
  if (field === "") return [required(`${path}.fieldPath`)];
  if (FIELD_PATHS.includes(field) || /^metadata\.(labels|annotations)(\['.+'\])?$/.test(field)) return [];
  const why = `error converting fieldPath: field label not supported: ${field}`;
  return [invalidValue(`${path}.fieldPath`, field, why)];
}

function resourceRefErrors(ref: JsonObject, path: string): FieldError[] {
  const resource = textOf(ref["resource"]);
  if (resource === "") return [required(`${path}.resource`)];
  return /^(limits|requests)\.hugepages-/.test(resource) ? [] : oneOf(`${path}.resource`, resource, RESOURCE_FIELDS);
}

function keyRefErrors(ref: JsonObject, path: string): FieldError[] {
  const name = textOf(ref["name"]);
  const errors = problems(`${path}.name`, name, checkDnsSubdomain(name));
  if (textOf(ref["key"]) === "") errors.push(required(`${path}.key`));
  return errors;
}

/** Errors of environment variables and their sources. */
export function environmentErrors(container: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of listOf(container["env"]).entries()) {
    const at = `${path}.env[${index}]`;
    const name = textOf(variable["name"]);
    if (name === "") errors.push(required(`${at}.name`));
    else if (!ENV_NAME.test(name)) errors.push(invalidValue(`${at}.name`, name, ENV_RULE));
    const from = variable["valueFrom"] as JsonObject | undefined;
    if (from !== undefined) errors.push(...sourceErrors(from, `${at}.valueFrom`, textOf(variable["value"]) !== ""));
  }
  for (const [index, source] of listOf(container["envFrom"]).entries()) {
    errors.push(...bulkSourceErrors(source, `${path}.envFrom[${index}]`));
  }
  return errors;
}

function sourceErrors(from: JsonObject, path: string, hasValue: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const present = SOURCES.filter((name) => from[name] !== undefined);
  for (const name of present) {
    const ref = part(from, name);
    const at = `${path}.${name}`;
    if (name === "fieldRef") errors.push(...fieldRefErrors(ref, at));
    else if (name === "resourceFieldRef") errors.push(...resourceRefErrors(ref, at));
    else if (name !== "fileKeyRef") errors.push(...keyRefErrors(ref, at));
  }
  if (present.length === 0) {
    const why =
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    errors.push(invalidValue(path, "", why));
  } else if (hasValue) errors.push(invalidValue(path, "", "may not be specified when `value` is not empty"));
  else if (present.length > 1)
    errors.push(invalidValue(path, "", "may not have more than one field specified at a time"));
  return errors;
}

function bulkSourceErrors(source: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const prefix = textOf(source["prefix"]);
  if (prefix !== "" && !ENV_NAME.test(prefix)) errors.push(invalidValue(`${path}.prefix`, prefix, ENV_RULE));
  const present = ["configMapRef", "secretRef"].filter((name) => source[name] !== undefined);
  for (const name of present) {
    const target = textOf(part(source, name)["name"]);
    errors.push(...problems(`${path}.${name}.name`, target, checkDnsSubdomain(target)));
  }
  if (present.length === 0) errors.push(invalidValue(path, "", "must specify one of: `configMapRef` or `secretRef`"));
  if (present.length > 1) errors.push(invalidValue(path, "", "may not have more than one field specified at a time"));
  return errors;
}

const STANDARD = ["cpu", "memory", "ephemeral-storage"];

function isStandard(name: string): boolean {
  return STANDARD.includes(name) || name.startsWith("hugepages-");
}

function resourceNameErrors(field: string, name: string): FieldError[] {
  const errors = problems(field, name, checkQualifiedName(name));
  if (errors.length > 0 || name.includes("/") || isStandard(name)) return errors;
  return [
    invalidValue(field, name, "must be a standard resource type or fully qualified"),
    invalidValue(field, name, "must be a standard resource for containers"),
  ];
}

/** Errors of limits and requests. What is not native cannot be shared, and has a limit equal to its request. */
export function resourceErrors(resources: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = part(resources, "limits");
  const requests = part(resources, "requests");
  for (const [list, quantities] of [["limits", limits] as const, ["requests", requests] as const]) {
    for (const [name, quantity] of Object.entries(quantities)) {
      const at = `${path}.${list}[${name}]`;
      errors.push(...resourceNameErrors(at, name));
      const value = parseQuantity(String(quantity));
      if (quantitySign(value) < 0) errors.push(invalidValue(at, quantity, "must be greater than or equal to 0"));
      else if (name.includes("/") && /m$/.test(String(quantity))) {
        errors.push(invalidValue(at, quantity, "must be an integer"));
      }
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    const isShared = isStandard(name) && !name.startsWith("hugepages-");
    if (limit === undefined) {
      if (!isShared) errors.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
      continue;
    }
    const order = compareQuantities(parseQuantity(String(request)), parseQuantity(String(limit)));
    if (!isShared && order !== 0) {
      errors.push(invalidValue(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
    } else if (order > 0) {
      errors.push(invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  return errors;
}

function idErrors(field: string, value: Json | undefined): FieldError[] {
  if (typeof value !== "number" || (value >= 0 && value <= LARGEST_ID)) return [];
  return [invalidValue(field, value, `must be between 0 and ${LARGEST_ID}, inclusive`)];
}

function seccompErrors(profile: JsonObject | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const errors = oneOf(`${path}.type`, profile["type"], ["Localhost", "RuntimeDefault", "Unconfined"]);
  if (profile["type"] === "Localhost" && textOf(profile["localhostProfile"]) === "") {
    errors.push(required(`${path}.localhostProfile`, "must be set when seccomp type is Localhost"));
  }
  return errors;
}

export function containerSecurityErrors(context: JsonObject | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...idErrors(`${path}.runAsUser`, context["runAsUser"]),
    ...idErrors(`${path}.runAsGroup`, context["runAsGroup"]),
    ...oneOf(`${path}.procMount`, context["procMount"], ["Default", "Unmasked"]),
    ...seccompErrors(context["seccompProfile"] as JsonObject | undefined, `${path}.seccompProfile`),
  ];
  if (context["allowPrivilegeEscalation"] === false) {
    const printed = toInternalForm("core/v1.SecurityContext", context);
    const added = listOfTexts(part(context, "capabilities")["add"]);
    if (context["privileged"] === true) {
      errors.push(
        invalidValue(path, printed, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"),
      );
    }
    if (added.includes("CAP_SYS_ADMIN")) {
      const why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      errors.push(invalidValue(path, printed, why));
    }
  }
  return errors;
}

export function podSecurityErrors(spec: JsonObject, path: string): FieldError[] {
  const context = part(spec, "securityContext");
  const errors: FieldError[] = [];
  for (const field of ["runAsUser", "runAsGroup", "fsGroup"])
    errors.push(...idErrors(`${path}.${field}`, context[field]));
  const groups = Array.isArray(context["supplementalGroups"]) ? context["supplementalGroups"] : [];
  for (const [index, group] of groups.entries())
    errors.push(...idErrors(`${path}.supplementalGroups[${index}]`, group));
  if (spec["shareProcessNamespace"] === true && spec["hostPID"] === true) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, why));
  }
  errors.push(...oneOf(`${path}.fsGroupChangePolicy`, context["fsGroupChangePolicy"], ["Always", "OnRootMismatch"]));
  errors.push(...seccompErrors(context["seccompProfile"] as JsonObject | undefined, `${path}.seccompProfile`));
  return errors;
}
