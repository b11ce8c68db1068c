// Native rules: the ConfigMaps, Secrets, service accounts and volume claims an object cannot do without.

import type { KubeObject } from "../../kube/object.ts";
import { type Fields, fieldsAt, objectsAt, textAt } from "./field-access.ts";
import type { Dependency } from "./interpreter.ts";
import { configMapNames, persistentVolumeClaimNames, secretNames } from "./pod-references.ts";

/** Dependencies of the kinds with a pod template at `spec.template`. */
export function dependenciesOfWorkload(object: KubeObject): readonly Dependency[] {
  return dependenciesOfPodSpec(object, fieldsAt(object, "spec", "template", "spec"));
}

export function dependenciesOfCronJob(object: KubeObject): readonly Dependency[] {
  return dependenciesOfPodSpec(object, fieldsAt(object, "spec", "jobTemplate", "spec", "template", "spec"));
}

export function dependenciesOfPod(object: KubeObject): readonly Dependency[] {
  return dependenciesOfPodSpec(object, fieldsAt(object, "spec"));
}

/** A StatefulSet makes the claims of its templates itself, in the cluster it runs in. */
export function dependenciesOfStatefulSet(object: KubeObject): readonly Dependency[] {
  const own = new Set(
    objectsAt(fieldsAt(object, "spec"), "volumeClaimTemplates").map((claim) =>
      textAt(fieldsAt(claim, "metadata"), "name"),
    ),
  );
  return dependenciesOfWorkload(object).filter(
    (dependency) => dependency.kind !== "PersistentVolumeClaim" || !own.has(dependency.name ?? ""),
  );
}

/** A Secret for every entry of `spec.tls`, the nameless ones too: those are an error of the author. */
export function dependenciesOfIngress(object: KubeObject): readonly Dependency[] {
  return objectsAt(fieldsAt(object, "spec"), "tls").map((tls) =>
    dependency(object, "Secret", textAt(tls, "secretName")),
  );
}

/** The Service under its derived name, and the slices with its endpoints. */
export function dependenciesOfServiceImport(object: KubeObject): readonly Dependency[] {
  const derived = `derived-${object.metadata.name ?? ""}`;
  return [
    dependency(object, "Service", derived),
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      ...namespaceOf(object),
      labelSelector: { matchLabels: { "kubernetes.io/service-name": derived } },
    },
  ];
}

function dependenciesOfPodSpec(object: KubeObject, podSpec: Fields): readonly Dependency[] {
  const account = textAt(podSpec, "serviceAccountName");
  return [
    ...configMapNames(podSpec).map((name) => dependency(object, "ConfigMap", name)),
    ...secretNames(podSpec).map((name) => dependency(object, "Secret", name)),
    ...(account === "" || account === "default" ? [] : [dependency(object, "ServiceAccount", account)]),
    ...persistentVolumeClaimNames(podSpec).map((name) => dependency(object, "PersistentVolumeClaim", name)),
  ];
}

function dependency(object: KubeObject, kind: string, name: string): Dependency {
  return { apiVersion: "v1", kind, ...namespaceOf(object), name };
}

function namespaceOf(object: KubeObject): { readonly namespace?: string } {
  const { namespace } = object.metadata;
  return namespace === undefined || namespace === "" ? {} : { namespace };
}
