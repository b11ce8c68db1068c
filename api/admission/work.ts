// Defaults and rules of bindings and Works beyond their schema.
import { cloneJson, isObject } from "../../kube/object.ts";
import { labelSelectorSchema } from "../schema.ts";
import type { ClusterResourceBinding, ResourceBinding, Work } from "../work.ts";
import type { AdmissionContext } from "./context.ts";
import { invalid, type Refusal } from "./field-error.ts";

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

/** `hasComponents`: Karmada's gate MultiplePodTemplatesScheduling, without which the names of components do not matter. */
export function validateResourceBinding(binding: ResourceBinding, hasComponents: boolean): readonly Refusal[] {
  return [...validateDependencies(binding), ...(hasComponents ? validateComponents(binding) : [])];
}

function validateDependencies(binding: ResourceBinding): Refusal[] {
  const text = binding.metadata.annotations?.[DEPENDENCIES_ANNOTATION];
  if (text === undefined || isDependencyList(text)) return [];
  // The path is Karmada's; the annotation's key stands in it like a field.
  const field = `metadata.annotations.${DEPENDENCIES_ANNOTATION}`;
  return [invalid(field, text, "must be a JSON list of references to objects")];
}

function isDependencyList(text: string): boolean {
  try {
    const list: unknown = JSON.parse(text);
    return list === null || (Array.isArray(list) && list.every(isReference));
  } catch {
    return false;
  }
}

const TEXT_FIELDS = new Set(["apiversion", "kind", "namespace", "name"]);

// As Go reads JSON: names of fields in any case, null and unknown fields mean nothing.
function isReference(value: unknown): boolean {
  if (value === null) return true;
  if (!isObject(value)) return false;
  return Object.entries(value).every(([key, field]) => {
    const name = key.toLowerCase();
    if (field === null) return true;
    if (TEXT_FIELDS.has(name)) return typeof field === "string";
    return name !== "labelselector" || labelSelectorSchema.safeParse(field).success;
  });
}

function validateComponents({ spec }: ResourceBinding): Refusal[] {
  const names = new Set<string>();
  return (spec.components ?? []).flatMap(({ name }, index) => {
    const field = `spec.components[${index}].name`;
    if (!name) return [invalid(field, "", "a component needs a name")];
    if (names.has(name)) return [invalid(field, name, `the name ${JSON.stringify(name)} is already used`)];
    names.add(name);
    return [];
  });
}
