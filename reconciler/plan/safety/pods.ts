// The pods that objects make, as far as their manifests say.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { specOf } from "./reviewed-change.ts";

export interface PodsOf {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Of pods, of everything with a template of pods, and of jobs by the clock; undefined for all else. */
export function podsOf(object: KubeObject): PodsOf | undefined {
  if (object.apiVersion === "v1" && object.kind === "Pod")
    return { labels: object.metadata.labels ?? {}, spec: specOf(object) };
  const spec = specOf(object);
  const job = isObject(spec["jobTemplate"]) ? asObject(spec["jobTemplate"]["spec"]) : spec;
  const template = job["template"];
  // Templates of other things, such as certificates, have no containers.
  if (!isObject(template) || !isObject(template["spec"]) || !Array.isArray(template["spec"]["containers"]))
    return undefined;
  return { labels: labelsOf(asObject(template["metadata"])["labels"]), spec: template["spec"] };
}

export interface ContainerImage {
  /** `spec.template.spec.containers[web].image`. */
  readonly field: string;
  readonly image: string;
}

/** The images of all containers, those that run before the others included. */
export function imagesOf(object: KubeObject): readonly ContainerImage[] {
  const pods = podsOf(object);
  if (pods === undefined) return [];
  const at =
    object.kind === "Pod"
      ? "spec"
      : isObject(specOf(object)["jobTemplate"])
        ? "spec.jobTemplate.spec.template.spec"
        : "spec.template.spec";
  return ["initContainers", "containers"].flatMap((list) => {
    const containers = pods.spec[list];
    if (!Array.isArray(containers)) return [];
    return containers
      .filter(isObject)
      .flatMap(({ name, image }): ContainerImage[] =>
        typeof image === "string" && image !== "" ? [{ field: `${at}.${list}[${String(name)}].image`, image }] : [],
      );
  });
}

function labelsOf(given: unknown): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(asObject(given))) if (typeof value === "string") labels[key] = value;
  return labels;
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
