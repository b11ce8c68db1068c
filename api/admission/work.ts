// Defaults and rules of bindings and Works beyond their schema.
import { cloneJson, isObject } from "../../kube/object.ts";
import type { ClusterResourceBinding, ResourceBinding, Work } from "../work.ts";
import type { AdmissionContext } from "./context.ts";
import { duplicate, invalid, type Refusal, required } from "./field-error.ts";

const ID_LABEL = {
  ResourceBinding: "resourcebinding.karmada.io/permanent-id",
  ClusterResourceBinding: "clusterresourcebinding.karmada.io/permanent-id",
  Work: "work.karmada.io/permanent-id",
} as const;

const DEPENDENCIES_ANNOTATION = "resourcebinding.karmada.io/dependencies";

/** A copy with an id, which links the copies in the clusters to it and outlives a restored backup. */
export function defaultBinding<B extends ResourceBinding | ClusterResourceBinding>(
  binding: B,
  context: AdmissionContext,
): B {
  return context.operation === "CREATE" ? withId(binding, context) : binding;
}

/** A copy with an id. Unlike bindings, a Work gets one on updates too. */
export function defaultWork(work: Work, context: AdmissionContext): Work {
  return withId(work, context);
}

function withId<T extends ResourceBinding | ClusterResourceBinding | Work>(
  object: T,
  { newUuid }: AdmissionContext,
): T {
  const label = ID_LABEL[object.kind];
  if (object.metadata.labels?.[label]) return object;
  const copy = cloneJson(object);
  copy.metadata.labels = { ...copy.metadata.labels, [label]: newUuid() };
  return copy;
}

export function validateResourceBinding(binding: ResourceBinding): readonly Refusal[] {
  return [...validateDependencies(binding), ...validateComponents(binding)];
}

function validateDependencies(binding: ResourceBinding): Refusal[] {
  const text = binding.metadata.annotations?.[DEPENDENCIES_ANNOTATION];
  if (text === undefined || isDependencyList(text)) return [];
  const field = `metadata.annotations[${DEPENDENCIES_ANNOTATION}]`;
  return [invalid(field, text, "must be a JSON list of references to objects")];
}

function isDependencyList(text: string): boolean {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isReference);
  } catch {
    return false;
  }
}

function isReference(value: unknown): boolean {
  if (!isObject(value)) return false;
  const texts = [value["apiVersion"], value["kind"], value["namespace"], value["name"]];
  return texts.every((text) => text === undefined || typeof text === "string");
}

function validateComponents({ spec }: ResourceBinding): Refusal[] {
  const names = new Set<string>();
  return (spec.components ?? []).flatMap(({ name }, index) => {
    const field = `spec.components[${index}].name`;
    if (!name) return [required(field, "a component needs a name")];
    if (names.has(name)) return [duplicate(field, name, `the name ${JSON.stringify(name)} is already used`)];
    names.add(name);
    return [];
  });
}
