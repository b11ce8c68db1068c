// Validation of Pod specs, alone and in templates: containers, and what the files beside it look at.
import { checkDnsLabel } from "../../../kube/names.ts";
import { cloneJson, equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notNegative,
  notSupported,
  oneOf,
  problems,
  required,
} from "./field-errors.ts";
import { toInternalForm } from "./internal-form.ts";
import { diffValues } from "./line-diff.ts";
import { checkPortName, isPort, PORT_RANGE } from "./port-checks.ts";
import {
  containerSecurityErrors,
  environmentErrors,
  lifecycleErrors,
  podSecurityErrors,
  resourceErrors,
} from "./validate-containers.ts";
import { annotationErrors, labelErrors, schedulingErrors } from "./validate-scheduling.ts";
import { mountErrors, volumeErrors } from "./validate-volumes.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];

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
      const at = `${path}.${list}[${index}]`;
      errors.push(
        ...containerErrors(container, at, names, volumes),
        ...lifecycleErrors(container, at, list !== "containers"),
      );
      if (spec["hostNetwork"] === true) errors.push(...hostPortErrors(container, `${at}.ports`));
    }
  }
  const restartPolicy = textOf(spec["restartPolicy"]);
  if (restartPolicy === "") errors.push(required(`${path}.restartPolicy`));
  else errors.push(...oneOf(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  errors.push(...oneOf(`${path}.dnsPolicy`, spec["dnsPolicy"], DNS_POLICIES));
  errors.push(...schedulingErrors(spec, path), ...podSecurityErrors(spec, `${path}.securityContext`));
  errors.push(...notNegative(`${path}.terminationGracePeriodSeconds`, spec["terminationGracePeriodSeconds"]));
  const deadline = spec["activeDeadlineSeconds"];
  if (typeof deadline === "number" && (deadline < 1 || deadline > 2147483647)) {
    errors.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, "must be between 1 and 2147483647, inclusive"));
  }
  return errors;
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
  errors.push(...environmentErrors(container, path), ...mountErrors(container, path, volumes));
  errors.push(...resourceErrors(part(container, "resources"), `${path}.resources`));
  const policies = ["File", "FallbackToLogsOnError"];
  errors.push(...oneOf(`${path}.terminationMessagePolicy`, container["terminationMessagePolicy"], policies));
  const security = container["securityContext"] as JsonObject | undefined;
  errors.push(...containerSecurityErrors(security, `${path}.securityContext`));
  return errors;
}

/** On the host's network there is one port for both. */
function hostPortErrors(container: JsonObject, path: string): FieldError[] {
  return listOf(container["ports"]).flatMap((port, index) => {
    const host = port["hostPort"];
    if (host === undefined || host === 0 || host === port["containerPort"]) return [];
    const why = "must match `containerPort` when `hostNetwork` is true";
    return [invalidValue(`${path}[${index}].hostPort`, host, why)];
  });
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

/** The metadata of a template is embedded in it: its fields stand beside the spec. */
export function templateMetadataErrors(template: JsonObject, path: string): FieldError[] {
  const metadata = part(template, "metadata");
  return [
    ...labelErrors(part(metadata, "labels"), `${path}.labels`),
    ...annotationErrors(part(metadata, "annotations"), `${path}.annotations`),
  ];
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
  for (const list of ["containers", "initContainers"]) {
    if (listOf(after[list]).length === listOf(before[list]).length) continue;
    return [forbiddenValue(`spec.${list}`, "pod updates may not add or remove containers")];
  }
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
