// Validation of Pod specs, alone and in templates: what clients run into. Volume sources, affinity and security
// contexts are not looked at.
import { checkDnsLabel } from "../../../kube/names.ts";
import { cloneJson, equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { compareQuantities, parseQuantity, quantitySign } from "../../../kube/quantity.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notFoundValue,
  notNegative,
  notSupported,
  oneOf,
  problems,
  required,
} from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { diffValues } from "./line-diff.ts";

export const PORT_RANGE = "must be between 1 and 65535, inclusive";
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function isPort(value: unknown): boolean {
  return typeof value === "number" && value >= 1 && value <= 65535;
}

/** Errors of a Pod spec at `path`. `claimed` names volumes that come from outside of the spec. */
export function podSpecErrors(spec: JsonObject, path: string, claimed: readonly string[] = []): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = volumeErrors(spec, `${path}.volumes`, errors);
  for (const name of claimed) volumes.add(name);
  const containers = listOf(spec["containers"]);
  if (containers.length === 0) errors.push(required(`${path}.containers`));
  const names = new Set<string>();
  const lists: readonly (readonly [string, JsonObject[]])[] = [
    ["initContainers", listOf(spec["initContainers"])],
    ["containers", containers],
  ];
  for (const [list, items] of lists) {
    for (const [index, container] of items.entries()) {
      errors.push(...containerErrors(container, `${path}.${list}[${index}]`, names, volumes));
    }
  }
  const restartPolicy = textOf(spec["restartPolicy"]);
  if (restartPolicy === "") errors.push(required(`${path}.restartPolicy`));
  else errors.push(...oneOf(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  errors.push(...oneOf(`${path}.dnsPolicy`, spec["dnsPolicy"], DNS_POLICIES));
  errors.push(...notNegative(`${path}.terminationGracePeriodSeconds`, spec["terminationGracePeriodSeconds"]));
  const deadline = spec["activeDeadlineSeconds"];
  if (typeof deadline === "number" && (deadline < 1 || deadline > 2147483647)) {
    errors.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, "must be between 1 and 2147483647, inclusive"));
  }
  return errors;
}

/** Adds errors of the volumes, and answers their names. */
function volumeErrors(spec: JsonObject, path: string, errors: FieldError[]): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of listOf(spec["volumes"]).entries()) {
    const name = textOf(volume["name"]);
    const at = `${path}[${index}]`;
    if (name === "") errors.push(required(`${at}.name`));
    else errors.push(...problems(`${at}.name`, name, checkDnsLabel(name)));
    if (names.has(name)) errors.push(duplicateValue(`${at}.name`, name));
    names.add(name);
    const sources = Object.keys(volume).filter((key) => key !== "name");
    for (const extra of sources.slice(1)) {
      errors.push(forbiddenValue(`${at}.${extra}`, "may not specify more than 1 volume type"));
    }
  }
  return names;
}

function containerErrors(
  container: JsonObject,
  path: string,
  names: Set<string>,
  volumes: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const name = textOf(container["name"]);
  if (name === "") errors.push(required(`${path}.name`));
  else errors.push(...problems(`${path}.name`, name, checkDnsLabel(name)));
  if (name !== "" && names.has(name)) errors.push(duplicateValue(`${path}.name`, name));
  names.add(name);
  const image = textOf(container["image"]);
  if (image === "") errors.push(required(`${path}.image`));
  else if (image.trim() !== image) {
    errors.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
  }
  errors.push(...oneOf(`${path}.imagePullPolicy`, container["imagePullPolicy"], PULL_POLICIES));
  errors.push(...portErrors(listOf(container["ports"]), `${path}.ports`));
  for (const [index, variable] of listOf(container["env"]).entries()) {
    if (textOf(variable["name"]) === "") errors.push(required(`${path}.env[${index}].name`));
    if (textOf(variable["value"]) !== "" && variable["valueFrom"] !== undefined) {
      const why = "may not be specified when `value` is not empty";
      errors.push(invalidValue(`${path}.env[${index}].valueFrom`, "", why));
    }
  }
  errors.push(...mountErrors(listOf(container["volumeMounts"]), `${path}.volumeMounts`, volumes));
  errors.push(...resourceErrors(part(container, "resources"), `${path}.resources`));
  return errors;
}

