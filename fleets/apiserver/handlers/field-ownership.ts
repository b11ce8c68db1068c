// Who owns which field: the seam between the verbs and the rules of managedFields.
import { cloneJson, isObject, type KubeObject, type ManagedFieldsEntry } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { ServerContext } from "../server-context.ts";

/** One write, as ownership sees it. */
export interface OwnershipRequest {
  readonly server: ServerContext;
  readonly kind: KindStrategy;
  readonly manager: string;
  /** Empty for the main resource. */
  readonly subresource: string;
}

/** The managedFields of an object after an update, patch or create by `manager`. */
export function ownershipAfterUpdate(
  _request: OwnershipRequest,
  old: KubeObject | undefined,
  _updated: KubeObject,
): ManagedFieldsEntry[] | undefined {
  return old?.metadata.managedFields;
}

/** The object after `config` is applied to `live`, with its managedFields. Throws the conflicts. */
export function applyConfiguration(
  _request: OwnershipRequest,
  live: KubeObject | undefined,
  config: KubeObject,
  _force: boolean,
): { readonly object: KubeObject; readonly changed: boolean } {
  return { object: live === undefined ? config : (merged(live, config) as KubeObject), changed: true };
}

function merged(live: unknown, config: unknown): unknown {
  if (!isObject(live) || !isObject(config)) return config;
  const result: Record<string, unknown> = cloneJson(live);
  for (const [key, value] of Object.entries(config)) result[key] = merged(live[key], value);
  return result;
}
