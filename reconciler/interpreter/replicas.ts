// Native rules: how many replicas an object asks for, and how that number is changed in it.

import type { KubeObject } from "../../kube/object.ts";
import { fieldsAt, integerAt, optionalIntegerAt } from "./field-access.ts";
import type { ReplicaDemand } from "./interpreter.ts";
import { podRequirements } from "./requirements.ts";

/** Demand of the kinds with `spec.replicas` and a pod template. */
export function replicasOfWorkload(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  return demand(integerAt(spec, "replicas"), fieldsAt(spec, "template"));
}

/** A Job asks for the pods it may run at once, and never for more than it has to complete. */
export function replicasOfJob(object: KubeObject): ReplicaDemand {
  const spec = fieldsAt(object, "spec");
  const parallelism = integerAt(spec, "parallelism");
  const completions = optionalIntegerAt(spec, "completions");
  const replicas = completions !== undefined && completions < parallelism ? completions : parallelism;
  return demand(replicas, fieldsAt(spec, "template"));
}

export function replicasOfPod(object: KubeObject): ReplicaDemand {
  return demand(1, object);
}

function demand(replicas: number, podTemplate: Readonly<Record<string, unknown>>): ReplicaDemand {
  const requirements = podRequirements(fieldsAt(podTemplate, "spec"));
  return requirements === undefined ? { replicas } : { replicas, requirements };
}

/** A function that sets `spec.<field>`, if the object has that field; an absent one stays with its default. */
export function reviserOf(field: "replicas" | "parallelism"): (object: KubeObject, replicas: number) => KubeObject {
  return (object, replicas) => {
    const spec = fieldsAt(object, "spec");
    if (spec[field] === undefined || spec[field] === null || spec[field] === replicas) return object;
    return { ...object, spec: { ...spec, [field]: replicas } };
  };
}
