// Argo CD: ApplicationSet, which makes Applications in the cluster it is in.

import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating } from "../rules/aggregation.ts";
import { agreedConditions } from "../rules/agreed-conditions.ts";
import { objectsAtPath, textAtPath } from "../rules/field-paths.ts";
import { isTrue } from "../rules/kstatus.ts";
import { References } from "../rules/references.ts";
import { reflecting } from "../rules/reflection.ts";
import { withoutHandledRequests } from "./requests.ts";

export const APPLICATION_SET: KindRules = {
  retain: withoutHandledRequests,
  interpretHealth: isUpToDate,
  getDependencies: dependenciesOfGenerators,
  // Not the Applications one by one, which differ from cluster to cluster.
  reflectStatus: reflecting(["conditions"]),
  aggregateStatus: aggregating((report) => ({ conditions: agreedConditions(report, ["ResourcesUpToDate"]) })),
};

/** As Argo CD judges it: its Applications are as they should be, and no rollout over them is under way. */
function isUpToDate(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  return (
    isTrue(status, "ResourcesUpToDate") && !isTrue(status, "ErrorOccurred") && !isTrue(status, "RolloutProgressing")
  );
}

/** The credentials and certificates that its generators read, and its project. */
function dependenciesOfGenerators(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const generator of objectsAtPath(object, "spec", "generators")) addReferences(generator, references);
  const project = textAtPath(object, "spec", "template", "spec", "project");
  // A name with parameters in it is known only where the Applications are made.
  if (project !== "default" && !project.includes("{{")) references.add("AppProject", project, "argoproj.io/v1alpha1");
  return references.list();
}

// Generators nest in one another, and all name what they read in the same way.
function addReferences(value: unknown, references: References): void {
  if (Array.isArray(value)) for (const item of value) addReferences(item, references);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!key.endsWith("Ref")) addReferences(inner, references);
    else if (isObject(inner)) {
      references.add("Secret", textAtPath(inner, "secretName"));
      references.add("ConfigMap", textAtPath(inner, "configMapName"));
      if (key === "configMapRef") references.add("ConfigMap", textAtPath(inner, "name"));
    }
  }
}