function portErrors(ports: readonly JsonObject[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `${path}[${index}]`;
    const name = textOf(port["name"]);
    if (name !== "") {
      errors.push(...problems(`${at}.name`, name, checkPortName(name)));
      if (names.has(name)) errors.push(duplicateValue(`${at}.name`, name));
      names.add(name);
    }
    const number = port["containerPort"];
    if (number === 0) errors.push(required(`${at}.containerPort`));
    else if (!isPort(number)) errors.push(invalidValue(`${at}.containerPort`, number, PORT_RANGE));
    const host = port["hostPort"];
    if (host !== undefined && host !== 0 && !isPort(host))
      errors.push(invalidValue(`${at}.hostPort`, host, PORT_RANGE));
    errors.push(...oneOf(`${at}.protocol`, port["protocol"], PROTOCOLS));
  }
  return errors;
}

/** Problems of a port's name: at most 15 lower-case letters, digits and single hyphens, at least one letter. */
export function checkPortName(name: string): string[] {
  const found: string[] = [];
  if (name.length > 15) found.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(name)) found.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(name)) found.push("must contain at least one letter (a-z)");
  if (name.includes("--")) found.push("must not contain consecutive hyphens");
  if (name.startsWith("-") || name.endsWith("-")) found.push("must not begin or end with a hyphen");
  return found;
}

function mountErrors(mounts: readonly JsonObject[], path: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const at = `${path}[${index}]`;
    const name = textOf(mount["name"]);
    if (name === "") errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name));
    const mountPath = textOf(mount["mountPath"]);
    if (mountPath === "") errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
  }
  return errors;
}

/** Resources that may have more than a whole number must be integers everywhere else. */
function resourceErrors(resources: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = part(resources, "limits");
  const requests = part(resources, "requests");
  for (const [list, quantities] of [["limits", limits] as const, ["requests", requests] as const]) {
    for (const [name, quantity] of Object.entries(quantities)) {
      if (quantitySign(parseQuantity(String(quantity))) >= 0) continue;
      errors.push(invalidValue(`${path}.${list}[${name}]`, quantity, "must be greater than or equal to 0"));
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined) continue;
    if (compareQuantities(parseQuantity(String(request)), parseQuantity(String(limit))) <= 0) continue;
    errors.push(invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  }
  return errors;
}

/** Errors of a Pod template whose Pods must always restart. `claimed` names volumes from claim templates. */
export function longRunningTemplateErrors(
  template: JsonObject,
  path: string,
  owner = "ReplicaSet",
  claimed: readonly string[] = [],
): FieldError[] {
  const spec = part(template, "spec");
  const errors = podSpecErrors(spec, `${path}.spec`, claimed);
  const policy = textOf(spec["restartPolicy"]);
  if (policy !== "" && policy !== "Always" && RESTART_POLICIES.includes(policy)) {
    errors.push(notSupported(`${path}.spec.restartPolicy`, policy, ["Always"]));
  }
  if (spec["activeDeadlineSeconds"] !== undefined) {
    const why = `activeDeadlineSeconds in ${owner} is not Supported`;
    errors.push(forbiddenValue(`${path}.spec.activeDeadlineSeconds`, why));
  }
  return errors;
}

export function validatePod(pod: KubeObject): FieldError[] {
  return podSpecErrors(part(pod, "spec"), "spec");
}

const POD_CHANGES =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** Pods can hardly be changed: images, the deadline, and more tolerations. */
export function validatePodUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  const after = part(pod, "spec");
  const before = part(old, "spec");
  const allowed = cloneJson(after);
  for (const list of ["containers", "initContainers"]) {
    const originals = listOf(before[list]);
    for (const [index, container] of listOf(allowed[list]).entries()) {
      const original = originals[index];
      if (original !== undefined) container["image"] = original["image"];
    }
  }
  allowed["activeDeadlineSeconds"] = before["activeDeadlineSeconds"];
  const tolerations = listOf(after["tolerations"]);
  const kept = listOf(before["tolerations"]).every((old) => tolerations.some((each) => equalJson(each, old)));
  if (kept) allowed["tolerations"] = before["tolerations"];
  // Gates are removed when a Pod may be scheduled.
  const gates = listOf(after["schedulingGates"]);
  if (gates.every((gate) => listOf(before["schedulingGates"]).some((each) => equalJson(each, gate)))) {
    allowed["schedulingGates"] = before["schedulingGates"];
  }
  if (equalJson(allowed, before)) return [];
  const type = "core/v1.PodSpec";
  const diff = diffValues(toInternalForm(type, before), toInternalForm(type, allowed));
  return [forbiddenValue("spec", `${POD_CHANGES}\n${diff}`)];
}
