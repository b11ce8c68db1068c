// Native rules: the ConfigMaps, Secrets, service accounts and volume claims an object cannot do without.

import type { KubeObject } from "../../kube/object.ts";
import { type Fields, fieldsAt, objectsAt, textAt } from "./field-access.ts";
import type { Dependency } from "./interpreter.ts";
import { configMapNames, persistentVolumeClaimNames, secretNames } from "./pod-references.ts";

/** Dependencies of the kinds with a pod template at `spec.template`. */
export function dependenciesOfWorkload(object: KubeObject): readonly Dependency[] {
  return dependenciesOfPodSpec(object.metadata.namespace, fieldsAt(object, "spec", "template", "spec"));
}

export function dependenciesOfCronJob(object: KubeObject): readonly Dependency[] {
  const podSpec = fieldsAt(object, "spec", "jobTemplate", "spec", "template", "spec");
  return dependenciesOfPodSpec(object.metadata.namespace, podSpec);
}

export function dependenciesOfPod(object: KubeObject): readonly Dependency[] {
  return dependenciesOfPodSpec(object.metadata.namespace, fieldsAt(object, "spec"));
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
    dependencyOn("Secret", object.metadata.namespace, textAt(tls, "secretName")),
  );
}

/** The Service under its derived name, and the slices with its endpoints. */
export function dependenciesOfServiceImport(object: KubeObject): readonly Dependency[] {
  const { name = "", namespace } = object.metadata;
  const derived = `derived-${name}`;
  const service = dependencyOn("Service", namespace, derived);
  return [
    service,
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      ...(service.namespace === undefined ? {} : { namespace: service.namespace }),
      labelSelector: { matchLabels: { "kubernetes.io/service-name": derived } },
    },
  ];
}

/** What a pod with this spec refers to, in the namespace that it will be in. */
export function dependenciesOfPodSpec(namespace: string | undefined, podSpec: Fields): readonly Dependency[] {
  const account = textAt(podSpec, "serviceAccountName");
  return [
    ...configMapNames(podSpec).map((name) => dependencyOn("ConfigMap", namespace, name)),
    ...secretNames(podSpec).map((name) => dependencyOn("Secret", namespace, name)),
    ...(account === "" || account === "default" ? [] : [dependencyOn("ServiceAccount", namespace, account)]),
    ...persistentVolumeClaimNames(podSpec).map((name) => dependencyOn("PersistentVolumeClaim", namespace, name)),
  ];
}

/** A dependency on an object of the core group. */
export function dependencyOn(kind: string, namespace: string | undefined, name: string): Dependency {
  return { apiVersion: "v1", kind, ...(namespace === undefined || namespace === "" ? {} : { namespace }), name };
}
