// What a real server's admission adds to Pods for the scheduler's sake: their priority, and where their node is.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { AdmissionPlugin } from "../../apiserver/registry/admission.ts";
import { forbidden } from "../../apiserver/registry/status-error.ts";

const PODS = { group: "", resource: "pods" };
/** The classes that every cluster knows, whether they are there as objects or not. */
const SYSTEM_CLASSES: ReadonlySet<string> = new Set(["system-cluster-critical", "system-node-critical"]);
const TOPOLOGY_LABELS = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] as const;

/** As Kubernetes' admission plugin Priority: resolves the Pod's class among the PriorityClasses, or takes the default one. */
export function priorityAdmission(classes: () => readonly KubeObject[]): AdmissionPlugin {
  return {
    handles: (kind, operation) => kind.storageKey === "pods" && operation === "CREATE",
    mutate: ({ object, subresource, name }) =>
      subresource === undefined ? withPriority(object, name, classes()) : undefined,
  };
}

function withPriority(pod: KubeObject, name: string, classes: readonly KubeObject[]): KubeObject | undefined {
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  const wanted = typeof spec["priorityClassName"] === "string" ? spec["priorityClassName"] : "";
  const found = wanted === "" ? defaultOf(classes) : classes.find(({ metadata }) => metadata.name === wanted);
  if (found === undefined) {
    if (wanted === "" || SYSTEM_CLASSES.has(wanted)) return undefined;
    throw forbidden(PODS, name, `no PriorityClass with name ${wanted} was found`);
  }
  const priority = Number(found["value"] ?? 0);
  const preemptionPolicy = String(found["preemptionPolicy"] ?? "PreemptLowerPriority");
  if (spec["priority"] !== undefined && spec["priority"] !== priority)
    throw forbidden(
      PODS,
      name,
      `the integer value of priority (${spec["priority"]}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  if (spec["preemptionPolicy"] !== undefined && spec["preemptionPolicy"] !== preemptionPolicy)
    throw forbidden(
      PODS,
      name,
      `the string value of PreemptionPolicy (${spec["preemptionPolicy"]}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  return { ...pod, spec: { ...spec, priorityClassName: found.metadata.name, priority, preemptionPolicy } };
}

/** Of several defaults the one with the lowest value counts. */
function defaultOf(classes: readonly KubeObject[]): KubeObject | undefined {
  const defaults = classes.filter((each) => each["globalDefault"] === true);
  return defaults.sort((a, b) => Number(a["value"]) - Number(b["value"]))[0];
}

/** As Kubernetes' PodTopologyLabels: Pods have the zone and the region of their node, from when they are bound. */
export function topologyLabelsAdmission(nodeNamed: (name: string) => KubeObject | undefined): AdmissionPlugin {
  return {
    handles: (kind, operation) => kind.storageKey === "pods" && operation === "CREATE",
    mutate: ({ object, subresource }) => {
      const name =
        subresource === "binding" ? targetOf(object) : subresource === undefined ? nodeOf(object) : undefined;
      const node = name === undefined ? undefined : nodeNamed(name);
      const labels: Record<string, string> = {};
      for (const key of TOPOLOGY_LABELS) {
        const value = node?.metadata.labels?.[key];
        if (value !== undefined) labels[key] = value;
      }
      if (Object.keys(labels).length === 0) return undefined;
      return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
    },
  };
}

function targetOf(binding: KubeObject): string | undefined {
  return isObject(binding["target"]) ? String(binding["target"]["name"] ?? "") : undefined;
}

function nodeOf(pod: KubeObject): string | undefined {
  const name = isObject(pod["spec"]) ? pod["spec"]["nodeName"] : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}
