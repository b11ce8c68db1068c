// The part of Ray's kinds that describes a cluster: one head, and groups of workers.

import type { Component } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import { componentOf, nameOr } from "../rules/components.ts";
import { numberAt } from "../rules/numbers.ts";
import { requirementsOfTemplate } from "../rules/pod-templates.ts";

/** The head and every group of workers. `where` is the path of `clusterSpec`. Throws `interpreter-field-malformed`. */
export function componentsOfCluster(clusterSpec: Fields, where: string): readonly Component[] {
  const head = optionalFieldsAt(clusterSpec, "headGroupSpec", "template");
  const workers = objectsAt(clusterSpec, "workerGroupSpecs").map((group, index) => {
    const path = `${where}.workerGroupSpecs[${index}]`;
    return componentOf(
      nameOr(group, "groupName", `worker-${index + 1}`),
      numberAt(group, "replicas", path),
      requirementsOfTemplate(fieldsAt(group, "template")),
      `${path}.replicas`,
    );
  });
  return head === undefined ? workers : [componentOf("ray-head", 1, requirementsOfTemplate(head), where), ...workers];
}

/** The pod templates of the head and of all groups. */
export function templatesOfCluster(clusterSpec: Fields): readonly Fields[] {
  return [
    fieldsAt(clusterSpec, "headGroupSpec", "template"),
    ...objectsAt(clusterSpec, "workerGroupSpecs").map((group) => fieldsAt(group, "template")),
  ];
}

/** What pods of these templates cannot do without. As Karmada: ephemeral containers are not asked. */
export function dependenciesOfTemplates(object: KubeObject, templates: readonly Fields[]): readonly Dependency[] {
  return templates.flatMap((template) =>
    dependenciesOfPodSpec(object.metadata.namespace, {
      ...fieldsAt(template, "spec"),
      ephemeralContainers: undefined,
    }),
  );
}
