import type { CustomizationRules } from "../../../api/config.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { ref } from "./plane.ts";

export const MACHINE_API = "acme.dev/v1";

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
