// How loops name bindings among themselves.
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";

export const BINDING_KINDS = ["ResourceBinding", "ClusterResourceBinding"] as const;

/** `ResourceBinding/namespace/name`. */
export function bindingKey(binding: AnyBinding): string {
  return `${binding.kind}/${binding.metadata.namespace ?? ""}/${binding.metadata.name ?? ""}`;
}

export function findBinding(context: ControllerContext, key: string): AnyBinding | undefined {
  const [kind = "", namespace, name = ""] = key.split("/");
  return context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).get(namespace, name);
}

/** The kind that the binding places, as `apps/v1/Deployment`; undefined when there is no such binding. */
export function placedKind(context: ControllerContext, key: string): string | undefined {
  const resource = findBinding(context, key)?.spec.resource;
  return resource === undefined ? undefined : `${resource.apiVersion}/${resource.kind}`;
}

export function* allBindings(context: ControllerContext): Generator<AnyBinding> {
  for (const kind of BINDING_KINDS) yield* context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).all();
}
