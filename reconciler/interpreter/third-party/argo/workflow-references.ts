// What runs of Argo Workflows refer to: in their pods, in the parameters and artifacts of their steps, and other templates.

import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import { objectsAtPath, textAtPath } from "../rules/field-paths.ts";
import { References } from "../rules/references.ts";

/** The dependencies of the specification of a run that stands at `path` in the object. */
export function dependenciesOfRuns(...path: readonly string[]): (object: KubeObject) => readonly Dependency[] {
  return (object) => {
    const spec = fieldsAt(object, ...path);
    const references = new References(object);
    const { volumes, imagePullSecrets, serviceAccountName } = spec;
    addPod({ volumes, imagePullSecrets, serviceAccountName }, references);
    addAccount(fieldsAt(spec, "executor"), references);
    for (const template of objectsAtPath(spec, "templates")) {
      addPod(podOf(template), references);
      addAccount(fieldsAt(template, "executor"), references);
    }
    references.add("ConfigMap", textAtPath(spec, "artifactRepositoryRef", "configMap"));
    addNamed(spec, references);
    return references.list();
  };
}

/** All containers of a step as those of one pod. Claims that the run makes itself are not among the volumes. */
function podOf(template: Fields): Fields {
  const { volumes, serviceAccountName, initContainers } = template;
  const containers = [
    fieldsAt(template, "container"),
    fieldsAt(template, "script"),
    ...objectsAtPath(template, "sidecars"),
    ...objectsAtPath(template, "containerSet", "containers"),
  ];
  return { volumes, serviceAccountName, initContainers, containers };
}

function addPod(podSpec: Fields, references: References): void {
  for (const { kind, name = "" } of dependenciesOfPodSpec(undefined, podSpec)) references.add(kind, name);
}

function addAccount(executor: Fields, references: References): void {
  const account = textAtPath(executor, "serviceAccountName");
  if (account !== "default") references.add("ServiceAccount", account);
}

/**
 * Names that may stand anywhere below: credentials of artifacts are in fields that end in `Secret`, values of parameters
 * in ConfigMaps, and templates of other objects under `templateRef` and `workflowTemplateRef`.
 */
function addNamed(value: unknown, references: References): void {
  if (Array.isArray(value)) for (const item of value) addNamed(item, references);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!isObject(inner)) addNamed(inner, references);
    else if (key === "templateRef" || key === "workflowTemplateRef") {
      if (inner["clusterScope"] !== true) {
        references.add("WorkflowTemplate", textAtPath(inner, "name"), "argoproj.io/v1alpha1");
      }
    } else if (/[a-z]Secret$/.test(key)) references.add("Secret", textAtPath(inner, "name"));
    else if (key === "configMapKeyRef") references.add("ConfigMap", textAtPath(inner, "name"));
    else addNamed(inner, references);
  }
}
