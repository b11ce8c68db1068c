// Does in a cluster what a step of a scenario says: what a person with kubectl would do.
import type { FleetObject, FleetStep } from "../../../api/fleet-timeline.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";

/** A write to one cluster. */
export type ClusterWrite = (client: KubeClient) => Promise<unknown>;

/** As whom scenarios write. */
const FIELD_MANAGER = "flaghoist-scenario";

/** The writes of a step, one after the other in each cluster of its target; none for steps that write nothing. */
export function writesOf(step: FleetStep, objects: readonly KubeObject[]): readonly ClusterWrite[] {
  const { apply, delete: gone, scale, patch } = step;
  if (apply !== undefined) return objects.map(applied);
  // What is gone already is as good.
  if (gone !== undefined) return [async (client) => client.delete(await refIn(client, gone))];
  if (scale !== undefined) {
    const change = { spec: { replicas: scale.replicas } };
    return [async (client) => client.patch(await refIn(client, scale), change, "merge")];
  }
  if (patch !== undefined) return [async (client) => client.patch(await refIn(client, patch), patch.patch, "merge")];
  return [];
}

/** Applies an object, as `kubectl apply --server-side --force-conflicts`. */
export function applied(object: KubeObject): ClusterWrite {
  return async (client) => {
    const { namespace } = await refIn(client, { ...object, ...object.metadata });
    const whole = namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
    return client.apply(whole, { fieldManager: FIELD_MANAGER, force: true });
  };
}

/** The object that is meant; in the namespace `default` when it has to be in one and none is said. */
async function refIn(
  client: KubeClient,
  { apiVersion, kind, namespace, name }: Pick<FleetObject, "apiVersion" | "kind" | "namespace"> & { name?: string },
): Promise<ObjectRef> {
  const { namespaced } = await client.mapper.get(apiVersion, kind);
  return { apiVersion, kind, name: name ?? "", ...(namespaced ? { namespace: namespace ?? "default" } : {}) };
}

/** What a step does, in words: `applied Deployment shop/web`. */
export function stepWords(step: FleetStep, objects: readonly KubeObject[]): string {
  const { apply, delete: gone, scale, patch } = step;
  if (apply !== undefined)
    return `applied ${objects.map(({ kind, metadata }) => named({ kind, ...metadata })).join(", ")}`;
  if (gone !== undefined) return `deleted ${named(gone)}`;
  if (scale !== undefined) return `scaled ${named(scale)} to ${scale.replicas}`;
  if (patch !== undefined) return `changed ${named(patch)}`;
  return step.comment ?? "";
}

function named({ kind, namespace, name }: { kind: string; namespace?: string | undefined; name?: string | undefined }) {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name ?? ""}`;
}
