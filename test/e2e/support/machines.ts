// A kind of one's own, and what its users say of it to the interpreter.
import type { Cluster } from "../../../api/cluster.ts";
import type { CustomizationRules } from "../../../api/config.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { eventually } from "./eventually.ts";
import { applyAll, type Plane, ref } from "./plane.ts";

export const MACHINE_API = "acme.dev/v1";

/** The definition of a namespaced kind with a status and any fields. */
export function definitionOf(kind: string): KubeObject {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.acme.dev` },
    spec: {
      group: "acme.dev",
      scope: "Namespaced",
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        { name: "v1", served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } },
      ],
    },
  };
}

/** Defines a kind in the control plane and in every member, and waits until it is served. */
export async function defineKind(plane: Plane, kind: string): Promise<void> {
  const definition = definitionOf(kind);
  for (const { client } of [plane, ...plane.members]) {
    await applyAll(client, definition);
    await eventually(() => client.list(MACHINE_API, kind));
  }
  // Clusters that do not say so have no place for it.
  await eventually(async () => {
    const { items } = await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
    return items.every((cluster) => serves(cluster, kind));
  });
}

function serves(cluster: Cluster, kind: string): boolean {
  const enabled = cluster.status?.apiEnablements ?? [];
  return enabled.some(
    ({ groupVersion, resources }) =>
      groupVersion === MACHINE_API && resources?.some((resource) => resource.kind === kind) === true,
  );
}

export function machine(namespace: string, name: string, spec: Record<string, unknown>, kind = "Machine"): KubeObject {
  return { apiVersion: MACHINE_API, kind, metadata: { name, namespace }, spec };
}

/** Scripts by the field of `spec.customizations` that they belong to. */
export type Scripts = Partial<Record<keyof CustomizationRules, string>>;

export function customization(name: string, kind: string, scripts: Scripts, apiVersion = MACHINE_API): KubeObject {
  return {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterCustomization",
    metadata: { name },
    spec: {
      target: { apiVersion, kind },
      customizations: Object.fromEntries(Object.entries(scripts).map(([rule, luaScript]) => [rule, { luaScript }])),
    },
  };
}

export function customizationRef(name: string): ReturnType<typeof ref> {
  return ref("config.karmada.io/v1alpha1 ResourceInterpreterCustomization", "", name);
}

/** Everything that Flaghoist asks of a workload, for one whose replicas are `spec.units`. */
export const MACHINE_SCRIPTS: Scripts = {
  replicaResource: `
local kube = require("kube")
function GetReplicas(obj)
  return obj.spec.units, kube.accuratePodRequirements(obj.spec.template)
end`,
  replicaRevision: `
function ReviseReplica(obj, desired)
  obj.spec.units = desired
  return obj
end`,
  retention: `
function Retain(desired, observed)
  desired.spec.paused = observed.spec.paused
  return desired
end`,
  statusReflection: `
function ReflectStatus(observed)
  if observed.status == nil then return {} end
  return {ready = observed.status.ready, phase = observed.status.phase}
end`,
  statusAggregation: `
function AggregateStatus(desired, items)
  local ready = 0
  local names = {}
  for i = 1, #items do
    if items[i].status ~= nil and items[i].status.ready ~= nil then
      ready = ready + items[i].status.ready
      names[#names + 1] = items[i].clusterName
    end
  end
  table.sort(names)
  desired.status = {ready = ready, clusters = table.concat(names, " ")}
  return desired
end`,
  healthInterpretation: `
function InterpretHealth(observed)
  return observed.status ~= nil and observed.status.phase == "Up"
end`,
  dependencyInterpretation: `
function GetDependencies(desired)
  return {{apiVersion = "v1", kind = "ConfigMap", namespace = desired.metadata.namespace, name = desired.spec.config}}
end`,
};
